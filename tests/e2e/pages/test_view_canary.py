"""A whole canary upgrade as a person without a mouse sees it: from the form to COMPLETED."""

from typing import Any

from playwright.sync_api import Page, expect

from tests.browser.browsing import Visits
from tests.e2e.conftest import NewTenant
from tests.e2e.pages.user_actions import VIEW, InputDevice, Keyboard, expect_status, give
from tests.e2e.steps import OLD, Json, Tenant
from upgrade_orchestrator.domain.execution.states import ExecutionStatus
from upgrade_orchestrator.domain.instance.instance import InstanceStatus
from upgrade_orchestrator.web.view.words import INSTANCE

_WATCH = """() => {
  const look = () => {
    const head = document.getElementById("head");
    const tiles = [...document.querySelectorAll("[id^=tile-]")];
    return {
      status: head.dataset.status,
      sequence: Number(head.dataset.sequence),
      badge: document.querySelector("#status-line .badge").lastChild.textContent,
      tiles: Object.fromEntries(tiles.map((each) => [each.id.slice(5), each.querySelector(".at").textContent])),
    };
  };
  window.shown = [look()];
  const watch = new MutationObserver(() => window.shown.push(look()));
  watch.observe(document.getElementById("part"), {
    subtree: true, childList: true, attributes: true, characterData: true,
  });
}"""
"Every state that the page shows, from now on, at each change."


def test_canary_upgrade_by_keyboard_alone_shows_only_states_of_the_api_until_completed(
    visits: Visits, new_tenant: NewTenant
) -> None:
    tenant = new_tenant(size=6, upgrade_seconds=2)  # the rest begins with the promotion, so there is time to pause it
    page = visits.of("otto")
    keyboard = Keyboard(page)
    execution_id = _created(page, keyboard, tenant)
    expect(page.locator("#head")).to_be_visible()
    page.evaluate(_WATCH)
    _compare(page, tenant, execution_id, "PENDING")
    give(keyboard, "start")
    expect_status(page, "CANARY_MONITORING")
    expect(page.locator("#canary")).to_contain_text("Healthy at the last check")
    expect(page.locator("#button-promote-canary")).to_have_class("first")
    _compare(page, tenant, execution_id, "CANARY_MONITORING")
    give(keyboard, "promote-canary")
    expect_status(page, "IN_PROGRESS")
    give(keyboard, "pause")
    expect_status(page, "PAUSED")
    expect(page.locator("#button-pause")).to_have_count(0)
    expect(page.locator("#gauge")).to_contain_text("In flight0")
    _compare(page, tenant, execution_id, "PAUSED")
    give(keyboard, "resume")
    expect_status(page, "COMPLETED")
    expect(page.locator("#live")).to_have_text("Ended")
    _compare(page, tenant, execution_id, "COMPLETED")
    _check_all_that_was_shown(page, tenant, execution_id)
    execution = tenant.execution(execution_id)
    assert (execution["createdBy"], execution["canary"]["promotedBy"]) == ("otto", "otto")
    assert tenant.upgraded() == tenant.each_once()
    assert {each["data"]["source"] for each in tenant.events(execution_id) if "command" in each["type"]} == {"UI"}


def _created(page: Page, device: InputDevice, tenant: Tenant) -> str:
    """Create the upgrade by the form; returns the execution's id."""
    page.goto(f"{VIEW}/upgrades/new")
    _fill_in(page, device, tenant)
    device.push("button[value='']")
    page.wait_for_url(lambda url: not url.endswith("/new"))
    return page.url.rsplit("/", 1)[-1]


def _fill_in(page: Page, device: InputDevice, tenant: Tenant) -> None:
    device.choose("[name=tenantId]", tenant.id)
    expect(page.locator("#create")).to_have_attribute("aria-busy", "false")  # a list that changes ends the typing in it
    device.choose("[name=componentId]", "Event platform")
    expect(page.locator("[name=fromVersionId]")).to_have_value(OLD)
    device.choose("[name=toVersionId]", "3.7.0")
    device.choose("[name=strategy]", "CANARY")
    device.write("[name=canaryPercentage]", "34")
    device.write("[name=batchSize]", "2")
    device.write("[name=batchDelaySeconds]", "0")
    device.write("[name=maxUnavailablePercentage]", "34")
    device.write("[name=healthCheckIntervalSeconds]", "1")
    device.write("[name=installedComponents]", "kafka 3.6.0\npostgresql 16.1")
    expect(page.locator("#preview")).to_contain_text("CANARY: 2 instances")
    expect(page.locator("#preview-state")).to_contain_text("It can start")


def _check_all_that_was_shown(page: Page, tenant: Tenant, execution_id: str) -> None:
    """Each state that the page ever showed was that of the events at the page's sequence, and none appeared twice."""
    seen = page.evaluate("() => window.shown")
    recorded = _states(tenant.events(execution_id))
    assert len({each["sequence"] for each in seen}) > 10
    assert [each for each in seen if not _is_true(each, recorded)] == []
    sequences = [each["sequence"] for each in seen]
    assert sequences == sorted(sequences)


def _compare(page: Page, tenant: Tenant, execution_id: str, status: str) -> None:
    """Where nothing moves on by itself, page and API show the same."""
    expect_status(page, status)
    said = tenant.execution(execution_id)
    progress = said["progress"]
    assert said["status"] == status
    facts = page.locator("#gauge")
    expect(facts).to_contain_text(f"Done{progress['completed']} of {progress['total']}")
    expect(facts).to_contain_text(f"Failed{progress['failed']}")
    for each in tenant.instances(execution_id):
        tile = page.locator(f"[id='tile-{each['instanceId']}'] .at")
        expect(tile).to_have_text(INSTANCE[InstanceStatus(each["status"])].words)
    for check in said["validationChecks"]:
        expect(page.locator(f"#check-{check['name']} .badge")).to_contain_text(check["status"].capitalize())


def _states(events: list[Json]) -> dict[int, tuple[str, dict[str, str]]]:
    """By sequence: the status, and every instance that has ever changed, according to the events."""
    status, instances, found = ExecutionStatus.PENDING.value, dict[str, str](), dict[int, tuple[str, dict[str, str]]]()
    for each in events:
        if each["type"] == "registry.upgrade.status-changed.v1":
            status = each["data"]["to"]
        if each["type"] == "registry.upgrade.instance-changed.v1":
            instances = instances | {each["data"]["instanceId"]: each["data"]["to"]}
        found[each["sequence"]] = (status, instances)
    return found


def _is_true(seen: dict[str, Any], recorded: dict[int, tuple[str, dict[str, str]]]) -> bool:
    status, instances = recorded[seen["sequence"]]
    wanted = {name: INSTANCE[InstanceStatus(instances.get(name, "PENDING"))].words for name in seen["tiles"]}
    return bool(seen["status"] == status and seen["tiles"] == wanted)
