"""Why nobody works on an execution: each cause is named, and what Airflow does by itself is none."""

from collections.abc import Sequence
from dataclasses import replace
from math import inf
from typing import Any

import pytest

from upgrade_orchestrator.domain.airflow.drift import ExecutionSummary
from upgrade_orchestrator.domain.airflow.stuck import (
    AirflowSight,
    Component,
    Pool,
    RunSight,
    TaskSight,
    stuck,
)
from upgrade_orchestrator.domain.execution.attention import AIRFLOW_CAUSES
from upgrade_orchestrator.domain.execution.states import ExecutionStatus

S = ExecutionStatus
UP, DOWN = Component(3, 30), Component(40, 30)
ALIVE = AirflowSight(scheduler=UP, triggerer=UP, dag_processor=UP)
FILE = "shard_3.py"


def found(
    tasks: Sequence[TaskSight] = (),
    *,
    status: ExecutionStatus = S.IN_PROGRESS,
    sight: AirflowSight = ALIVE,
    run: RunSight | None = None,
    waited: float = 300,
    noted: str | None = None,
) -> str | None:
    """The code of the problem; with ``tasks`` of a running run."""
    run = run or RunSight("running", idle=100, tasks=tasks)
    problem = stuck(ExecutionSummary("e-1", status), waited, sight, run, FILE, noted)
    assert problem is None or problem.code in AIRFLOW_CAUSES
    return problem.code if problem else None


def task(state: str | None, seconds: float = 0, **more: Any) -> TaskSight:
    return replace(TaskSight("batch_002", state, seconds), **more)


NEXT = task(None)


@pytest.mark.parametrize(
    ("waiting", "code"),
    [
        (task("running", 21), "TASK_LOST"),
        (task("running", 19), None),
        (task("queued", 21), "NO_WORKER"),
        (task("queued", 19), None),
        (task("scheduled", 16), "NO_POOL_SLOT"),
        (task("scheduled", 14), None),
        (task("up_for_retry", 1, tries=2), "TASK_FAILING"),
        (task("up_for_retry", 1, tries=1), None),
        (task("deferred", 999), None),
        (task("awaiting_input", 99_999), None),
    ],
)
def test_waiting_task_is_named_only_after_its_limit(waiting: TaskSight, code: str | None) -> None:
    assert found([waiting, NEXT]) == code


def test_task_at_work_makes_up_for_every_other_that_waits() -> None:
    waits = [task("scheduled", 600), task("queued", 600), task("up_for_retry", tries=9), NEXT]
    assert found(waits) is not None
    for at_work in (task("running", 1), task("deferred"), task("awaiting_input")):
        assert found([*waits, at_work]) is None


def test_slow_heartbeats_that_are_configured_lose_no_task() -> None:
    assert found([task("running", 100)], sight=replace(ALIVE, heartbeat=30)) is None
    assert found([task("running", 121)], sight=replace(ALIVE, heartbeat=30)) == "TASK_LOST"


def test_dead_triggerer_is_named_when_a_task_needs_it_and_not_otherwise() -> None:
    dead = replace(ALIVE, triggerer=DOWN)
    assert found([task("deferred"), NEXT], sight=dead) == "TRIGGERER_DOWN"
    assert found([task("deferred"), task("running", 2)], sight=dead) is None
    assert found([task("scheduled", 2)], sight=dead) is None
    assert found([task("deferred")], sight=dead, status=S.CANARY_MONITORING) == "TRIGGERER_DOWN"


def test_dead_scheduler_is_named_when_the_next_task_needs_it_and_not_while_another_task_is_at_work() -> None:
    dead = replace(ALIVE, scheduler=DOWN)
    assert found([NEXT], sight=dead) == "SCHEDULER_DOWN"
    assert found([task("scheduled", 1)], sight=dead) == "SCHEDULER_DOWN"
    assert found([task("running", 60)], sight=dead) == "SCHEDULER_DOWN"
    assert found([task("deferred"), NEXT], sight=dead) is None


def test_component_is_down_by_airflows_own_limit() -> None:
    waits = [task("scheduled", 1)]
    assert found(waits, sight=replace(ALIVE, scheduler=Component(30, 30))) is None
    assert found(waits, sight=replace(ALIVE, scheduler=Component(59, 60))) is None
    assert "never" in str(Component(inf, 30))


def test_scheduler_that_begins_no_task_is_named_after_a_minute() -> None:
    assert found(run=RunSight("running", idle=61, tasks=[NEXT])) == "NOT_SCHEDULED"
    assert found(run=RunSight("queued", idle=61, tasks=[NEXT])) == "NOT_SCHEDULED"
    assert found(run=RunSight("running", idle=59, tasks=[NEXT])) is None
    assert found(run=RunSight("running", idle=61, tasks=[NEXT, task("up_for_retry", tries=1)])) is None


