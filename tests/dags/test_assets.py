"""The asset of a completed upgrade: its name, when it is updated, and the example DAG that is scheduled on it."""

import runpy
from collections import defaultdict
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest
from airflow.sdk import Asset
from airflow.sdk.exceptions import AirflowFailException, AirflowSkipException, DownstreamTasksSkipped, TaskDeferred

from tests.architecture.sources import ROOT
from tests.dags.built import dag_of
from tests.dags.conftest import Add
from upgrade_orchestrator.adapters.postgres.executions.dag_specs import DagSpec
from upgrade_orchestrator.domain.execution.execution import Execution
from upgrade_orchestrator.domain.execution.states import ExecutionStatus
from upgrade_orchestrator.flow.upgrade import operators
from upgrade_orchestrator.flow.upgrade.factory import build_dag
from upgrade_orchestrator.service.ports.unit_of_work import Ports
from upgrade_orchestrator.service.runner.context import find_execution
from upgrade_orchestrator.service.runner.outcome import Ending, Outcome

S = ExecutionStatus
EXAMPLE = ROOT / "docs/examples/after_upgrade.py"


@pytest.fixture(autouse=True)
def nothing_to_verify(monkeypatch: pytest.MonkeyPatch) -> None:
    """The verification has ended as the row says."""

    async def done(ports: Ports, execution_id: str, **_: Any) -> tuple[Outcome, Execution]:
        return Outcome(Ending.DONE), await find_execution(ports, execution_id)

    monkeypatch.setattr(operators, "verify_now", done)


def _verify(execution: Execution) -> Any:
    return dag_of(execution).get_task("verify")


class _OutletEvents(defaultdict[str, SimpleNamespace]):
    """The events that a task records for its assets, by name; like Airflow's accessor, it is indexed by the asset."""

    def __getitem__(self, asset: Any) -> SimpleNamespace:
        return super().__getitem__(asset.name)


def _run(task: Any, method: str = "execute") -> tuple[dict[str, Any], set[str]]:
    """The extra that a successful task records for each asset, and the tasks that it skips."""
    recorded = _OutletEvents(SimpleNamespace)
    with pytest.raises(DownstreamTasksSkipped) as ended:
        getattr(task, method)({"outlet_events": recorded})
    return {name: each.extra for name, each in recorded.items()}, set(ended.value.tasks)


def _in(executions: Add, status: S) -> Execution:
    return executions(status=status, started_at=datetime.now(UTC))


@pytest.mark.parametrize("method", ["execute", "resume_after_trigger"])
def test_completed_upgrade_updates_its_asset_and_describes_itself_in_the_event(executions: Add, method: str) -> None:
    execution = _in(executions, S.COMPLETED)
    task = _verify(execution)
    name = f"upgrades/{execution.tenant_id}/aaa-111"
    assert task.outlets == [Asset(name=name, uri=name)]
    assert _run(task, method)[0] == {
        name: {
            "executionId": execution.id,
            "tenantId": execution.tenant_id,
            "componentId": "aaa-111",
            "strategy": "ROLLING",
            "fromVersionId": "bbb-222",
            "toVersionId": "ccc-333",
            "fromVersion": "3.6.0",
            "toVersion": "3.7.0",
        }
    }


def test_completed_upgrade_skips_the_tasks_of_other_endings(executions: Add) -> None:
    task = _verify(_in(executions, S.COMPLETED))
    assert _run(task)[1] == {"end", "rollback.revert"}
    assert _run(task)[1] <= {each.task_id for each in task.dag.tasks}


@pytest.mark.parametrize("method", ["execute", "resume_after_trigger"])
@pytest.mark.parametrize("status", [each for each in S if each not in (S.PENDING, S.COMPLETED)])
def test_verification_of_an_upgrade_that_is_not_completed_updates_and_skips_nothing(
    executions: Add, status: S, method: str
) -> None:
    task, recorded = _verify(_in(executions, status)), _OutletEvents(SimpleNamespace)
    with pytest.raises(AirflowFailException if status is S.FAILED else AirflowSkipException, match=status.value):
        getattr(task, method)({"outlet_events": recorded})
    assert not recorded


def test_verification_that_exceeds_its_seconds_in_the_worker_continues_in_the_triggerer(
    executions: Add, monkeypatch: pytest.MonkeyPatch
) -> None:
    execution = _in(executions, S.PAUSED)
    given: list[Any] = []

    async def paused(_: Ports, **what: Any) -> tuple[Outcome, Execution]:
        given.append(what)
        return Outcome(Ending.UNFINISHED), execution

    monkeypatch.setattr(operators, "verify_now", paused)
    monkeypatch.setenv("AIRFLOW__UPGRADES__INLINE_SECONDS", "3")
    with pytest.raises(TaskDeferred) as deferred:
        _verify(execution).execute({})
    assert given == [{"execution_id": execution.id, "seconds": 3}]
    assert deferred.value.trigger.arguments() == {"execution_id": execution.id, "kind": "verify", "batch": 1}
    assert deferred.value.method_name == "resume_after_trigger"


def test_only_the_verification_task_updates_an_asset(executions: Add) -> None:
    dag = dag_of(_in(executions, S.COMPLETED))
    assert [task.task_id for task in dag.tasks if task.outlets] == ["verify"]


@pytest.mark.parametrize("each", ["a", "A-b_c.d", "a" * 64, "550e8400-e29b-41d4-a716-446655440000", "x-y.", "1"])
def test_every_valid_id_gives_an_asset_with_the_documented_name(each: str) -> None:
    spec = DagSpec("e-1", each, each, "ROLLING", "3.6.0", "3.7.0", ((1, "BATCH"),))
    (asset,) = build_dag(spec).get_task("verify").outlets
    assert (asset.name, asset.uri) == (f"upgrades/{each}/{each}", f"upgrades/{each}/{each}")


def test_example_in_the_guide_is_a_dag_scheduled_on_the_asset_of_the_seed() -> None:
    dag = runpy.run_path(str(EXAMPLE))["after_upgrade"]()
    assert dag.timetable.asset_condition == Asset("upgrades/550e8400/aaa-111")
    assert [task.task_id for task in dag.tasks] == ["report"]
