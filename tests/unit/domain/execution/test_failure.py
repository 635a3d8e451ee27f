"""An execution fails from any active status, by allowed transitions."""

import pytest

from tests.unit.domain.builders import NOW, after, make_execution
from upgrade_orchestrator.domain.errors import InvalidState
from upgrade_orchestrator.domain.events.factory import data_of
from upgrade_orchestrator.domain.execution.commands import SYSTEM
from upgrade_orchestrator.domain.execution.failure import fail_from_anywhere
from upgrade_orchestrator.domain.execution.states import TERMINAL, TRANSITIONS, ExecutionStatus

S = ExecutionStatus
TWO_STEPS = (S.PAUSED, S.CANARY_MONITORING)
NOWHERE = [S.PENDING, *TERMINAL]


@pytest.mark.parametrize("status", [each for each in S if each not in NOWHERE])
def test_failure_goes_through_legal_steps_only(status: ExecutionStatus) -> None:
    moved, events = fail_from_anywhere(make_execution(status, paused_at=NOW), "why", SYSTEM, after(30))
    steps = [(S(str(data_of(each)["from"])), S(str(data_of(each)["to"]))) for each in events]
    assert all(to in TRANSITIONS[origin] for origin, to in steps)
    assert [to for _, to in steps] == ([S.IN_PROGRESS, S.FAILED] if status in TWO_STEPS else [S.FAILED])
    assert (moved.status, moved.status_reason, moved.completed_at) == (S.FAILED, "why", after(30))
    assert moved.failure_phase == ("ROLLBACK" if status is S.ROLLING_BACK else None)


@pytest.mark.parametrize("status", sorted(NOWHERE))
def test_failure_is_refused_in_statuses_that_cannot_fail(status: ExecutionStatus) -> None:
    with pytest.raises(InvalidState):
        fail_from_anywhere(make_execution(status), "why", SYSTEM, NOW)


def test_failure_during_a_pause_ends_the_pause() -> None:
    paused = make_execution(S.PAUSED, paused_at=NOW, paused_from=S.CANARY_RUNNING, dag_paused=True)
    moved, _ = fail_from_anywhere(paused, "why", SYSTEM, after(30))
    assert (moved.paused_at, moved.paused_seconds, moved.dag_paused) == (None, 30, False)
