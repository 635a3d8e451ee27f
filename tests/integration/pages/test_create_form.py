"""The form's lists and blockers in a real browser: what can be chosen, where it is mended, and what its button does."""

import re
from typing import Any

import pytest
from playwright.sync_api import Page, Route, expect

from tests.browser.accessible import problems
from tests.browser.browsing import Scheme, Visits
from tests.integration.pages.registries import KAFKA, LONG
from upgrade_orchestrator.web.app import URL_PREFIX

FORM = f"{URL_PREFIX}/view/upgrades/new"
INSTALLED = "postgresql 16.1"
_DOUBLE_CLICK = """button => {
  const said = (detail) => new MouseEvent("click", { bubbles: true, cancelable: true, detail });
  const changed = new MutationObserver(() => {
    changed.disconnect();
    window.kept = !button.dispatchEvent(said(2));
  });
  changed.observe(button, { childList: true });
  button.dispatchEvent(said(1));
}"""
"The second click comes when the first one has led to another text on the button."


@pytest.fixture
def page(visits: Visits) -> Page:
    """The form for kafka of acme, with the recommended version chosen; its dependency is not named yet."""
    return chosen(visits.of("admin"))


def chosen(page: Page) -> Page:
    page.goto(f"{FORM}?tenant=acme&component={KAFKA}")
    page.get_by_label("To version").select_option("k37")
    expect(preview(page)).to_contain_text("Blockers")
    return page


def preview(page: Page) -> Any:
    return page.get_by_role("region", name="Preview")


def primary(page: Page) -> Any:
    return page.locator("#primary")


def texts(page: Page, name: str) -> list[str]:
    found: list[str] = page.locator(f"[name={name}] option").evaluate_all("all => all.map(each => each.textContent)")
    return found


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_form_with_lists_and_blockers_is_accessible(visits: Visits, scheme: Scheme) -> None:
    page = chosen(visits.of("admin", scheme))
    assert problems(page) == []
    page.set_viewport_size({"width": 360, "height": 800})
    assert page.evaluate("() => document.documentElement.scrollWidth") <= 360


def test_lists_follow_the_choice_of_tenant_and_component(visits: Visits) -> None:
    page = visits.of("admin")
    page.goto(FORM)
    page.get_by_label("Tenant").select_option("initech")
    options = page.locator("[name=componentId] option[disabled]")
    expect(options).to_have_text(["Service with many releases · long"])
    page.locator("[name=componentId]").select_option(KAFKA)
    expect(page.get_by_label("From version")).to_have_value("k35")
    assert texts(page, "toVersionId") == ["Choose a version", "3.7.0 · recommended · k37", "3.6.0 · LTS · k36"]
    page.get_by_label("Tenant").select_option("acme")
    expect(page.get_by_label("From version")).to_have_value("k36")
    page.locator("[name=componentId]").select_option(LONG)
    expect(page.get_by_label("From version")).to_have_value("v-10")


def test_component_is_not_chosen_by_the_choice_of_a_tenant(visits: Visits) -> None:
    page = visits.of("admin")
    page.goto(FORM)
    page.locator("[name=tenantId]").select_option("acme")
    expect(page.locator("#create")).to_have_attribute("aria-busy", "false")
    expect(page.locator("[name=componentId]")).to_have_value("")
    page.locator("[name=componentId]").focus()
    page.keyboard.type("Apache Kafka")
    expect(page.locator("[name=fromVersionId]")).to_have_value("k36")
    expect(page.locator("[name=toVersionId]")).to_have_value("")


def test_lists_follow_a_choice_that_was_made_before_the_script_was_there(visits: Visits) -> None:
    page, held = visits.of("admin"), list[Route]()
    page.route("**/static/create.js", lambda route: held.append(route))
    with page.expect_request("**/static/create.js"):
        page.goto(FORM, wait_until="commit")
    page.locator("[name=tenantId]").select_option("acme")
    page.locator("[name=componentId]").select_option(KAFKA)
    for each in held:
        each.continue_()
    expect(page.locator("[name=fromVersionId]")).to_have_value("k36")
    expect(preview(page)).to_contain_text("Choose")


