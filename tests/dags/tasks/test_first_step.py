"""The upgrade's first step in its worker: what it does, and how its task ends."""

from typing import Any

import pytest
from airflow.sdk.exceptions import AirflowFailException, AirflowSkipException, TaskDeferred

from tests.labs.steps.first_step import MAX_DELAY
from tests.unit.domain.builders import make_execution
from upgrade_orchestrator.domain.errors import NotFound, Unavailable
from upgrade_orchestrator.domain.execution.states import ExecutionStatus
from upgrade_orchestrator.domain.plan.steps import TASK_START_SECONDS, Step, StepKind
from upgrade_orchestrator.flow.upgrade import operators
from upgrade_orchestrator.flow.upgrade.operators import MAX_DELAY_SECONDS, FirstStepOperator
from upgrade_orchestrator.service.ports.fleet import FleetError, StaleToken
from upgrade_orchestrator.service.runner.outcome import Ending, Outcome

S = ExecutionStatus
STEP = Step(StepKind.BATCH, 1, 3)


@pytest.fixture
def first(database: str) -> FirstStepOperator:
    return FirstStepOperator(task_id="upgrade", execution_id="e-1", step=STEP)


def _answer(monkeypatch: pytest.MonkeyPatch, name: str, answer: Any) -> list[dict[str, Any]]:
    calls: list[dict[str, Any]] = []

    async def use_case(_: Any, **given: Any) -> Any:
        calls.append(given)
        if isinstance(answer, Exception):
            raise answer
        return answer

    monkeypatch.setattr(operators, name, use_case)
    return calls


def test_first_step_works_for_the_configured_seconds_and_waits_only_briefly(
    first: FirstStepOperator, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = _answer(monkeypatch, "run_step", Outcome(Ending.DONE))
    monkeypatch.setenv("AIRFLOW__UPGRADES__INLINE_SECONDS", "3.5")
    first.execute({})
    assert calls == [{"execution_id": "e-1", "step": STEP, "seconds": 3.5, "max_delay": MAX_DELAY_SECONDS}]


def test_worker_waits_less_than_the_triggerer_and_as_long_as_in_the_tests_of_the_use_cases() -> None:
    assert MAX_DELAY == MAX_DELAY_SECONDS < TASK_START_SECONDS


def test_first_step_continues_in_the_triggerer_with_all_batches_that_run_as_one(
    first: FirstStepOperator, monkeypatch: pytest.MonkeyPatch
) -> None:
    _answer(monkeypatch, "run_step", Outcome(Ending.UNFINISHED))
    with pytest.raises(TaskDeferred) as deferred:
        first.execute({})
    left = {"execution_id": "e-1", "kind": "batch", "batch": 1, "last": 3}
    assert (deferred.value.trigger.arguments(), deferred.value.method_name) == (left, "fail")


def test_first_step_is_done_if_another_runner_has_completed_the_upgrade(
    first: FirstStepOperator, monkeypatch: pytest.MonkeyPatch
) -> None:
    _answer(monkeypatch, "run_step", Outcome(Ending.STOPPED))
    _answer(monkeypatch, "find_execution", make_execution(S.COMPLETED))
    first.execute({})


@pytest.mark.parametrize("status", [each for each in S if each not in (S.PENDING, S.FAILED, S.COMPLETED)])
def test_first_step_is_skipped_if_the_upgrade_does_not_need_it(
    first: FirstStepOperator, monkeypatch: pytest.MonkeyPatch, status: S
) -> None:
    _answer(monkeypatch, "run_step", Outcome(Ending.STOPPED))
    _answer(monkeypatch, "find_execution", make_execution(status))
    with pytest.raises(AirflowSkipException, match=status.value):
        first.execute({})


def test_first_step_fails_without_retry_if_the_upgrade_has_failed_as_after_a_failed_check(
    first: FirstStepOperator, monkeypatch: pytest.MonkeyPatch
) -> None:
    _answer(monkeypatch, "run_step", Outcome(Ending.STOPPED))
    calls = _answer(monkeypatch, "find_execution", make_execution(S.FAILED, status_reason="no backup"))
    with pytest.raises(AirflowFailException, match="the execution is FAILED: no backup"):
        first.execute({})
    assert calls == [{"execution_id": "e-1"}]


@pytest.mark.parametrize("ending", [Ending.DONE, Ending.UNFINISHED])
def test_reason_is_not_read_if_the_first_step_was_not_stopped(
    first: FirstStepOperator, monkeypatch: pytest.MonkeyPatch, ending: Ending
) -> None:
    _answer(monkeypatch, "run_step", Outcome(ending))
    calls = _answer(monkeypatch, "find_execution", make_execution(S.FAILED))
    try:
        first.execute({})
    except TaskDeferred:
        assert ending is Ending.UNFINISHED
    assert calls == []


@pytest.mark.parametrize(
    "error",
    [
        *(Unavailable("no database"), FleetError("no fleet"), StaleToken("a newer runner")),
        *(NotFound("no such execution"), ValueError("a mistake of ours")),
    ],
)
def test_error_of_the_first_step_is_raised_so_that_airflow_retries(
    first: FirstStepOperator, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    _answer(monkeypatch, "run_step", error)
    with pytest.raises(type(error)):
        first.execute({})
