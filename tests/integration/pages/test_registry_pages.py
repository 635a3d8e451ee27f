"""The registry's pages in a real browser: light, dark, narrow, by keyboard, and with a fleet that is away.

UPDATE_SCREENSHOTS=1 renews its pictures in docs/images/.
"""

import os

import pytest
from playwright.sync_api import Page, Route, expect

from tests.browser.accessible import problems
from tests.browser.browsing import Scheme, Visits
from tests.integration.pages.registries import KAFKA, LONG
from tests.shared_stack import ROOT
from upgrade_orchestrator.web.app import URL_PREFIX

VIEW = f"{URL_PREFIX}/view"
OF_KAFKA = f"{VIEW}/components/{KAFKA}"
ANSWERED = "4 of 4 instances in service: 4 on 3.6.0"


def fleet(page: Page, tenant: str) -> str:
    return f"#deployment-{tenant} [data-fleet]"


def tab_to(page: Page, selector: str) -> None:
    for _ in range(60):
        if page.evaluate("wanted => document.activeElement.matches(wanted)", selector):
            return
        page.keyboard.press("Tab")
    raise AssertionError(f"{selector} cannot be reached with the Tab key")


def take(page: Page, scheme: Scheme) -> None:
    """A picture for the documentation, on request."""
    if os.environ.get("UPDATE_SCREENSHOTS") == "1":
        page.set_viewport_size({"width": 1000, "height": 900})
        page.screenshot(path=ROOT / "docs" / "images" / f"component-{scheme}.png", animations="disabled", scale="css")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_registry_pages_are_accessible(visits: Visits, scheme: Scheme) -> None:
    page = visits.of("admin", scheme)
    for path in ("components", f"components/{KAFKA}", f"components/{LONG}", f"tenants/acme/components/{KAFKA}/fleet"):
        page.goto(f"{VIEW}/{path}")
        expect(page.get_by_role("heading", level=1)).to_be_attached()
        expect(page.get_by_text("asking …")).to_have_count(0)
        assert problems(page) == []
        if path == f"components/{KAFKA}":
            take(page, scheme)
    assert not [each for each in visits.console if "Content Security Policy" in each]


@pytest.mark.parametrize("path", ["components", f"components/{KAFKA}", f"components/{LONG}"])
def test_registry_page_fits_a_narrow_screen(visits: Visits, path: str) -> None:
    page = visits.of("admin", width=360)
    page.goto(f"{VIEW}/{path}")
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    assert page.evaluate("() => document.documentElement.scrollWidth") <= 360


def test_fleets_are_shown_as_they_are_now_once_the_page_is_there(visits: Visits) -> None:
    page = visits.of("admin")
    page.goto(OF_KAFKA)
    expect(page.locator(fleet(page, "acme"))).to_have_text(ANSWERED)
    expect(page.locator(fleet(page, "initech"))).to_contain_text("Not known")


def test_mixed_versions_and_the_last_upgrade_are_shown_by_tenant(visits: Visits) -> None:
    page = visits.of("admin")
    page.goto(OF_KAFKA)
    row = page.locator("#deployment-umbrella")
    expect(row).to_contain_text("3 on 3.6.0")
    expect(row).to_contain_text("Pending")
    expect(row.get_by_role("link", name="New upgrade")).to_have_count(0)
    expect(page.locator("#deployment-acme").get_by_role("link", name="New upgrade")).to_have_count(1)
    row.get_by_role("link", name="3.6.0 → 3.7.0").click()
    page.wait_for_url("**/view/upgrades/*")
    page.locator("#head").get_by_role("link", name=KAFKA, exact=True).click()
    page.wait_for_url(f"**/view/components/{KAFKA}")


def test_fleet_that_does_not_answer_keeps_a_link_and_holds_nothing_back(visits: Visits) -> None:
    page = visits.of("admin")
    held: list[Route] = []
    page.route("**/tenants/acme/components/*/fleet", lambda route: held.append(route))
    page.goto(OF_KAFKA)
    expect(page.locator(fleet(page, "acme"))).to_have_text("asking …")
    expect(page.get_by_role("region", name="Backups", exact=True).first).to_contain_text("acme-nightly")
    held[0].abort()
    expect(page.locator(fleet(page, "acme")).get_by_role("link")).to_have_text("Look")
    expect(page.locator(fleet(page, "globex"))).to_have_text(ANSWERED)


def test_graph_is_used_by_keyboard_and_leads_to_the_table(visits: Visits) -> None:
    page = visits.of("admin")
    page.goto(OF_KAFKA)
    tab_to(page, ".skip-graph")
    expect(page.locator(".skip-graph")).to_be_visible()
    tab_to(page, "a[href='#path-p-36-39']")
    expect(page.locator("a[href='#path-p-36-39']")).to_have_accessible_name(
        "From 3.6.0 to 3.9.1: closed: message format 0.10 has to be raised on 3.7 first, medium risk, not tested"
    )
    page.keyboard.press("Enter")
    expect(page).to_have_url(f"{page.url.split('#')[0]}#path-p-36-39")
    expect(page.locator("#path-p-36-39")).to_be_in_viewport()


def test_registry_page_works_without_scripts(visits: Visits) -> None:
    page = visits.of("admin")
    page.route("**/static/*.js", lambda route: route.abort())
    page.goto(OF_KAFKA)
    expect(page.locator("svg.paths")).to_contain_text("3.7.0")
    page.get_by_role("link", name="Look at the fleet of acme").click()
    expect(page.locator("#look")).to_have_text(ANSWERED)


def test_components_are_reached_from_the_navigation(visits: Visits) -> None:
    page = visits.of("tina")
    page.goto(f"{VIEW}/upgrades")
    page.get_by_role("navigation").get_by_role("link", name="Components").click()
    page.get_by_role("link", name="Apache Kafka").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Apache Kafka")
    expect(page.locator("[data-fleet]")).to_have_count(1)