def test_version_that_cannot_be_chosen_is_shown_with_the_reason_and_a_link(page: Page) -> None:
    barred = page.locator("[name=toVersionId] optgroup option")
    expect(barred).to_have_text([re.compile("4.0.0 · is DRAFT"), re.compile("3.9.1 · closed: message format")])
    assert barred.evaluate_all("all => all.every(each => each.disabled)")
    notes = page.locator("#toVersionId-notes")
    expect(notes).to_contain_text("4.0.0 is DRAFT, only STABLE versions are upgraded to. Versions")
    notes.get_by_role("link", name="Upgrade paths").first.click()
    page.wait_for_url(f"**/view/components/{KAFKA}#paths")


def test_blocker_is_said_once_with_a_link_to_its_field(page: Page) -> None:
    expect(preview(page).get_by_text("postgresql >=15,<18 is needed")).to_have_count(1)
    preview(page).get_by_role("link", name="Installed components").click()
    expect(page.get_by_label("Installed components")).to_be_focused()


def test_primary_button_is_what_can_be_done(page: Page) -> None:
    expect(primary(page)).to_have_text("Check again")
    expect(page.get_by_role("button", name="Create", exact=True)).to_be_hidden()
    with page.expect_response("**/upgrades?dryRun=true"):
        primary(page).click()
    assert page.url.split("?")[0].endswith("/new")
    page.get_by_label("Installed components").fill(INSTALLED)
    expect(primary(page)).to_have_text("Create and start")
    expect(page.get_by_role("button", name="Create", exact=True)).to_be_visible()


def test_check_that_would_not_pass_leaves_create_and_links_to_the_backups(visits: Visits) -> None:
    page = visits.of("admin")
    page.goto(f"{FORM}?tenant=globex&component={KAFKA}&toVersion=k37")
    page.get_by_label("Installed components").fill(INSTALLED)
    expect(preview(page)).to_contain_text("BACKUP_VERIFICATION: no backup of version k36 is known")
    expect(primary(page)).to_have_text("Check again")
    expect(page.get_by_role("button", name="Create", exact=True)).to_be_visible()
    preview(page).get_by_role("link", name="Backups").click()
    page.wait_for_url(f"**/view/components/{KAFKA}#backups")


def test_double_click_on_check_again_creates_nothing(page: Page) -> None:
    page.get_by_label("Installed components").evaluate("(field, text) => field.value = text", INSTALLED)
    primary(page).evaluate(_DOUBLE_CLICK)
    expect(primary(page)).to_have_text("Create and start")
    assert page.evaluate("window.kept") is True
    assert page.url.split("?")[0].endswith("/new")


def test_fleet_that_cannot_be_used_is_a_blocker_with_a_link_to_the_deployments(visits: Visits) -> None:
    page = visits.of("admin")
    page.goto(f"{FORM}?tenant=initech&component={KAFKA}&toVersion=k37")
    expect(preview(page)).to_contain_text("fleet initech-kafka cannot be used")
    expect(preview(page).get_by_role("link", name="Deployments")).to_be_visible()
    expect(primary(page)).to_have_text("Check again")


def test_unfinished_upgrade_is_a_blocker_with_a_link_to_it(visits: Visits) -> None:
    page = visits.of("admin")
    page.goto(f"{FORM}?tenant=umbrella&component={KAFKA}&toVersion=k37")
    expect(page.locator("[name=fromVersionId] option")).to_have_text(
        ["3.6.0 · runs now · on 3 instances · k36", "3.7.0 · on 1 instance · k37"]
    )
    preview(page).get_by_role("link", name="The active upgrade").click()
    page.wait_for_url(re.compile(r"/view/upgrades/[0-9a-f-]{36}$"))


def test_tenants_are_those_in_which_the_caller_may_operate(visits: Visits) -> None:
    page = visits.of("tina")
    page.goto(f"{FORM}?tenant=globex&component={KAFKA}")
    assert texts(page, "tenantId") == ["Choose a tenant", "acme"]
    expect(page.get_by_label("From version")).to_have_value("")
