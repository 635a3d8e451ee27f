"""The tasks that start in the triggerer: what Airflow stores of them, and the triggers made from it."""

import json
from typing import Any

import pytest
from airflow.models.trigger import Trigger
from airflow.sdk.exceptions import AirflowFailException, TaskDeferred
from airflow.sdk.module_loading import import_string
from airflow.serialization.serialized_objects import DagSerialization, LazyDeserializedDAG

from upgrade_orchestrator.adapters.postgres.executions.dag_specs import DagSpec
from upgrade_orchestrator.flow.upgrade.factory import build_dag

BATCHES = {
    "ROLLING": ((1, "BATCH"), (2, "BATCH")),
    "CANARY": ((1, "CANARY"), (2, "BATCH")),
    "BLUE_GREEN": ((1, "GREEN"),),
    "RECREATE": ((1, "ALL"),),
    "STAGED": ((1, "STAGE"), (2, "STAGE")),
}


def _dag(strategy: str = "ROLLING") -> Any:
    return build_dag(DagSpec("e-1", "t-1", "aaa-111", strategy, "3.6.0", "3.7.0", BATCHES[strategy]))


def _triggered(dag: Any) -> dict[str, Any]:
    return {task.task_id: task for task in dag.tasks if task.start_from_trigger}


@pytest.mark.parametrize("strategy", BATCHES)
def test_triggerer_can_make_each_trigger_from_its_serialized_task(strategy: str) -> None:
    dag = _dag(strategy)
    stored = json.loads(json.dumps(LazyDeserializedDAG.from_dag(dag).data))
    kept = _triggered(DagSerialization.from_dict(stored))
    assert set(kept) == set(_triggered(dag))
    for task_id, task in kept.items():
        args = task.start_trigger_args
        row = Trigger(args.trigger_cls, args.trigger_kwargs)
        trigger = import_string(row.classpath)(**row.kwargs)
        assert trigger.serialize() == (row.classpath, row.kwargs), task_id
        assert trigger.serialize() == dag.get_task(task_id).trigger.serialize()
        assert trigger.execution_id == "e-1"
        assert (args.next_kwargs, args.timeout) == (None, None)


def test_each_check_and_each_step_but_the_first_and_the_verification_starts_in_the_triggerer() -> None:
    dag = _dag("CANARY")
    others = {task.task_id for task in dag.tasks} - set(_triggered(dag))
    assert others == {"canary.deploy", "admit", "verify", "outcome", "complete", "rollback.rolled_back"}


def test_approval_of_a_stage_is_requested_in_a_worker() -> None:
    assert "stage_02.approve" not in _triggered(_dag("STAGED"))


def test_triggers_of_checks_and_steps_carry_their_execution_check_and_step() -> None:
    tasks = _triggered(_dag("BLUE_GREEN"))
    checks = {name: task.trigger.check for name, task in tasks.items() if name.startswith("validate.")}
    assert all(name == f"validate.{check.lower()}" for name, check in checks.items())
    works = {name: task.trigger.kind for name, task in tasks.items() if name not in checks}
    assert works == {
        "green.check": "check-green",
        "switch_traffic": "switch-traffic",
        "soak": "soak",
        "retire_blue": "retire-blue",
        "end": "end",
        "rollback.revert": "revert",
        "rollback.confirm": "confirm",
    }


@pytest.mark.parametrize("task_id", ["validate.backup_verification", "canary.monitor", "end"])
def test_failure_of_a_triggered_task_is_not_retried_and_gives_the_reason(task_id: str) -> None:
    task = _triggered(_dag("CANARY"))[task_id]
    with pytest.raises(AirflowFailException, match="the execution is FAILED: too many"):
        getattr(task, task.start_trigger_args.next_method)({}, event="the execution is FAILED: too many")


def test_task_run_without_a_scheduler_waits_for_the_same_trigger() -> None:
    task = _triggered(_dag("CANARY"))["canary.monitor"]
    with pytest.raises(TaskDeferred) as deferred:
        task.execute({})
    assert deferred.value.trigger.serialize() == (
        task.start_trigger_args.trigger_cls,
        task.start_trigger_args.trigger_kwargs,
    )
    assert deferred.value.method_name == task.start_trigger_args.next_method


@pytest.mark.parametrize(
    ("strategy", "task_id"),
    [("CANARY", "canary.deploy"), ("BLUE_GREEN", "green.provision"), ("STAGED", "stage_01.upgrade")],
)
def test_first_step_that_a_worker_deferred_continues_in_a_trigger_and_fails_as_the_others_do(
    strategy: str, task_id: str
) -> None:
    task = _dag(strategy).get_task(task_id)
    classpath, arguments = task.trigger.serialize()
    assert import_string(classpath)(**json.loads(json.dumps(arguments))).serialize() == (classpath, arguments)
    assert (task.trigger.kind, task.trigger.batch, task.start_from_trigger) == ("batch", 1, False)
    with pytest.raises(AirflowFailException, match="the execution is FAILED: too many"):
        task.fail({}, event="the execution is FAILED: too many")
