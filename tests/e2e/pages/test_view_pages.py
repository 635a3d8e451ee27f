"""Every page, light, dark and narrow: axe-core finds nothing serious; UPDATE_SCREENSHOTS=1 renews docs/images/."""

import os
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from local.ports import HOST
from tests.browser.accessible import problems
from tests.browser.browsing import Scheme, Visits
from tests.e2e.conftest import NewTenant
from tests.e2e.pages.user_actions import VIEW, Mouse, expect_status, give, open_upgrade
from tests.e2e.steps import COMPONENT, NEW, OLD, Tenant
from tests.e2e.users import PASSWORD
from tests.shared_stack import ROOT
from upgrade_orchestrator.domain.execution.execution import dag_id_of
from upgrade_orchestrator.web.app import URL_PREFIX

PICTURES = ROOT / "docs" / "images"
WANTED = os.environ.get("UPDATE_SCREENSHOTS") == "1"
SCHEMES: list[Scheme] = ["light", "dark"]
_CALL = """async (path) => {
  const headers = { "Content-Type": "application/json" };
  return (await fetch(path, { method: "POST", headers, body: "{}" })).status;
}"""

_BACKGROUNDS = """() => {
  const colour = (page) => page.defaultView.getComputedStyle(page.body).backgroundColor;
  const frame = document.querySelector("iframe").contentDocument;
  return [getComputedStyle(document.documentElement).backgroundColor, colour(frame)];
}"""
"Of Airflow's page and of the one in its frame."
_WATCH_WHAT_GOES = """
  window.gone = [];
  const note = (change) => change.removedNodes.forEach((each) => each.nodeType === 1 && gone.push(each.outerHTML));
  addEventListener("DOMContentLoaded", () => {
    const watch = new MutationObserver((changes) => changes.forEach(note));
    watch.observe(document.getElementById("part"), { subtree: true, childList: true });
  });"""
"Collects every element that leaves the page's content, also one that is only moved."


@dataclass(frozen=True)
class Shown:
    """A tenant with a finished upgrade, one whose canary waits to be promoted, and one without any."""

    tenant: Tenant
    done: str
    watched: str
    fresh: Tenant


@pytest.fixture(scope="module")
def shown(new_tenant: NewTenant) -> Shown:
    tenant, other, fresh = new_tenant(), new_tenant(size=12), new_tenant(size=10)
    done = tenant.start(batchSize=4, maxUnavailablePercentage=100)
    watched = other.start(
        strategy="CANARY", canaryPercentage=25, batchSize=3, maxUnavailablePercentage=50, initiatedBy="night shift"
    )
    tenant.wait_until(done, "COMPLETED")
    other.wait_until(watched, "CANARY_MONITORING")
    return Shown(tenant, done, watched, fresh)


def take(page: Page, name: str, scheme: Scheme) -> None:
    """A screenshot for the documentation, on request; run alone, so that this file's upgrades are the only ones."""
    if WANTED:
        PICTURES.mkdir(parents=True, exist_ok=True)
        page.set_viewport_size({"width": 1000, "height": 640})
        page.evaluate("() => { document.activeElement.blur(); scrollTo(0, 0); }")
        page.screenshot(path=Path(PICTURES / f"{name}-{scheme}.png"), animations="disabled", scale="css")


@pytest.mark.parametrize("scheme", SCHEMES)
def test_list_page_is_accessible(visits: Visits, shown: Shown, scheme: Scheme) -> None:
    page = visits.of("otto", scheme)
    page.goto(f"{VIEW}/upgrades")
    expect(page.locator(f"[id='row-{shown.watched}']")).to_contain_text("Canary monitoring")
    expect(page.locator("#live")).to_have_text("Live")
    assert problems(page) == []
    take(page, "list", scheme)


@pytest.mark.parametrize("scheme", SCHEMES)
def test_execution_page_is_accessible(visits: Visits, shown: Shown, scheme: Scheme) -> None:
    page = visits.of("otto", scheme)
    open_upgrade(page, shown.done)
    expect_status(page, "COMPLETED")
    assert problems(page) == []
    open_upgrade(page, shown.watched)
    expect(page.locator("#canary")).to_contain_text("Healthy at the last check")
    expect(page.locator("#live")).to_have_text("Live")
    page.locator("details.tile summary").first.click()
    assert problems(page) == []
    take(page, "upgrade", scheme)
    page.locator("#button-cancel").click()
    expect(page.locator("dialog[open]")).to_be_visible()
    assert problems(page) == []