@pytest.mark.parametrize(
    ("sight", "code", "says"),
    [
        (ALIVE, "DAG_NOT_PARSED", "has not read its file shard_3.py"),
        (replace(ALIVE, import_errors={"x/shard_3.py": "ImportError: no"}), "DAG_NOT_PARSED", "ImportError: no"),
        (replace(ALIVE, import_errors={"x/shard_4.py": "ImportError: no"}), "DAG_NOT_PARSED", "has not read"),
        (replace(ALIVE, dag_processor=DOWN), "DAG_PROCESSOR_DOWN", "no heartbeat for 40 s"),
    ],
)
def test_missing_dag_is_named_with_the_reason(sight: AirflowSight, code: str, says: str) -> None:
    missing = RunSight(known=False)
    problem = stuck(ExecutionSummary("e-1", S.VALIDATING), 16, sight, missing, FILE)
    assert problem is not None
    assert (problem.code, says in problem.message, problem.seconds) == (code, True, 16)
    assert stuck(ExecutionSummary("e-1", S.VALIDATING), 14, sight, missing, FILE) is None


def test_dag_that_airflow_has_lost_during_the_run_is_named_with_the_reason() -> None:
    broken = replace(ALIVE, import_errors={f"upgrade_executions/{FILE}": "ImportError: no module"})
    waits, lost = [task(None)], RunSight("running", known=False, idle=61, tasks=[task(None)])
    assert found(run=lost, sight=broken) == "DAG_NOT_PARSED"
    problem = stuck(ExecutionSummary("e-1", S.IN_PROGRESS), 300, broken, lost, FILE)
    assert problem is not None
    assert "no longer" in problem.message
    assert "ImportError: no module" in problem.message
    assert found(run=lost, sight=replace(broken, dag_processor=DOWN)) == "DAG_PROCESSOR_DOWN"
    assert found(run=replace(lost, tasks=[task("up_for_retry", 1, tries=3)]), sight=broken) == "DAG_NOT_PARSED"
    assert found(run=replace(lost, idle=59), sight=broken) is None, "the control loops ask for a parse"
    assert found(run=replace(lost, tasks=[*waits, task("deferred")]), sight=broken) is None
    assert found(run=replace(lost, known=True), sight=broken) == "NOT_SCHEDULED"


def test_dag_without_a_run_is_named_by_what_makes_no_run() -> None:
    none = RunSight(None)
    assert found(run=none, status=S.VALIDATING) == "NOT_SCHEDULED"
    assert found(run=none, status=S.VALIDATING, sight=replace(ALIVE, scheduler=DOWN)) == "SCHEDULER_DOWN"
    assert found(run=replace(none, paused=True), status=S.VALIDATING) == "DAG_PAUSED"
    assert found(run=none, status=S.VALIDATING, waited=10) is None
    assert found(run=none, status=S.IN_PROGRESS) is None, "a run that was deleted fails the execution"


def test_paused_dag_is_named_only_where_the_execution_has_no_pause() -> None:
    paused = RunSight("running", paused=True, tasks=[NEXT])
    assert found(run=paused, status=S.VALIDATING) == "DAG_PAUSED"
    for follows in (S.IN_PROGRESS, S.CANARY_RUNNING, S.ROLLING_BACK, S.CANCELLED):
        assert found(run=paused, status=follows) is None


@pytest.mark.parametrize("status", [S.PENDING, S.PAUSED])
def test_execution_that_waits_for_a_person_has_none(status: ExecutionStatus) -> None:
    dead = AirflowSight()
    assert found([task("queued", 999)], status=status, sight=dead) is None
    assert found(run=RunSight(known=False), status=status, sight=dead) is None


def test_ended_execution_has_one_only_while_its_run_has_something_left_to_do() -> None:
    dead = replace(ALIVE, triggerer=DOWN)
    assert found([task("deferred")], status=S.CANCELLED, sight=dead) == "TRIGGERER_DOWN"
    for run in (RunSight("success"), RunSight("failed"), RunSight(None), RunSight(known=False)):
        assert found(run=run, status=S.CANCELLED, sight=dead) is None


def test_full_pool_is_distinguished_from_a_full_airflow_and_from_a_pool_that_is_missing() -> None:
    def said(pools: dict[str, Pool]) -> str:
        run = RunSight("running", tasks=[task("scheduled", 20, pool="upgrades")])
        problem = stuck(ExecutionSummary("e-1", S.IN_PROGRESS), 60, replace(ALIVE, pools=pools), run, FILE)
        assert problem is not None
        return problem.message

    assert "8 of 8 slots of pool upgrades are taken" in said({"upgrades": Pool(8, 8)})
    assert "parallelism" in said({"upgrades": Pool(8, 7)})
    assert "parallelism" in said({"upgrades": Pool(inf, 0)})
    assert "there is no pool upgrades" in said({})


def test_failing_task_stays_named_while_its_next_try_begins_and_not_once_that_has_settled() -> None:
    for again in (task("scheduled", 1, tries=3), task("queued", 1, tries=3), task("running", 1, ran=2, tries=3)):
        assert found([again], noted="TASK_FAILING") == "TASK_FAILING"
        assert found([again]) is None
    assert found([task("running", 1, ran=31, tries=3)], noted="TASK_FAILING") is None
    assert found([task("running", 1, ran=2, tries=2)], noted="TASK_FAILING") is None


def test_reason_of_the_last_failure_is_in_the_message() -> None:
    run = RunSight("running", tasks=[task("up_for_retry", tries=3, reason="KeyError: 'x'")])
    problem = stuck(ExecutionSummary("e-1", S.IN_PROGRESS), 60, ALIVE, run, FILE)
    assert problem is not None
    assert problem.message == "task batch_002 has failed 3 times: KeyError: 'x'; see its log"
