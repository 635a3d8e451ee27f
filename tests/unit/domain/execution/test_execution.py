"""What advance() records besides the status: reason, times, pauses and event (specification sections 3, 6 and 10)."""

import pytest

from tests.unit.domain.builders import NOW, OPERATOR, after, make_execution
from upgrade_orchestrator.domain.events.factory import data_of
from upgrade_orchestrator.domain.execution.commands import Actor, Source
from upgrade_orchestrator.domain.execution.events import EventType
from upgrade_orchestrator.domain.execution.execution import Execution, advance, dag_id_of
from upgrade_orchestrator.domain.execution.states import ExecutionStatus

S = ExecutionStatus


def walk(execution: Execution, *steps: tuple[ExecutionStatus, float]) -> Execution:
    """Through ``steps``, each a status and the seconds after NOW at which it is taken."""
    for status, seconds in steps:
        execution, _ = advance(execution, status, f"to {status}", OPERATOR, after(seconds))
    return execution


def test_advance_records_status_reason_and_actor_in_its_event() -> None:
    moved, event = advance(make_execution(S.IN_PROGRESS), S.PAUSED, "lunch", Actor("ui-user", Source.UI), NOW)
    assert moved.status_reason == "lunch"
    assert event.what is EventType.STATUS_CHANGED
    assert event.what.cloud_type == "registry.upgrade.status-changed.v1"
    assert data_of(event) == {
        "from": "IN_PROGRESS",
        "to": "PAUSED",
        "reason": "lunch",
        "actor": "ui-user",
        "source": "UI",
    }


def test_advance_does_not_change_the_given_execution() -> None:
    execution = make_execution(S.IN_PROGRESS)
    advance(execution, S.PAUSED, "lunch", OPERATOR, NOW)
    assert execution == make_execution(S.IN_PROGRESS)


def test_execution_started_at_is_the_time_of_the_start_command_and_does_not_change() -> None:
    execution = walk(make_execution(), (S.VALIDATING, 5), (S.IN_PROGRESS, 9), (S.PAUSED, 20), (S.IN_PROGRESS, 30))
    assert execution.started_at == after(5)
    assert execution.completed_at is None


@pytest.mark.parametrize("end", [S.COMPLETED, S.FAILED, S.CANCELLED])
def test_execution_completed_at_is_set_when_terminal(end: ExecutionStatus) -> None:
    assert walk(make_execution(S.IN_PROGRESS), (end, 7)).completed_at == after(7)


def test_execution_cancelled_before_start_never_started() -> None:
    cancelled = walk(make_execution(), (S.CANCELLED, 3))
    assert (cancelled.started_at, cancelled.completed_at) == (None, after(3))


@pytest.mark.parametrize("origin", [S.IN_PROGRESS, S.CANARY_RUNNING])
def test_pause_records_its_time_and_the_previous_status(origin: ExecutionStatus) -> None:
    paused = walk(make_execution(origin), (S.PAUSED, 10))
    assert (paused.paused_at, paused.paused_from, paused.paused_seconds) == (after(10), origin, 0.0)


def test_resume_adds_up_the_paused_seconds() -> None:
    back = walk(make_execution(S.IN_PROGRESS), (S.PAUSED, 10), (S.IN_PROGRESS, 40), (S.PAUSED, 50), (S.IN_PROGRESS, 55))
    assert (back.paused_at, back.paused_from, back.paused_seconds) == (None, None, 35.0)


def test_cancel_ends_the_pause_too() -> None:
    cancelled = walk(make_execution(S.CANARY_RUNNING), (S.PAUSED, 10), (S.CANCELLED, 22))
    assert (cancelled.paused_at, cancelled.paused_seconds) == (None, 12.0)


def test_paused_seconds_do_not_grow_when_nothing_was_paused() -> None:
    assert walk(make_execution(S.IN_PROGRESS), (S.ROLLING_BACK, 90)).paused_seconds == 0.0


def test_paused_seconds_never_shrink_when_another_machines_clock_is_behind() -> None:
    back = walk(make_execution(S.IN_PROGRESS, paused_seconds=8.0), (S.PAUSED, 10), (S.IN_PROGRESS, 4))
    assert back.paused_seconds == 8.0


def test_dag_id_names_the_execution() -> None:
    assert make_execution().dag_id == dag_id_of("e-1") == "upgrade__e-1"


def test_event_types_are_those_of_the_specification() -> None:
    names = (
        "created status-changed check-completed batch-started batch-completed instance-changed progress canary-polled "
        "approval-requested approval-decided settled command-received rollback-started rollback-completed"
    )
    assert [each.value for each in EventType] == names.split()
