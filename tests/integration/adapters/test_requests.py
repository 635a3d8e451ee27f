"""The execution that a run of `upgrade_request` creates is found from the run's row in Airflow's own tables."""

from datetime import UTC, datetime

from sqlalchemy import insert

from tests.integration.adapters.conftest import Sessions
from upgrade_orchestrator.adapters.airflow.requests import requested_by, requested_id

RUN_AFTER = datetime(2026, 5, 17, 10, 0, 0, 123456, tzinfo=UTC)


async def test_run_of_the_request_has_the_id_that_its_task_makes(sessions: Sessions) -> None:
    from airflow.models.dagrun import DagRun

    run = {"run_id": "manual__1", "run_type": "manual", "state": "running", "run_after": RUN_AFTER}
    with sessions() as session:
        session.execute(insert(DagRun.__table__).values(dag_id="upgrade_request", **run))
    assert await requested_by("manual__1") == requested_id("upgrade_request", "manual__1", RUN_AFTER)


async def test_run_that_does_not_exist_or_is_of_another_dag_has_none(sessions: Sessions) -> None:
    assert await requested_by("none") is None
    assert await requested_by("run") is None  # a run of another DAG
