"""The form that creates an upgrade, in a real browser."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, Route, expect

from tests.browser.accessible import problems
from tests.browser.browsing import Scheme, Visits
from tests.e2e.conftest import NewTenant
from tests.e2e.steps import COMPONENT, NEW, OLD, Json, Tenant, got
from upgrade_orchestrator.schemas.request_form import form_fields
from upgrade_orchestrator.web.app import URL_PREFIX
from upgrade_orchestrator.web.view.create_form import label_of

FORM = f"{URL_PREFIX}/view/upgrades/new"
NAME, TO_VERSION = "Event platform", "3.7.0"
"As the lists show the component and the version."
INSTALLED = "kafka 3.6.0\npostgresql 16.1"
Filled = Callable[..., Page]
_ADD_OPTION = """(list, text) => {
  list.add(new Option(text, text, true, true));
  list.dispatchEvent(new Event("input", { bubbles: true }));
}"""


@pytest.fixture
def tenant(new_tenant: NewTenant) -> Tenant:
    """A tenant on a fleet of two, without a backup; it has no upgrade yet."""
    return new_tenant(2, backup=False)


@pytest.fixture
def filled(visits: Visits, tenant: Tenant) -> Filled:
    """The form with its required fields filled in, once the plan is shown."""

    def open_form(name: str = "otto", scheme: Scheme = "light", width: int = 1280) -> Page:
        page = visits.of(name, scheme, width)
        page.goto(f"{FORM}?tenant={tenant.id}&component={COMPONENT}")
        expect(page.get_by_label("From version")).to_have_value(OLD)
        page.get_by_label("To version").select_option(NEW)
        page.get_by_label("Installed components").fill(INSTALLED)
        expect(plan(page)).to_contain_text("2 instances in 1 batch")
        return page

    return open_form


def plan(page: Page) -> Any:
    return page.get_by_role("region", name="Preview")


def upgrades(tenant: Tenant) -> list[Json]:
    items: list[Json] = got(tenant.api, f"/tenants/{tenant.id}/upgrades")["items"]
    return items


def test_every_field_of_the_form_has_its_label_its_default_and_its_range(visits: Visits) -> None:
    page = visits.of("otto")
    page.goto(FORM)
    for field in form_fields():
        control = page.locator(f"[name={field.name}]")
        expect(page.get_by_label(label_of(field.name)).and_(control)).to_have_count(1)
        if isinstance(field.default, int) and not isinstance(field.default, bool):
            expect(control).to_have_value(str(field.default))
            expect(control).to_have_attribute("min", str(field.schema["minimum"]))
            expect(control).to_have_attribute("max", str(field.schema["maximum"]))


def test_plan_preview_is_updated_when_a_field_changes(filled: Filled) -> None:
    page = filled()
    page.get_by_label("Batch size").fill("1")
    expect(plan(page)).to_contain_text("2 instances in 2 batches")
    page.get_by_label("Strategy").select_option("RECREATE")
    expect(plan(page)).to_contain_text("2 instances in 1 batch")
    expect(plan(page)).to_contain_text("ALL: 2 instances")


def test_blockers_and_checks_are_shown_before_the_upgrade_is_created(filled: Filled, tenant: Tenant) -> None:
    page = filled()
    page.get_by_label("Total instances").fill("3")
    expect(plan(page)).to_contain_text("There is no plan for this")
    expect(plan(page)).to_contain_text(f"totalInstances is 3, the fleet {tenant.fleet} has 2 instances")
    expect(plan(page)).to_contain_text("BACKUP_VERIFICATION: no backup")
    assert upgrades(tenant) == []


def test_value_out_of_range_is_reported_beside_its_field(filled: Filled) -> None:
    page = filled()
    size = page.get_by_label("Batch size")
    size.fill("1001")
    expect(size).to_have_attribute("aria-invalid", "true")
    expect(size).to_have_accessible_description(re.compile("1 to 1000.*less than or equal to 1000"))
    expect(page.locator("#batchSize-error")).to_contain_text("less than or equal to 1000")
    size.fill("2")
    expect(page.locator("#batchSize-error")).to_be_empty()


def test_late_response_does_not_replace_a_newer_preview(filled: Filled) -> None:
    page = filled()
    held: list[Route] = []

    def hold_the_first(route: Route) -> None:
        if '"batchSize":1,' in (route.request.post_data or ""):
            held.append(route)
        else:
            route.continue_()

    page.route("**/upgrades?dryRun=true", hold_the_first)
    page.get_by_label("Batch size").fill("1")
    page.wait_for_function("() => document.getElementById('preview').classList.contains('stale')")
    with page.expect_response("**/upgrades?dryRun=true"):
        page.get_by_label("Batch size").fill("2")
    expect(plan(page)).to_contain_text("2 instances in 1 batch")
    assert held
    with page.expect_response("**/upgrades?dryRun=true"):
        held[0].continue_()
    expect(plan(page)).to_contain_text("2 instances in 1 batch")


def test_double_click_creates_one_upgrade(filled: Filled, tenant: Tenant) -> None:
    page = filled()
    page.get_by_role("button", name="Create", exact=True).dblclick()
    page.wait_for_url(lambda url: not url.split("?")[0].endswith("/new"))
    (made,) = upgrades(tenant)
    assert page.url.endswith(f"/view/upgrades/{made['id']}")
    assert (made["status"], made["createdBy"], made["batchSize"]) == ("PENDING", "otto", 5)


def test_lost_response_creates_no_second_upgrade_when_submitted_again(filled: Filled, tenant: Tenant) -> None:
    page = filled()
    lost: list[int] = []

    def lose_the_first(route: Route) -> None:
        if lost:
            route.continue_()
        else:
            lost.append(route.fetch().status)
            route.abort()

    page.route(f"**/tenants/{tenant.id}/upgrades", lose_the_first)
    page.get_by_role("button", name="Create", exact=True).click()
    expect(page.get_by_role("alert")).to_contain_text("nothing is created twice")
    page.get_by_role("button", name="Create", exact=True).click()
    page.wait_for_url(lambda url: not url.split("?")[0].endswith("/new"))
    assert lost == [201]
    assert len(upgrades(tenant)) == 1


def test_upgrade_can_be_created_and_started_by_keyboard_alone(visits: Visits, new_tenant: NewTenant) -> None:
    page, tenant = visits.of("otto"), new_tenant(2)
    page.goto(FORM)
    reach(page, "tenantId")
    page.keyboard.type(tenant.id)
    page.keyboard.press("Tab")
    page.keyboard.type(NAME)
    page.keyboard.press("Tab")
    expect(page.get_by_label("From version")).to_have_value(OLD)
    page.keyboard.press("Tab")
    page.keyboard.type(TO_VERSION)
    reach(page, "installedComponents")
    page.keyboard.type(INSTALLED)
    expect(plan(page)).to_contain_text("2 instances in 1 batch")
    expect(plan(page)).to_contain_text("It can start")
    reach(page, "then")
    page.keyboard.press("Enter")
    page.wait_for_url(lambda url: not url.split("?")[0].endswith("/new"))
    (made,) = upgrades(tenant)
    assert made["status"] == "VALIDATING"


def reach(page: Page, name: str) -> None:
    """Press Tab until the control with that name has the focus."""
    for _ in range(40):
        if page.evaluate("() => document.activeElement.name") == name:
            return
        page.keyboard.press("Tab")
    raise AssertionError(f"{name} cannot be reached with the Tab key")


def test_second_upgrade_of_a_deployment_is_refused_with_an_explanation(filled: Filled, tenant: Tenant) -> None:
    page = filled()
    active = tenant.create()
    page.get_by_role("button", name="Create", exact=True).click()
    expect(page.get_by_role("alert")).to_contain_text(f"execution {active} is not finished")
    page.get_by_role("link", name="Show the active upgrade").click()
    page.wait_for_url(f"**/view/upgrades/{active}")


def test_missing_field_is_named_and_gets_the_focus(visits: Visits) -> None:
    page = visits.of("otto")
    page.goto(FORM)
    page.get_by_role("button", name="Create", exact=True).click()
    expect(page.get_by_label("Tenant")).to_be_focused()
    expect(page.locator("#tenantId-error")).to_have_text("is required")


def test_hostile_values_are_shown_as_text(filled: Filled, visits: Visits) -> None:
    page = filled()
    page.on("dialog", lambda _: pytest.fail("a script ran"))
    page.get_by_label("Installed components").fill("<img/src=x/onerror=alert(1)> <script>alert(1)</script>")
    page.locator("[name=componentId]").evaluate(_ADD_OPTION, "<img src=x onerror=alert(1)>")
    expect(page.locator("#componentId-error")).not_to_be_empty()
    assert page.locator("main img, main script").count() == 0
    assert not [each for each in visits.console if "Content Security Policy" in each]


@pytest.mark.parametrize("name", ["vera", "anna"])
def test_form_is_refused_without_the_permission_to_operate(visits: Visits, name: str) -> None:
    page = visits.of(name)
    answer = page.goto(FORM)
    assert answer is not None
    assert answer.status == 403
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    assert page.locator("form").count() == 0


def test_form_offers_only_the_tenants_of_a_limited_caller(visits: Visits, limited_tenant: str, tenant: Tenant) -> None:
    page = visits.of("tina")
    page.goto(FORM)
    assert offered(page) == [limited_tenant]
    visits_all = visits.of("otto")
    visits_all.goto(FORM)
    assert tenant.id in offered(visits_all)


def offered(page: Page) -> list[str]:
    """The tenants, without the option that stands for none."""
    found: list[str] = page.locator("[name=tenantId] option").evaluate_all("all => all.map(each => each.value)")
    assert found[0] == ""
    return found[1:]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_form_has_no_serious_accessibility_violation(filled: Filled, scheme: Scheme) -> None:
    page = filled(scheme=scheme)
    page.get_by_label("Batch size").fill("0")
    page.get_by_label("Total instances").fill("3")
    expect(page.locator("#batchSize-error")).not_to_be_empty()
    assert problems(page) == []
    page.get_by_label("Batch size").fill("1")
    expect(plan(page)).to_contain_text("Blockers")
    assert problems(page) == []


def test_form_fits_a_narrow_screen(filled: Filled) -> None:
    page = filled(width=360)
    assert page.evaluate("() => document.documentElement.scrollWidth") <= 360
