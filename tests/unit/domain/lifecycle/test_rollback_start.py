"""A rollback begins by allowed transitions, with its reason and initiator."""

import pytest

from tests.unit.domain.builders import NOW, OPERATOR, after, make_execution
from upgrade_orchestrator.domain.errors import InvalidState
from upgrade_orchestrator.domain.events.factory import data_of
from upgrade_orchestrator.domain.execution.events import EventType
from upgrade_orchestrator.domain.execution.execution import RollbackInfo
from upgrade_orchestrator.domain.execution.states import TRANSITIONS, ExecutionStatus
from upgrade_orchestrator.domain.lifecycle.rollback_start import begin_rollback

S = ExecutionStatus
WAYS = {
    S.IN_PROGRESS: [S.ROLLING_BACK],
    S.CANARY_MONITORING: [S.ROLLING_BACK],
    S.PAUSED: [S.IN_PROGRESS, S.ROLLING_BACK],
    S.CANARY_RUNNING: [S.CANARY_MONITORING, S.ROLLING_BACK],
}


@pytest.mark.parametrize(("status", "way"), WAYS.items())
def test_rollback_goes_through_legal_steps_only(status: ExecutionStatus, way: list[ExecutionStatus]) -> None:
    moved, events = begin_rollback(make_execution(status), "bad build", OPERATOR, after(1))
    steps = [(data_of(each)["from"], data_of(each)["to"]) for each in events if each.what is EventType.STATUS_CHANGED]
    assert [to for _, to in steps] == way
    assert all(S(str(to)) in TRANSITIONS[S(str(origin))] for origin, to in steps)
    assert moved.status is S.ROLLING_BACK
    assert moved.rollback == RollbackInfo("bad build", after(1), OPERATOR.name)


@pytest.mark.parametrize("status", [each for each in S if each not in WAYS])
def test_rollback_is_refused_in_other_statuses_including_rolling_back(status: ExecutionStatus) -> None:
    with pytest.raises(InvalidState) as refused:
        begin_rollback(make_execution(status), "why", OPERATOR, NOW)
    assert set(refused.value.extra["allowedFrom"]) == {each.value for each in WAYS}  # type: ignore[call-overload]


def test_rollback_during_a_pause_counts_the_paused_seconds() -> None:
    paused = make_execution(S.PAUSED, paused_at=NOW, paused_from=S.IN_PROGRESS)
    moved, _ = begin_rollback(paused, "why", OPERATOR, after(30))
    assert (moved.paused_at, moved.paused_seconds) == (None, 30)


def test_last_event_reports_that_the_rollback_has_started() -> None:
    _, events = begin_rollback(make_execution(S.IN_PROGRESS), "why", OPERATOR, NOW)
    assert (events[-1].what, data_of(events[-1])) == (
        EventType.ROLLBACK_STARTED,
        {"reason": "why", "initiatedBy": OPERATOR.name},
    )
