"""One DAG for each started execution: who has one, and what it looks like."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from airflow.sdk import TriggerRule
from psycopg import OperationalError

from include.upgrades.domain.execution import Execution, Strategy, dag_id_of
from include.upgrades.domain.shards import SHARDS, shard_key
from include.upgrades.domain.states import ExecutionStatus
from include.upgrades.flow.factory import build_dags
from tests.dags.conftest import Add, point_to
from tests.unit.domain.builders import make_request, planned

CHECKS = [
    f"validate.{name}"
    for name in (
        "version_compatibility",
        "resource_availability",
        "backup_verification",
        "health_endpoints",
        "dependency_check",
    )
]
BATCHES = [f"batch_00{number}.upgrade" for number in (1, 2, 3)]


def _started(executions: Add, **fields: Any) -> Execution:
    values = {"status": ExecutionStatus.VALIDATING, "started_at": datetime.now(UTC)} | fields
    return executions(**values)


def _shard(execution: Execution) -> int:
    return shard_key(execution.id) % SHARDS


def _dag(execution: Execution) -> Any:
    return build_dags(_shard(execution))[execution.dag_id]


def _edges(dag: Any) -> dict[str, set[str]]:
    return {task.task_id: task.downstream_task_ids for task in dag.tasks}


def test_started_execution_has_the_dag_of_its_plan(executions: Add) -> None:
    edges = _edges(_dag(_started(executions)))
    assert {each: edges[each] for each in CHECKS} == {each: {"admit"} for each in CHECKS}
    chain = ["admit", *BATCHES, "verify", "outcome"]
    assert [edges[each] for each in chain[:-1]] == [{each} for each in chain[1:]]
    assert edges["outcome"] == {"complete", "end", "rollback.revert"}
    assert edges["rollback.revert"] == {"rollback.confirm"}
    assert edges["complete"] == edges["end"] == edges["rollback.confirm"] == set()
    assert set(edges) == {*CHECKS, *chain, "complete", "end", "rollback.revert", "rollback.confirm"}


def test_tasks_that_must_be_reached_are_reached_whatever_came_before(executions: Add) -> None:
    dag = _dag(_started(executions))
    rules = {task.task_id: task.trigger_rule for task in dag.tasks}
    assert rules["admit"] == rules["outcome"] == TriggerRule.ALL_DONE
    assert rules["rollback.confirm"] == TriggerRule.NONE_SKIPPED
    others = {rule for name, rule in rules.items() if name not in ("admit", "outcome", "rollback.confirm")}
    assert others == {TriggerRule.ALL_SUCCESS}


def test_dag_runs_once_by_itself_as_soon_as_it_is_there(executions: Add) -> None:
    dag = _dag(_started(executions))
    assert (dag.schedule, dag.is_paused_upon_creation, dag.catchup, dag.max_active_runs) == ("@once", False, False, 1)
    assert dag.start_date < datetime.now(UTC)
    assert all(task.retries > 0 for task in dag.tasks)


def test_dag_says_what_it_upgrades_for_whom(executions: Add) -> None:
    execution = _started(executions)
    dag = _dag(execution)
    assert dag.dag_display_name == f"aaa-111 3.6.0 → 3.7.0 · {execution.tenant_id} · ROLLING"
    assert dag.tags == {"upgrade", f"tenant:{execution.tenant_id}", "component:aaa-111", "ROLLING"}
    assert execution.id in dag.doc_md


def test_batches_carry_their_numbers_to_the_runner(executions: Add) -> None:
    execution = _started(executions)
    dag = _dag(execution)
    assert [dag.get_task(each).batch for each in BATCHES] == [1, 2, 3]
    assert dag.get_task("rollback.revert").batch == 0
    assert {task.execution_id for task in dag.tasks if hasattr(task, "execution_id")} == {execution.id}


def test_canaries_are_deployed_and_watched_before_the_rest(executions: Add) -> None:
    plan = planned(5, strategy=Strategy.CANARY, canary_percentage=40, batch_size=2)
    dag = _dag(_started(executions, plan=plan, request=make_request(strategy=Strategy.CANARY)))
    edges = _edges(dag)
    chain = ["admit", "canary.deploy", "canary.monitor", "batch_002.upgrade", "batch_003.upgrade", "verify", "outcome"]
    assert [edges[each] for each in chain[:-1]] == [{each} for each in chain[1:]]
    assert dag.get_task("canary.monitor").inline_seconds == 0  # a wait of hours never holds a worker


def test_green_pool_is_made_and_checked_before_the_switch_and_blue_goes_last(executions: Add) -> None:
    plan = planned(5, strategy=Strategy.BLUE_GREEN)
    dag = _dag(_started(executions, plan=plan, request=make_request(strategy=Strategy.BLUE_GREEN)))
    edges = _edges(dag)
    chain = ["admit", "green.provision", "green.check", "switch_traffic", "soak", "retire_blue", "verify", "outcome"]
    assert [edges[each] for each in chain[:-1]] == [{each} for each in chain[1:]]
    works = [dag.get_task(each).work.value for each in chain[1:-2]]
    assert works == ["batch", "check-green", "switch-traffic", "soak", "retire-blue"]


def test_every_stage_but_the_first_is_asked_about_before_it(executions: Add) -> None:
    plan = planned(5, strategy=Strategy.STAGED, batch_size=2)
    dag = _dag(_started(executions, plan=plan, request=make_request(strategy=Strategy.STAGED)))
    edges = _edges(dag)
    chain = ["admit", "stage_01.upgrade"]
    chain += [f"stage_0{each}.{task}" for each in (2, 3) for task in ("approve", "upgrade")]
    chain += ["verify", "outcome"]
    assert [edges[each] for each in chain[:-1]] == [{each} for each in chain[1:]]
    for stage in (2, 3):
        approve = dag.get_task(f"stage_0{stage}.approve")
        assert (approve.stage, approve.defaults, approve.response_timeout) == (stage, None, None)
        assert dag.get_task(f"stage_0{stage}.upgrade").batch == stage


def test_everything_at_once_is_one_batch(executions: Add) -> None:
    plan = planned(5, strategy=Strategy.RECREATE)
    edges = _edges(_dag(_started(executions, plan=plan, request=make_request(strategy=Strategy.RECREATE))))
    assert edges["admit"] == {"batch_001.upgrade"}
    assert edges["batch_001.upgrade"] == {"verify"}


def test_pending_execution_has_no_dag(executions: Add) -> None:
    pending, started = executions(), _started(executions)
    found = {name for shard in range(SHARDS) for name in build_dags(shard)}
    assert found == {started.dag_id}
    assert pending.dag_id not in found


def test_every_started_execution_is_born_in_exactly_one_shard(executions: Add) -> None:
    made = sorted(_started(executions).dag_id for _ in range(20))
    assert sorted(name for shard in range(SHARDS) for name in build_dags(shard)) == made


@pytest.mark.parametrize(("days", "kept"), [(6.9, True), (7.1, False)])
def test_finished_execution_keeps_its_dag_for_a_while(executions: Add, days: float, kept: bool) -> None:
    ended = datetime.now(UTC) - timedelta(days=days)
    status = {"status": ExecutionStatus.COMPLETED, "completed_at": ended, "settled_at": ended}
    execution = _started(executions, started_at=ended, **status)
    assert (execution.dag_id in build_dags(_shard(execution))) is kept


def test_execution_that_still_holds_its_place_keeps_its_dag(executions: Add) -> None:
    ended = datetime.now(UTC) - timedelta(days=30)
    execution = _started(executions, status=ExecutionStatus.FAILED, started_at=ended, completed_at=ended)
    assert execution.dag_id in build_dags(_shard(execution))


def test_retention_is_a_setting(executions: Add, monkeypatch: pytest.MonkeyPatch) -> None:
    ended = datetime.now(UTC) - timedelta(hours=2)
    execution = _started(
        executions, status=ExecutionStatus.FAILED, started_at=ended, completed_at=ended, settled_at=ended
    )
    monkeypatch.setenv("UPGRADES_DAG_RETENTION_DAYS", "0.125")
    assert execution.dag_id in build_dags(_shard(execution))
    monkeypatch.setenv("UPGRADES_DAG_RETENTION_DAYS", "0.0625")
    assert build_dags(_shard(execution)) == {}


def test_only_the_dag_that_airflow_names_is_built(executions: Add, monkeypatch: pytest.MonkeyPatch) -> None:
    made = [_started(executions) for _ in range(SHARDS + 1)]
    # more executions than shards: two of them share one
    named, shard = next((each, _shard(each)) for each in made if len(build_dags(_shard(each))) > 1)
    monkeypatch.setenv("_AIRFLOW_PARSING_CONTEXT_DAG_ID", named.dag_id)
    assert set(build_dags(shard)) == {named.dag_id}
    monkeypatch.setenv("_AIRFLOW_PARSING_CONTEXT_DAG_ID", "somebody_elses_dag")
    assert build_dags(shard) == {}
    monkeypatch.setenv("_AIRFLOW_PARSING_CONTEXT_DAG_ID", dag_id_of("nobody"))
    assert build_dags(shard) == {}


def test_dag_of_a_run_that_lasts_beyond_its_retention_is_still_built_when_named(
    executions: Add, monkeypatch: pytest.MonkeyPatch
) -> None:
    ended = datetime.now(UTC) - timedelta(days=30)
    execution = _started(executions, started_at=ended, completed_at=ended, status=ExecutionStatus.FAILED)
    monkeypatch.setenv("_AIRFLOW_PARSING_CONTEXT_DAG_ID", execution.dag_id)
    assert set(build_dags(_shard(execution))) == {execution.dag_id}


def test_database_that_is_away_raises_instead_of_taking_every_dag_for_gone(
    executions: Add, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    execution = _started(executions)
    point_to(database.rsplit("/", 1)[0] + "/no_such_database", monkeypatch)
    with pytest.raises(OperationalError):
        build_dags(_shard(execution))


def test_connection_that_is_missing_raises(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UPGRADES_DB_CONN_ID", "no_such_connection")
    monkeypatch.setenv("AIRFLOW_CONN_NO_SUCH_CONNECTION", "{}")
    with pytest.raises(Exception):  # noqa: B017 - whatever it is: a file that fails keeps its DAGs
        build_dags(0)
