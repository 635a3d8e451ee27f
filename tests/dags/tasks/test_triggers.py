"""How the tasks in the triggerer end, by the outcome of their use case."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from types import SimpleNamespace
from typing import Any

import pytest
from airflow.triggers.base import TaskSkippedEvent, TaskSuccessEvent, TriggerEvent

from tests.labs.lab import until
from tests.unit.domain.builders import make_execution
from upgrade_orchestrator import bootstrap
from upgrade_orchestrator.domain.checks.checks import CheckName, CheckResult, CheckStatus
from upgrade_orchestrator.domain.errors import Unavailable
from upgrade_orchestrator.domain.execution.states import ExecutionStatus
from upgrade_orchestrator.domain.plan.steps import Step, StepKind
from upgrade_orchestrator.flow.upgrade import triggers
from upgrade_orchestrator.flow.upgrade.triggers import (
    FIRST_STEP_SECONDS,
    CheckTrigger,
    StepTrigger,
    UpgradeTrigger,
    WorkTrigger,
)
from upgrade_orchestrator.service.ports.fleet import FleetError, StaleToken
from upgrade_orchestrator.service.runner.outcome import Ending, Outcome

S = ExecutionStatus
Replace = Callable[[str, Any], list[dict[str, Any]]]
USE_CASES: list[tuple[UpgradeTrigger, str, Any]] = [
    (StepTrigger("e-1", StepKind.BATCH.value, 1, 3), "run_step", Outcome(Ending.DONE)),
    (
        CheckTrigger("e-1", CheckName.DEPENDENCY_CHECK.value),
        "run_check",
        CheckResult(CheckName.DEPENDENCY_CHECK, CheckStatus.PASSED),
    ),
    (WorkTrigger("e-1", StepKind.VERIFY.value, 1), "complete_step", Outcome(Ending.DONE)),
]
every_trigger = pytest.mark.parametrize(("trigger", "use_case", "answer"), USE_CASES)


class Ends:
    """Port ``TaskEnds``: records notified tasks; the call may fail or take some time."""

    def __init__(self, error: Exception | None = None, seconds: float = 0.0) -> None:
        self.notified: list[str] = []
        self._error = error
        self._seconds = seconds

    async def notify(self, task_id: str) -> None:
        await asyncio.sleep(self._seconds)
        if self._error:
            raise self._error
        self.notified.append(task_id)


@pytest.fixture
def replaced(monkeypatch: pytest.MonkeyPatch) -> Replace:
    """Replaces a use case with results or errors (a list: one after the other); returns its calls."""

    async def no_ports() -> Any:
        return SimpleNamespace(task_ends=Ends())

    monkeypatch.setattr(bootstrap, "open_ports", no_ports)
    monkeypatch.setattr(triggers, "RETRY_SECONDS", 0.0)
    monkeypatch.setattr(triggers, "CONTROL_LOOP_GRACE_SECONDS", 0.0)

    def replace(name: str, answer: Any) -> list[dict[str, Any]]:
        calls: list[dict[str, Any]] = []
        monkeypatch.setattr(triggers, name, _answering(calls, answer if isinstance(answer, list) else [answer]))
        return calls

    return replace


def _answering(calls: list[dict[str, Any]], answers: list[Any]) -> Callable[..., Awaitable[Any]]:
    async def call(_: Any, **given: Any) -> Any:
        calls.append(given)
        answer = answers[min(len(calls), len(answers)) - 1]
        if isinstance(answer, Exception):
            raise answer
        return answer

    return call


def _task(**fields: Any) -> Any:
    return SimpleNamespace(id="ti-1", task_id="task", **fields)


def _event(trigger: UpgradeTrigger) -> TriggerEvent:
    async def only() -> TriggerEvent:
        (event,) = [each async for each in trigger.run()]
        return event

    return asyncio.run(only())


def _step(work: StepKind = StepKind.BATCH) -> StepTrigger:
    return StepTrigger("e-1", work.value, 1, 3)


def test_step_is_done_together_with_all_steps_that_run_as_one(replaced: Replace) -> None:
    calls = replaced("run_step", Outcome(Ending.DONE))
    assert isinstance(_event(StepTrigger("e-1", StepKind.BATCH.value, 2, 5)), TaskSuccessEvent)
    assert calls == [{"execution_id": "e-1", "step": Step(StepKind.BATCH, 2, 5), "seconds": None}]


@pytest.mark.parametrize(("ending", "event"), [(Ending.STOPPED, TaskSuccessEvent), (Ending.SKIPPED, TaskSkippedEvent)])
def test_step_of_an_upgrade_that_another_runner_completed_is_done_unless_it_was_not_needed(
    replaced: Replace, ending: Ending, event: type[TriggerEvent]
) -> None:
    replaced("run_step", Outcome(ending))
    replaced("find_execution", make_execution(S.COMPLETED))
    assert isinstance(_event(_step()), event)


@pytest.mark.parametrize("ending", [Ending.SKIPPED, Ending.STOPPED])
@pytest.mark.parametrize("status", [each for each in S if each not in (S.PENDING, S.FAILED, S.COMPLETED)])
def test_step_that_the_upgrade_does_not_need_is_skipped(replaced: Replace, ending: Ending, status: S) -> None:
    replaced("run_step", Outcome(ending))
    replaced("find_execution", make_execution(status))
    assert isinstance(_event(_step()), TaskSkippedEvent)


def test_step_that_stops_because_the_upgrade_has_failed_gives_its_task_the_reason(replaced: Replace) -> None:
    replaced("run_step", Outcome(Ending.STOPPED, "enough"))
    replaced("find_execution", make_execution(S.FAILED, status_reason="three have failed"))
    event = _event(_step())
    assert (type(event), event.payload) == (TriggerEvent, "the execution is FAILED: three have failed")


def test_branch_that_is_not_taken_is_skipped_even_if_the_upgrade_has_failed(replaced: Replace) -> None:
    replaced("run_step", Outcome(Ending.SKIPPED))
    replaced("find_execution", make_execution(S.FAILED))
    assert isinstance(_event(_step(StepKind.REVERT)), TaskSkippedEvent)


@pytest.mark.parametrize("status", [each for each in CheckStatus if each is not CheckStatus.FAILED])
def test_check_that_passes_makes_its_task_succeed(replaced: Replace, status: CheckStatus) -> None:
    replaced("run_check", CheckResult(CheckName.HEALTH_ENDPOINTS, status))
    assert isinstance(_event(CheckTrigger("e-1", "HEALTH_ENDPOINTS")), TaskSuccessEvent)


def test_check_that_fails_gives_its_task_the_finding(replaced: Replace) -> None:
    replaced("run_check", CheckResult(CheckName.HEALTH_ENDPOINTS, CheckStatus.FAILED, "i-01 is silent"))
    event = _event(CheckTrigger("e-1", "HEALTH_ENDPOINTS"))
    assert (type(event), event.payload) == (TriggerEvent, "i-01 is silent")


@pytest.mark.parametrize(("tries", "again"), [(None, False), (1, False), (2, True), (3, True)])
def test_check_runs_again_when_its_task_was_cleared(replaced: Replace, tries: int | None, again: bool) -> None:
    calls = replaced("run_check", CheckResult(CheckName.HEALTH_ENDPOINTS, CheckStatus.PASSED))
    trigger = CheckTrigger("e-1", "HEALTH_ENDPOINTS")
    trigger.task_instance = None if tries is None else _task(try_number=tries)
    _event(trigger)
    asked = {"execution_id": "e-1", "name": CheckName.HEALTH_ENDPOINTS, "again": again}
    (call,) = calls
    assert call | asked | {"first_step_seconds": FIRST_STEP_SECONDS} == call


def test_step_that_continues_in_a_worker_gets_the_outcome(replaced: Replace) -> None:
    calls = replaced("complete_step", Outcome(Ending.STOPPED, "rejected"))
    event = _event(WorkTrigger("e-1", StepKind.WAIT_FOR_ANSWER.value, 2))
    assert (type(event), event.payload) == (TriggerEvent, {"ending": "STOPPED", "reason": "rejected"})
    assert calls == [{"execution_id": "e-1", "step": Step(StepKind.WAIT_FOR_ANSWER, 2), "seconds": None}]


@every_trigger
@pytest.mark.parametrize("error", [Unavailable("no database"), FleetError("no fleet"), StaleToken("a newer runner")])
def test_call_is_repeated_while_database_or_fleet_does_not_respond(
    replaced: Replace, trigger: UpgradeTrigger, use_case: str, answer: Any, error: Exception
) -> None:
    calls = replaced(use_case, [error, error, answer])
    _event(trigger)
    assert len(calls) == 3


@every_trigger
@pytest.mark.parametrize("error", [ValueError("a mistake of ours")])
def test_permanent_error_fails_the_task(
    replaced: Replace, trigger: UpgradeTrigger, use_case: str, answer: Any, error: Exception
) -> None:
    calls = replaced(use_case, [error, answer])
    with pytest.raises(type(error)):
        _event(trigger)
    assert len(calls) == 1


def test_read_of_the_reason_is_repeated_while_the_database_does_not_respond(replaced: Replace) -> None:
    replaced("run_step", Outcome(Ending.STOPPED))
    calls = replaced("find_execution", [Unavailable("no database"), make_execution(S.CANCELLED)])
    assert isinstance(_event(_step()), TaskSkippedEvent)
    assert len(calls) == 2


# -- successful end ----------------------------------------------------------------------------------------------------


def test_trigger_ends_its_task_itself_if_the_control_loops_have_not_within_the_grace_time(
    replaced: Replace, monkeypatch: pytest.MonkeyPatch
) -> None:
    trigger, ends, left = _done(replaced), _ends(monkeypatch), 0.3
    monkeypatch.setattr(triggers, "CONTROL_LOOP_GRACE_SECONDS", left)
    began = time.monotonic()
    assert isinstance(_event(trigger), TaskSuccessEvent)  # the control loops have not ended it in the meantime
    assert (ends.notified, time.monotonic() - began >= left) == (["ti-1"], True)


def test_trigger_whose_task_the_control_loops_have_ended_stops(
    replaced: Replace, monkeypatch: pytest.MonkeyPatch
) -> None:
    trigger, ends = _done(replaced), _ends(monkeypatch)
    monkeypatch.setattr(triggers, "CONTROL_LOOP_GRACE_SECONDS", FOREVER)

    async def withdrawn() -> None:
        running = asyncio.create_task(trigger.event())
        await until(lambda: ends.notified, "the control loops are notified")
        running.cancel()
        await running

    with pytest.raises(asyncio.CancelledError):
        asyncio.run(withdrawn())


@pytest.mark.parametrize("error", [Unavailable("no database"), ValueError("a standby takes no NOTIFY")])
def test_task_ends_at_once_while_the_control_loops_cannot_be_notified(
    replaced: Replace, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    trigger = _done(replaced)
    _ends(monkeypatch, error)
    monkeypatch.setattr(triggers, "CONTROL_LOOP_GRACE_SECONDS", 10 * FOREVER)
    assert isinstance(_soon(trigger), TaskSuccessEvent)


def test_notification_of_the_control_loops_takes_no_longer_than_their_time_limit(
    replaced: Replace, monkeypatch: pytest.MonkeyPatch
) -> None:
    trigger = _done(replaced)
    _ends(monkeypatch, seconds=10 * FOREVER)
    monkeypatch.setattr(triggers, "CONTROL_LOOP_GRACE_SECONDS", 0.1)
    assert isinstance(_soon(trigger), TaskSuccessEvent)


@pytest.mark.parametrize("ending", [Ending.SKIPPED, Ending.STOPPED])
def test_control_loops_are_not_notified_of_skipped_tasks(
    replaced: Replace, monkeypatch: pytest.MonkeyPatch, ending: Ending
) -> None:
    trigger, ends = _done(replaced, ending), _ends(monkeypatch)
    replaced("find_execution", make_execution(S.CANCELLED))
    assert isinstance(_event(trigger), TaskSkippedEvent)
    assert ends.notified == []


FOREVER = 30.0


def _done(replaced: Replace, ending: Ending = Ending.DONE) -> StepTrigger:
    """The trigger of a task that Airflow knows, with work that succeeds."""
    replaced("run_step", Outcome(ending))
    trigger = _step()
    trigger.task_instance = _task()
    return trigger


def _soon(trigger: UpgradeTrigger) -> TriggerEvent:
    async def only() -> TriggerEvent:
        async with asyncio.timeout(FOREVER):
            return await trigger.event()

    return asyncio.run(only())


def _ends(monkeypatch: pytest.MonkeyPatch, error: Exception | None = None, seconds: float = 0.0) -> Ends:
    ends = Ends(error, seconds)

    async def ports() -> Any:
        return SimpleNamespace(task_ends=ends)

    monkeypatch.setattr(bootstrap, "open_ports", ports)
    return ends
