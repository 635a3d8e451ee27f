"""Which executions have a DAG, and where."""

from datetime import UTC, datetime, timedelta

import pytest

from tests.dags.built import shard_of, started
from tests.dags.conftest import Add
from upgrade_orchestrator.domain.airflow.shards import SHARDS
from upgrade_orchestrator.domain.execution.execution import dag_id_of
from upgrade_orchestrator.domain.execution.states import ExecutionStatus
from upgrade_orchestrator.flow.upgrade.factory import build_dags


def test_pending_execution_has_no_dag(executions: Add) -> None:
    pending, begun = executions(), started(executions)
    found = {name for shard in range(SHARDS) for name in build_dags(shard)}
    assert found == {begun.dag_id}
    assert pending.dag_id not in found


def test_every_started_execution_is_in_exactly_one_shard(executions: Add) -> None:
    made = sorted(started(executions).dag_id for _ in range(20))
    assert sorted(name for shard in range(SHARDS) for name in build_dags(shard)) == made


@pytest.mark.parametrize(("days", "kept"), [(6.9, True), (7.1, False)])
def test_finished_execution_keeps_its_dag_for_a_while(executions: Add, days: float, kept: bool) -> None:
    ended = datetime.now(UTC) - timedelta(days=days)
    status = {"status": ExecutionStatus.COMPLETED, "completed_at": ended, "settled_at": ended}
    execution = started(executions, started_at=ended, **status)
    assert (execution.dag_id in build_dags(shard_of(execution))) is kept


def test_execution_that_still_holds_its_active_slot_keeps_its_dag(executions: Add) -> None:
    ended = datetime.now(UTC) - timedelta(days=30)
    execution = started(executions, status=ExecutionStatus.FAILED, started_at=ended, completed_at=ended)
    assert execution.dag_id in build_dags(shard_of(execution))


def test_retention_of_finished_dags_follows_the_setting(executions: Add, monkeypatch: pytest.MonkeyPatch) -> None:
    ended = datetime.now(UTC) - timedelta(hours=2)
    execution = started(
        executions, status=ExecutionStatus.FAILED, started_at=ended, completed_at=ended, settled_at=ended
    )
    monkeypatch.setenv("AIRFLOW__UPGRADES__DAG_RETENTION_DAYS", "0.125")
    assert execution.dag_id in build_dags(shard_of(execution))
    monkeypatch.setenv("AIRFLOW__UPGRADES__DAG_RETENTION_DAYS", "0.0625")
    assert build_dags(shard_of(execution)) == {}


def test_only_the_dag_that_airflow_requests_is_built(executions: Add, monkeypatch: pytest.MonkeyPatch) -> None:
    made = [started(executions) for _ in range(SHARDS + 1)]
    # more executions than shards: two of them share one
    named, shard = next((each, shard_of(each)) for each in made if len(build_dags(shard_of(each))) > 1)
    monkeypatch.setenv("_AIRFLOW_PARSING_CONTEXT_DAG_ID", named.dag_id)
    assert set(build_dags(shard)) == {named.dag_id}
    monkeypatch.setenv("_AIRFLOW_PARSING_CONTEXT_DAG_ID", "another_dag")
    assert build_dags(shard) == {}
    monkeypatch.setenv("_AIRFLOW_PARSING_CONTEXT_DAG_ID", dag_id_of("unknown"))
    assert build_dags(shard) == {}


def test_dag_beyond_its_retention_is_still_built_when_airflow_requests_it_by_id(
    executions: Add, monkeypatch: pytest.MonkeyPatch
) -> None:
    ended = datetime.now(UTC) - timedelta(days=30)
    execution = started(executions, started_at=ended, completed_at=ended, status=ExecutionStatus.FAILED)
    monkeypatch.setenv("_AIRFLOW_PARSING_CONTEXT_DAG_ID", execution.dag_id)
    assert set(build_dags(shard_of(execution))) == {execution.dag_id}
