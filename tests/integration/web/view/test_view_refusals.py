"""The headers of every page of the status view, what it refuses in words, and its static files."""

import httpx
import pytest

from tests.integration.web.authentication import Authentication
from tests.integration.web.statuses import Standing, standing
from tests.integration.world import TENANT, World
from upgrade_orchestrator.adapters.airflow.auth.permissions import tenant_roles
from upgrade_orchestrator.domain.errors import Unavailable
from upgrade_orchestrator.domain.execution.states import ExecutionStatus
from upgrade_orchestrator.web.view.pages import HEADERS

HTML = {"Accept": "text/html"}
S = ExecutionStatus


@pytest.fixture
async def staged(api: httpx.AsyncClient, world: World) -> Standing:
    return await standing(api, world, "STAGED")


async def test_every_page_has_the_strict_security_headers(
    api: httpx.AsyncClient, staged: Standing, authentication: Authentication
) -> None:
    no_permissions = authentication.admit("nina", [])
    for path, headers, status in (
        ("/view/upgrades", {}, 200),
        ("/view/board", {}, 200),
        (f"/view/upgrades/{staged.id}", {}, 200),
        (f"/view/upgrades/{staged.id}/fragment", {}, 200),
        ("/view/dags/some_dag", {}, 200),
        ("/view/upgrades/none", {}, 404),
        ("/view/upgrades", no_permissions, 403),
        ("/view/upgrades", {"Authorization": ""}, 401),
    ):
        response = await api.get(path, headers=HTML | headers)
        assert response.status_code == status, path
        assert {name: response.headers[name] for name in HEADERS} == HEADERS, path
        policy = response.headers["Content-Security-Policy"]
        assert "unsafe" not in policy
        assert policy.startswith("default-src 'none'; script-src 'self'; style-src 'self'")


@pytest.mark.parametrize("path", ["", "/fragment"])
@pytest.mark.parametrize("unknown", ["01900000-0000-7000-8000-000000000000", "-no-id", "x" * 65, "<b>"])
async def test_unknown_execution_is_a_404_page_for_people_and_a_problem_for_programs(
    api: httpx.AsyncClient, path: str, unknown: str
) -> None:
    page = await api.get(f"/view/upgrades/{unknown}{path}", headers=HTML)
    assert (page.status_code, "<h1>Not found</h1>" in page.text, "<b>" in page.text) == (404, True, False)
    problem = await api.get(f"/view/upgrades/{unknown}{path}")
    assert (problem.status_code, problem.json()["code"]) == (404, "NOT_FOUND")


async def test_execution_of_another_tenant_looks_like_one_that_does_not_exist(
    api: httpx.AsyncClient, authentication: Authentication, staged: Standing
) -> None:
    stranger = HTML | authentication.admit_to("tom", tenant_roles("another-tenant")["Upgrade Operator another-tenant"])
    hidden = await api.get(f"/view/upgrades/{staged.id}", headers=stranger)
    missing = await api.get("/view/upgrades/none", headers=stranger)
    assert (hidden.status_code, missing.status_code) == (404, 404)
    assert hidden.text.replace(staged.id, "none") == missing.text
    own = HTML | authentication.admit_to("tina", tenant_roles(TENANT)[f"Upgrade Viewer {TENANT}"])
    assert (await api.get(f"/view/upgrades/{staged.id}", headers=own)).status_code == 200


async def test_expired_session_is_a_page_that_explains_how_to_sign_in_without_a_redirect(
    api: httpx.AsyncClient, staged: Standing
) -> None:
    response = await api.get(f"/view/upgrades/{staged.id}", headers=HTML | {"Authorization": ""})
    assert response.status_code == 401
    assert "Reload the whole browser tab" in response.text
    assert "refresh" not in response.text.lower()
    assert "Location" not in response.headers
    assert (await api.get("/view/static/view.css", headers={"Authorization": ""})).status_code == 200


async def test_link_of_a_dag_leads_to_its_execution_page_or_to_an_explanation(
    api: httpx.AsyncClient, staged: Standing
) -> None:
    found = await api.get(f"/view/dags/upgrade__{staged.id}", headers=HTML)
    assert (found.status_code, found.headers["Location"]) == (307, f"../upgrades/{staged.id}")
    other = await api.get("/view/dags/nightly_report", headers=HTML)
    assert (other.status_code, "This DAG is not an upgrade" in other.text) == (200, True)


@pytest.mark.parametrize("evil", ["upgrade__//evil.test", "upgrade__..", "upgrade__%2F%2Fevil.test", "upgrade__\\evil"])
async def test_dag_id_never_redirects_to_another_site(api: httpx.AsyncClient, evil: str) -> None:
    response = await api.get(f"/view/dags/{evil}", headers=HTML)
    assert response.status_code in (200, 404), response.headers
    assert "Location" not in response.headers


async def test_unreachable_database_is_a_503_page_that_says_that_upgrades_continue(
    api: httpx.AsyncClient, world: World, staged: Standing, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def away(*_: object) -> None:
        raise Unavailable("the database does not answer")

    monkeypatch.setattr("upgrade_orchestrator.web.view.execution.page.load_detail", away)
    response = await api.get(f"/view/upgrades/{staged.id}", headers=HTML)
    assert (response.status_code, response.headers["Retry-After"]) == (503, "5")
    assert "Upgrades go on" in response.text


async def test_reading_the_pages_changes_nothing(api: httpx.AsyncClient, staged: Standing) -> None:
    await staged.go(S.IN_PROGRESS)
    before = staged.snapshot()
    for path in (
        "/view/upgrades",
        "/view/board",
        f"/view/upgrades/{staged.id}",
        f"/view/upgrades/{staged.id}/fragment",
    ):
        assert (await api.get(path)).status_code == 200
        assert (await api.post(path)).status_code == 405
    assert staged.snapshot() == before


@pytest.mark.parametrize("name", ["..%2Fpages.py", "none.css", "%2e%2e", "pages.py"])
async def test_unknown_static_file_is_404(api: httpx.AsyncClient, name: str) -> None:
    assert (await api.get(f"/view/static/{name}")).status_code == 404


async def test_static_file_is_revalidated_and_sent_once(api: httpx.AsyncClient) -> None:
    first = await api.get("/view/static/view.js")
    assert first.headers["Content-Type"].startswith("text/javascript")
    again = await api.get("/view/static/view.js", headers={"If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.content) == (304, b"")
