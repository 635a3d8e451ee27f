"""The status that follows from a run's tasks: over whole runs of the DAG, and over any combination of task states."""

from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from upgrade_orchestrator.domain.airflow.task_states import FINISHED_TASK, NO_RUN, RunView, from_task_states
from upgrade_orchestrator.domain.execution.states import ExecutionStatus

S = ExecutionStatus
CHECKS = ["version_compatibility", "resource_availability", "backup_verification", "health_endpoints"]
VALIDATION = [*(f"validate.{each}" for each in CHECKS), "validate.dependency_check", "admit"]
ENDING = ["verify", "outcome", "complete", "end", "rollback.revert", "rollback.confirm", "rollback.rolled_back"]
WORK = {
    "ROLLING": ["batch_001.upgrade", "batch_002.upgrade"],
    "RECREATE": ["batch_001.upgrade"],
    "CANARY": ["canary.deploy", "canary.monitor", "batch_002.upgrade"],
    "BLUE_GREEN": ["green.provision", "green.check", "switch_traffic", "soak", "retire_blue"],
    "STAGED": ["stage_01.upgrade", "stage_02.approve", "stage_02.upgrade"],
}
WAY = {"canary.deploy": S.CANARY_RUNNING, "canary.monitor": S.CANARY_MONITORING}
RUN_STATES = ("queued", "running", "success", "failed")
TASK_STATES = (
    None,
    "scheduled",
    "queued",
    "running",
    "restarting",
    "up_for_retry",
    "up_for_reschedule",
    "deferred",
    "awaiting_input",
    *sorted(FINISHED_TASK),
)
OPEN = [each for each in TASK_STATES if each not in FINISHED_TASK]


def at(strategy: str, task: str, state: str | None = "running", paused: bool = False) -> RunView:
    """A run in which everything before `task` is done, `task` is in `state`, and nothing after it has begun."""
    order = [*VALIDATION, *WORK[strategy], *ENDING]
    done = order[: order.index(task)]
    tasks = {each: "success" if each in done else None for each in order} | {task: state}
    return RunView("7", "running", paused, tasks)


def ended(task: str, run_state: str = "running") -> RunView:
    """A run that took the branch to `task`."""
    branch = {"complete", "end", "rollback.revert", "rollback.confirm", "rollback.rolled_back"}
    taken = {task, "rollback.revert"} if task == "rollback.confirm" else {task}
    tasks = dict.fromkeys([*VALIDATION, *WORK["ROLLING"], *ENDING], "success")
    return RunView("7", run_state, False, tasks | dict.fromkeys(branch - taken, "skipped"))


@pytest.mark.parametrize("paused", [False, True])
def test_missing_run_has_no_status(paused: bool) -> None:
    assert from_task_states(RunView(paused=paused)) is None
    assert from_task_states(NO_RUN) is None


def test_run_without_tasks_means_validating() -> None:
    assert from_task_states(RunView("7", "queued")) is S.VALIDATING


@pytest.mark.parametrize("strategy", WORK)
def test_open_check_means_validating_whether_the_dag_is_paused_or_not(strategy: str) -> None:
    for task, state, paused in product(VALIDATION[:5], OPEN, [False, True]):
        assert from_task_states(at(strategy, task, state, paused)) is S.VALIDATING, (task, state, paused)


@pytest.mark.parametrize("strategy", WORK)
def test_open_step_means_its_status_or_paused_where_it_can_be_paused(strategy: str) -> None:
    for task, state in product([*WORK[strategy], "verify"], OPEN):
        stage = WAY.get(task, S.IN_PROGRESS)
        assert from_task_states(at(strategy, task, state)) is stage, (task, state)
        paused = stage if stage is S.CANARY_MONITORING else S.PAUSED
        assert from_task_states(at(strategy, task, state, paused=True)) is paused, (task, state)


@pytest.mark.parametrize("strategy", WORK)
@pytest.mark.parametrize("first", TASK_STATES)
def test_first_step_beside_open_checks_means_validating(strategy: str, first: str | None) -> None:
    """It is some seconds ahead of their tasks."""
    for check in VALIDATION[:5]:
        run = at(strategy, check)
        beside = RunView("7", "running", False, {**run.tasks, WORK[strategy][0]: first})
        assert from_task_states(beside) is from_task_states(run) is S.VALIDATING, check


