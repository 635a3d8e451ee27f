"""A user of each role drives Airflow's Graph of an upgrade and our pages, in a real browser."""

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Page, Response, expect

from tests.browser.browsing import Visits, browser, visiting
from tests.integration.web.fab.conftest import Fab
from tests.integration.web.fab.test_dag_rights import OURS, READERS

__all__ = ["browser"]

pytestmark = pytest.mark.timeout(900)
VIEW = "/api/v1/registry/view"
CALLS = (
    *("/api/v2/dags/{dag}", "/api/v2/dags/{dag}/details", "/api/v2/dags/{dag}/dagVersions", "/api/v2/dags/{dag}/tasks"),
    *("/api/v2/dags/{dag}/dagRuns", "/api/v2/dags/{dag}/dagRuns/~/taskInstances", "/api/v2/dagSources/{dag}"),
    *("/api/v2/dags/{dag}/dagRuns/~/hitlDetails", "/api/v2/dagWarnings?dag_id={dag}", "/api/v2/plugins"),
    *("/ui/structure/structure_data?dag_id={dag}", "/ui/grid/structure/{dag}"),
    *("/ui/grid/runs/{dag}", "/ui/dags/{dag}/latest_run", "/ui/dags", "/ui/auth/menus", "/ui/config"),
)
NOT_OURS = ("/api/v2/importErrors", "/api/v2/assets/events")
"""What Airflow's pages ask for as well, in vain: these would show what belongs to other teams, since FAB knows no right
on a single one."""


@pytest.fixture
def visits(browser: Browser, fab: Fab) -> Iterator[Visits]:
    with visiting(Visits(browser, fab.airflow.url, fab.token)) as made:
        yield made


@pytest.mark.parametrize("name", READERS)
def test_role_may_make_the_calls_of_the_graph_and_of_the_tabs(fab: Fab, name: str) -> None:
    with fab.of(name) as client:
        asked = {each: client.get(each.format(dag=fab.dag_id)).status_code for each in CALLS}
        assert {each: status for each, status in asked.items() if status != 200} == {}
        structure = client.get("/ui/structure/structure_data", params={"dag_id": fab.dag_id}).json()
        assert "rollback" in {each["id"] for each in structure["nodes"]}


def refusals(page: Page) -> list[str]:
    found: list[str] = []

    def note(response: Response) -> None:
        if response.status >= 400 and urlsplit(response.url).path not in NOT_OURS:
            found.append(f"{response.status} {response.url}")

    page.on("response", note)
    return found


@pytest.mark.parametrize("name", READERS)
def test_role_opens_graph_and_pages_in_the_browser_without_a_refusal(
    fab: Fab, visits: Visits, name: str, tmp_path: Path
) -> None:
    page = visits.of(name)
    refused = refusals(page)
    page.goto(f"/dags/{fab.dag_id}")
    page.get_by_role("button", name="Show Graph").click()
    for node in ("validate", "verify", "rollback"):
        expect(page.locator(".react-flow__node", has_text=node).first).to_be_visible()
    page.goto(f"/dags/{fab.dag_id}/plugin/upgrade")
    expect(page.frame_locator("iframe").get_by_role("heading", level=1)).to_be_visible()
    for each in (f"{VIEW}/upgrades", f"{VIEW}/dags/{fab.dag_id}"):
        page.goto(each)
        expect(page.get_by_role("heading", level=1)).to_be_visible()
    assert refused == []


@pytest.mark.parametrize("name", OURS)
def test_tab_on_a_dag_of_another_team_says_kindly_that_it_is_no_upgrade(fab: Fab, visits: Visits, name: str) -> None:
    page = visits.of(name)
    page.goto(f"{VIEW}/dags/team_dag")
    expect(page.get_by_role("heading", level=1)).to_have_text("This DAG is not an upgrade")