def test_update_of_the_page_keeps_layout_clicks_and_focus(visits: Visits, shown: Shown) -> None:
    page = visits.of("otto")
    page.add_init_script(_WATCH_WHAT_GOES)
    open_upgrade(page, shown.done)
    expect(page.locator("#live")).to_have_text("Ended")  # announced after an update
    assert page.evaluate("gone") == []


@pytest.mark.parametrize("scheme", SCHEMES)
def test_create_page_is_accessible(visits: Visits, shown: Shown, scheme: Scheme) -> None:
    page = visits.of("otto", scheme)
    page.goto(f"{VIEW}/upgrades/new?tenant={shown.fresh.id}&component={COMPONENT}")
    expect(page.locator("[name=fromVersionId]")).to_have_value(OLD)
    page.locator("[name=toVersionId]").select_option(NEW)
    expect(page.locator("#preview")).to_contain_text("Blockers")
    assert problems(page) == []
    page.locator("[name=strategy]").select_option("CANARY")
    page.locator("[name=canaryPercentage]").fill("20")
    page.locator("[name=batchSize]").fill("4")
    page.locator("[name=installedComponents]").fill("kafka 3.6.0\npostgresql 16.1")
    expect(page.locator("#preview-state")).to_contain_text("It can start")
    assert problems(page) == []
    take(page, "create", scheme)


@pytest.mark.parametrize("scheme", SCHEMES)
def test_statistics_page_is_accessible(visits: Visits, shown: Shown, scheme: Scheme) -> None:
    page = visits.of("otto", scheme)
    open_upgrade(page, shown.done)
    page.get_by_role("link", name=shown.tenant.id, exact=True).click()
    expect(page.get_by_role("heading", level=1)).to_have_text(f"Tenant {shown.tenant.id}: upgrade statistics")
    expect(page.get_by_role("img")).to_have_count(4)
    assert problems(page) == []
    page.go_back()
    page.get_by_role("link", name="statistics", exact=True).click()
    expect(page.get_by_role("heading", level=1)).to_have_text(f"Component {COMPONENT}: upgrade statistics")
    assert problems(page) == []
    take(page, "statistics", scheme)


@pytest.mark.parametrize("scheme", SCHEMES)
def test_reference_page_is_accessible(visits: Visits, shown: Shown, scheme: Scheme) -> None:
    page = visits.of("vera", scheme)
    page.goto(f"{VIEW}/upgrades")
    page.get_by_role("link", name="API reference").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Upgrade Orchestrator: API reference")
    page.get_by_text("/upgrades/{executionId}/pause").click()
    expect(page.locator("details[open]")).to_contain_text("INVALID_STATE")
    assert problems(page) == []


@pytest.mark.parametrize("scheme", SCHEMES)
def test_refusal_page_is_accessible(visits: Visits, scheme: Scheme) -> None:
    page = visits.of("vera", scheme)
    page.goto(f"{VIEW}/upgrades/there-is-none")
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    assert problems(page) == []


def test_user_who_signs_in_on_airflows_page_sees_the_upgrades(visits: Visits) -> None:
    page, own = visits.stranger(), visits.url.replace(HOST, "localhost")  # where Airflow shows it
    answer = page.goto(f"{own}{VIEW}/upgrades")
    assert answer is not None
    assert answer.status == 401
    page.goto(f"{own}/auth/login/")
    page.get_by_label("Username").fill("otto")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign In").click()
    expect(page.get_by_role("link", name="Dags", exact=True)).to_be_visible()  # Airflow's own page has loaded
    page.goto(f"{own}{VIEW}/upgrades")
    expect(page.get_by_role("link", name="New upgrade")).to_be_visible()


def test_viewer_without_permission_sees_no_buttons_and_is_refused(visits: Visits, shown: Shown) -> None:
    page = visits.of("vera")
    open_upgrade(page, shown.watched)
    expect_status(page, "CANARY_MONITORING")
    expect(page.locator("#tiles-1")).to_be_visible()
    assert page.locator("main button, main dialog").count() == 0
    for command in ("pause", "cancel", "rollback", "promote-canary", "stages/1/approve"):
        assert page.evaluate(_CALL, f"{URL_PREFIX}/upgrades/{shown.watched}/{command}") == 403
    page.goto(f"{VIEW}/upgrades")
    assert page.get_by_role("link", name="New upgrade").count() == 0
    answer = page.goto(f"{VIEW}/upgrades/new")
    assert answer is not None
    assert answer.status == 403


