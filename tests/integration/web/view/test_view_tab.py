"""The tab "Upgrade" of a DAG and of a DAG run in Airflow."""

import httpx
import pytest

from tests.integration.web.statuses import Standing, standing
from tests.integration.web.view.test_view_refusals import HTML
from tests.integration.world import World

RUN = "manual__2026-05-17T10:00:00+00:00"


@pytest.fixture
async def rolling(api: httpx.AsyncClient, world: World) -> Standing:
    return await standing(api, world, "ROLLING")


def created(monkeypatch: pytest.MonkeyPatch, execution_id: str | None) -> list[str]:
    """Airflow's answer to which execution the run creates; the list has the runs that were asked for."""
    asked: list[str] = []

    async def answer(run_id: str) -> str | None:
        asked.append(run_id)
        return execution_id

    monkeypatch.setattr("upgrade_orchestrator.web.view.execution.tab.requested_execution", answer)
    return asked


async def test_run_of_an_upgrade_leads_to_its_page(api: httpx.AsyncClient, rolling: Standing) -> None:
    found = await api.get(f"/view/dags/upgrade__{rolling.id}/runs/{RUN}", headers=HTML)
    assert (found.status_code, found.headers["Location"]) == (307, f"../../../upgrades/{rolling.id}")


async def test_run_that_requested_an_upgrade_leads_to_the_upgrade_that_it_created(
    api: httpx.AsyncClient, rolling: Standing, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = created(monkeypatch, rolling.id)
    found = await api.get(f"/view/dags/upgrade_request/runs/{RUN}", headers=HTML, follow_redirects=True)
    assert (found.status_code, str(found.url).endswith(f"/view/upgrades/{rolling.id}")) == (200, True)
    assert asked == [RUN]


@pytest.mark.parametrize("execution_id", [None, "01900000-0000-7000-8000-000000000000"])
async def test_run_that_has_not_created_an_upgrade_says_where_the_reason_is(
    api: httpx.AsyncClient, execution_id: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    created(monkeypatch, execution_id)
    found = await api.get(f"/view/dags/upgrade_request/runs/{RUN}", headers=HTML)
    assert (found.status_code, "This run has not created an upgrade" in found.text) == (200, True)


async def test_dag_that_requests_upgrades_says_where_its_upgrades_are(api: httpx.AsyncClient) -> None:
    found = await api.get("/view/dags/upgrade_request", headers=HTML)
    assert (found.status_code, "Each run of this DAG requests an upgrade" in found.text) == (200, True)


@pytest.mark.parametrize("path", ["nightly_report", f"nightly_report/runs/{RUN}"])
async def test_dag_of_another_team_gets_a_kind_explanation_without_a_question_to_airflow(
    api: httpx.AsyncClient, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = created(monkeypatch, None)
    found = await api.get(f"/view/dags/{path}", headers=HTML)
    assert (found.status_code, "This DAG is not an upgrade" in found.text, asked) == (200, True, [])
    assert len(found.content) < 4_000