def test_failed_check_does_not_change_the_status_before_the_branch_has_run() -> None:
    run = at("ROLLING", "outcome")
    tasks = {**run.tasks, VALIDATION[0]: "failed", "batch_001.upgrade": "upstream_failed"}
    assert from_task_states(RunView("7", "running", False, tasks)) is S.IN_PROGRESS


@pytest.mark.parametrize("run_state", ["running", "success"])
@pytest.mark.parametrize(
    ("task", "status"), [("complete", S.COMPLETED), ("rollback.confirm", S.ROLLED_BACK), ("end", S.CANCELLED)]
)
def test_last_task_determines_the_final_status(task: str, status: ExecutionStatus, run_state: str) -> None:
    assert from_task_states(ended(task, run_state)) is status


@pytest.mark.parametrize(("state", "run_state"), [(None, "running"), ("running", "running"), ("failed", "failed")])
def test_task_that_fails_after_the_rollback_does_not_make_it_a_failed_upgrade(
    state: str | None, run_state: str
) -> None:
    run = ended("rollback.confirm")
    tasks = {**run.tasks, "rollback.rolled_back": state}
    assert from_task_states(RunView("7", run_state, False, tasks)) is S.ROLLED_BACK


def test_rollback_that_was_not_confirmed_is_a_failed_upgrade() -> None:
    tasks = {**ended("rollback.confirm").tasks, "rollback.confirm": "failed", "rollback.rolled_back": "upstream_failed"}
    assert from_task_states(RunView("7", "failed", False, tasks)) is S.FAILED


@pytest.mark.parametrize("task", ["rollback.confirm", "end"])
def test_failed_last_task_means_failed_before_the_run_has_failed(task: str) -> None:
    run = ended(task)
    assert from_task_states(RunView("7", "running", False, {**run.tasks, task: "failed"})) is S.FAILED


@pytest.mark.parametrize("state", [each for each in TASK_STATES if each not in (None, "skipped", "upstream_failed")])
def test_begun_rollback_tasks_mean_rolling_back(state: str) -> None:
    tasks = {**ended("rollback.revert").tasks, "rollback.revert": state, "rollback.confirm": None}
    begun = from_task_states(RunView("7", "running", True, tasks))
    assert begun is (S.PAUSED if state == "removed" else S.ROLLING_BACK)  # removed: the task is not in the DAG


@pytest.mark.parametrize(("end", "said"), [("deferred", S.IN_PROGRESS), ("skipped", S.ROLLING_BACK)])
def test_rollback_tasks_beside_an_open_end_task_do_not_mean_rolling_back(end: str, said: S) -> None:
    tasks = {**ended("rollback.revert").tasks, "rollback.revert": "deferred", "rollback.confirm": None, "end": end}
    assert from_task_states(RunView("7", "running", False, tasks)) is said


@pytest.mark.parametrize("state", ["success", "failed"])
def test_run_ended_by_a_user_means_failed_at_any_task(state: str) -> None:
    for strategy, tasks in WORK.items():
        for task in [*VALIDATION, *tasks, "verify", "outcome"]:
            run = at(strategy, task, "skipped")
            assert from_task_states(RunView("7", state, False, run.tasks)) is S.FAILED


@given(
    state=st.sampled_from(RUN_STATES),
    paused=st.booleans(),
    tasks=st.dictionaries(
        st.sampled_from([*VALIDATION, *(task for tasks in WORK.values() for task in tasks), *ENDING]),
        st.sampled_from(TASK_STATES),
    ),
)
def test_every_combination_of_task_states_has_a_status_and_an_ended_run_a_terminal_one(
    state: str, paused: bool, tasks: dict[str, str | None]
) -> None:
    said = from_task_states(RunView("7", state, paused, tasks))
    assert said is not None
    assert said is not S.PENDING  # a run means that it was started
    if state in ("success", "failed"):
        assert said in (S.FAILED, S.COMPLETED, S.ROLLED_BACK, S.CANCELLED)
    if not paused:
        assert said is not S.PAUSED