def test_refused_command_is_explained_on_the_page(visits: Visits, shown: Shown) -> None:
    page = visits.of("otto")
    open_upgrade(page, shown.watched)
    page.route("**/cancel?*", lambda route: route.fulfill(status=409, json={"detail": "cannot be cancelled now"}))
    give(Mouse(page), "cancel", "wrong night")
    expect(page.locator("dialog[open] .error")).to_contain_text("cannot be cancelled now")
    assert COMPONENT in page.title()


@pytest.mark.parametrize("path", ["upgrades", "upgrades/{done}", "upgrades/new", "components/aaa-111/statistics"])
def test_page_fits_a_narrow_screen(visits: Visits, shown: Shown, path: str) -> None:
    page = visits.of("otto", width=360)
    page.goto(f"{VIEW}/{path.format(done=shown.done)}")
    expect(page.get_by_role("heading", level=1)).to_be_attached()
    assert page.evaluate("() => document.documentElement.scrollWidth") <= 360


def test_list_page_is_linked_in_airflows_navigation(visits: Visits, shown: Shown) -> None:
    page = visits.of("otto")
    page.goto("/plugin/upgrades")
    frame = page.frame_locator("iframe")
    frame.locator("[name=text]").fill(shown.watched)  # other tests' upgrades may fill the first page
    frame.locator("[name=text]").press("Enter")
    expect(frame.locator(f"[id='row-{shown.watched}']")).to_contain_text("Canary monitoring")


@pytest.mark.parametrize("scheme", SCHEMES)
def test_page_in_airflows_frame_has_its_colours_and_no_second_scroll_bar(
    visits: Visits, shown: Shown, scheme: Scheme
) -> None:
    page = visits.of("otto", scheme)
    page.goto("/plugin/upgrades")
    expect(page.frame_locator("iframe").locator("#rows")).to_be_visible()
    outer, inner = page.evaluate(_BACKGROUNDS)
    assert outer == inner
    assert page.evaluate("() => document.documentElement.scrollHeight <= innerHeight")


def test_expired_session_in_the_frame_leads_to_airflows_login(visits: Visits, shown: Shown) -> None:
    page = visits.of("otto")
    page.goto("/plugin/upgrades")
    expect(page.frame_locator("iframe").locator("#rows")).to_be_visible()
    page.context.clear_cookies()
    page.frame_locator("iframe").get_by_role("button", name="Filter").click()
    page.frame_locator("iframe").get_by_role("link", name="Sign in").click()
    expect(page.get_by_label("Password")).to_be_visible()  # the login page, in place of the whole tab
    assert "plugin%2Fupgrades" in page.url or "plugin/upgrades" in page.url


def test_tab_of_another_dag_leads_back_to_it(visits: Visits, shown: Shown) -> None:
    page = visits.of("otto")
    page.goto(f"{VIEW}/dags/nightly_report")
    expect(page.get_by_role("heading", level=1)).to_have_text("This DAG is not an upgrade")
    assert problems(page) == []
    page.get_by_role("link", name="Back to the DAG").click()
    page.wait_for_url("**/dags/nightly_report")


def test_search_is_reached_by_its_key_and_the_first_row_by_tab(visits: Visits, shown: Shown) -> None:
    page = visits.of("otto")
    page.goto(f"{VIEW}/upgrades")
    page.keyboard.press("/")
    expect(page.locator("#search")).to_be_focused()
    page.keyboard.type(shown.watched)
    page.keyboard.press("Enter")
    page.wait_for_url("**text=*")
    page.locator("#counts a").last.focus()
    page.keyboard.press("Tab")
    expect(page.locator(f"[id='row-{shown.watched}'] .name")).to_be_focused()


def test_links_of_the_run_tab_leave_the_frame_and_open_airflows_pages(visits: Visits, shown: Shown) -> None:
    page, dag_id = visits.of("otto"), dag_id_of(shown.done)
    scripts = "**/static/view.js"
    page.route(
        scripts, lambda route: route.fulfill(content_type="text/javascript", body="")
    )  # clicked before it was ready
    page.goto(f"/dags/{dag_id}/plugin/upgrade")
    page.frame_locator("iframe").get_by_role("link", name="DAG run in Airflow").click()
    page.wait_for_url(f"**/dags/{dag_id}/runs/*")
    page.unroute(scripts)
    run = page.url
    page.goto(f"{run}/plugin/upgrade_run")
    page.frame_locator("iframe").get_by_role("link", name="task log").first.click()
    page.wait_for_url(f"{run}/tasks/batch_001.upgrade*")
    expect(page.locator("iframe")).to_have_count(0)
