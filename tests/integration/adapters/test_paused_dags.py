"""DAGs are paused and unpaused in Airflow's own tables, as a person's switch in its UI does."""

from collections.abc import Iterator

import pytest
from sqlalchemy import delete, insert, select

from tests.integration.adapters.conftest import OTHERS, OURS, Sessions
from upgrade_orchestrator.adapters.airflow.runs import AirflowRuns


@pytest.fixture
def dags(sessions: Sessions) -> Iterator[dict[str, bool]]:
    """Two DAGs that are not paused."""
    from airflow.models.dag import DagModel
    from airflow.models.dagbundle import DagBundleModel

    table = DagModel.__table__
    values = {"bundle_name": "dags", "is_stale": False, "max_active_tasks": 1, "max_active_runs": 1}
    values |= {"max_consecutive_failed_dag_runs": 0, "has_task_concurrency_limits": False, "has_import_errors": False}
    found = dict.fromkeys((OURS, OTHERS), False)
    with sessions() as session:
        session.execute(insert(DagBundleModel.__table__).values(name="dags", active=True))
        for dag_id, paused in found.items():
            session.execute(insert(table).values(dag_id=dag_id, is_paused=paused, **values))
    yield found
    with sessions() as session:
        session.execute(delete(table))
        session.execute(delete(DagBundleModel.__table__))


def paused(sessions: Sessions) -> dict[str, bool]:
    from airflow.models.dag import DagModel

    with sessions() as session:
        return {row.dag_id: row.is_paused for row in session.execute(select(DagModel.dag_id, DagModel.is_paused))}


# fault 48
async def test_dag_is_paused_and_unpaused_and_no_other(sessions: Sessions, dags: dict[str, bool]) -> None:
    runs = AirflowRuns()
    for _ in range(2):  # repeating changes nothing
        await runs.pause(OURS)
        assert paused(sessions) == dags | {OURS: True}
        assert (await runs.read([OURS]))[OURS].paused
    await runs.unpause(OURS)
    assert paused(sessions) == dags


async def test_dag_that_airflow_does_not_have_is_no_error(sessions: Sessions, dags: dict[str, bool]) -> None:
    await AirflowRuns().pause("upgrade__unknown")
    assert paused(sessions) == dags
