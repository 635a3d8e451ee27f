"""Drift decisions for every status, stored run and state in Airflow, against the rules written out a second time."""

from itertools import product

import pytest

from tests.unit.domain.builders import NOW, make_execution
from upgrade_orchestrator.domain.airflow.drift import (
    DELETED,
    DriftDecision,
    ExecutionSummary,
    FailExecution,
    FinishExecution,
    NoDrift,
    PauseExecution,
    RememberRun,
    RequestParse,
    ResumeExecution,
    UnpauseDag,
    resolve_drift,
)
from upgrade_orchestrator.domain.airflow.task_states import NO_RUN, RunView
from upgrade_orchestrator.domain.execution.states import TERMINAL, ExecutionStatus

S = ExecutionStatus
SEEN = (None, "7")
REFS = (None, "7", "8")
STATES = ("queued", "running", "success", "failed")
STARTED = [each for each in S if each is not S.PENDING]
CASES = list(product(STARTED, SEEN, REFS, STATES, [False, True], [False, True]))


def shown(ref: str | None, state: str, paused: bool) -> RunView:
    return RunView(ref, state if ref else None, paused)


def expected(execution: ExecutionSummary, run: RunView) -> type[DriftDecision]:
    """The rules as a table of first matches."""
    over, there = execution.status in TERMINAL, run.ref is not None
    ended = run.state in ("success", "failed")
    another = execution.run_ref is not None and run.ref != execution.run_ref
    gone = not there and execution.status is not S.VALIDATING
    back = execution.status is S.ROLLING_BACK
    rows: list[tuple[bool, type[DriftDecision]]] = [
        (over and (not there or ended), FinishExecution),
        (over and run.paused, UnpauseDag),
        (over, NoDrift),
        (another or gone or ended, FailExecution),
        (back and run.paused, UnpauseDag),
        (execution.status in (S.IN_PROGRESS, S.CANARY_RUNNING) and run.paused, PauseExecution),
        (execution.status is S.PAUSED and execution.dag_paused and not run.paused, ResumeExecution),
        (there and execution.run_ref is None, RememberRun),
    ]
    return next((decision for applies, decision in rows if applies), NoDrift)


def test_drift_is_resolved_by_the_rules_in_every_case() -> None:
    assert len(CASES) == len(STARTED) * 2 * 3 * 4 * 2 * 2
    for status, seen, ref, state, paused, dag_paused in CASES:
        execution, run = ExecutionSummary("e-1", status, seen, dag_paused), shown(ref, state, paused)
        assert type(resolve_drift(execution, run)) is expected(execution, run), (execution, run)


def test_settled_execution_has_no_drift() -> None:
    for status, ref, state, paused in product(STARTED, REFS, STATES, [False, True]):
        execution, run = ExecutionSummary("e-1", status, "7", settled=True), shown(ref, state, paused)
        assert resolve_drift(execution, run) == NoDrift(), (execution, run)


@pytest.mark.parametrize("status", [each for each in STARTED if each not in TERMINAL])
@pytest.mark.parametrize("state", ["success", "failed"])
def test_run_ended_by_a_user_fails_the_execution_in_every_status(status: ExecutionStatus, state: str) -> None:
    found = resolve_drift(ExecutionSummary("e-1", status, "7"), RunView("7", state))
    assert found == FailExecution(f"the DAG run was marked {state} in Airflow before the upgrade had ended")


@pytest.mark.parametrize("status", [each for each in STARTED if each not in TERMINAL])
@pytest.mark.parametrize("run", [RunView(), RunView("8", "running"), RunView("8", "success")])
def test_missing_or_replaced_run_counts_as_deleted(status: ExecutionStatus, run: RunView) -> None:
    assert resolve_drift(ExecutionSummary("e-1", status, "7"), run) == FailExecution(DELETED)


def test_run_that_airflow_has_not_created_yet_is_no_drift() -> None:
    assert resolve_drift(ExecutionSummary("e-1", S.VALIDATING), RunView()) == NoDrift()


def test_parse_is_requested_for_a_dag_that_airflow_does_not_know() -> None:
    assert resolve_drift(ExecutionSummary("e-1", S.VALIDATING), NO_RUN) == RequestParse()


@pytest.mark.parametrize("status", [each for each in STARTED if each is not S.VALIDATING])
def test_parse_is_not_requested_once_the_checks_are_over(status: ExecutionStatus) -> None:
    found = resolve_drift(ExecutionSummary("e-1", status), NO_RUN)
    assert found == (FinishExecution() if status in TERMINAL else FailExecution(DELETED))


def test_parse_is_not_requested_for_a_dag_whose_run_was_seen_before() -> None:
    assert resolve_drift(ExecutionSummary("e-1", S.VALIDATING, "7"), NO_RUN) == FailExecution(DELETED)


@pytest.mark.parametrize("status", [each for each in STARTED if each not in TERMINAL and each is not S.VALIDATING])
def test_run_that_was_deleted_before_it_was_seen_fails_the_execution(status: ExecutionStatus) -> None:
    # it has left VALIDATING, so it had a run whose tasks did that
    assert resolve_drift(ExecutionSummary("e-1", status), RunView()) == FailExecution(DELETED)


def test_pause_over_rest_is_not_resumed_by_a_dag_that_is_not_paused() -> None:
    assert resolve_drift(ExecutionSummary("e-1", S.PAUSED, "7", dag_paused=False), RunView("7", "running")) == NoDrift()


def test_pause_over_rest_is_kept_when_the_dag_is_paused_too() -> None:
    assert resolve_drift(ExecutionSummary("e-1", S.PAUSED, "7"), RunView("7", "running", paused=True)) == NoDrift()


@pytest.mark.parametrize("status", [S.VALIDATING, S.CANARY_MONITORING])
def test_paused_dag_waits_for_a_status_that_can_be_paused(status: ExecutionStatus) -> None:
    assert resolve_drift(ExecutionSummary("e-1", status, "7"), RunView("7", "running", paused=True)) == NoDrift()


def test_summary_for_the_reconciler_has_the_fields_of_the_execution() -> None:
    execution = make_execution(S.FAILED, run_ref="7", dag_paused=True, settled_at=NOW)
    assert ExecutionSummary.of(execution) == ExecutionSummary("e-1", S.FAILED, "7", dag_paused=True, settled=True)
    assert not ExecutionSummary.of(make_execution(S.FAILED)).settled
