"""The effect of a poll of the canaries, and when they may be promoted."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.domain.builders import NOW, OPERATOR, after, make_execution, make_request
from upgrade_orchestrator.domain.errors import CanaryUnhealthy, InvalidState
from upgrade_orchestrator.domain.events.factory import data_of
from upgrade_orchestrator.domain.execution.canary import Canary, Poll, poll_of
from upgrade_orchestrator.domain.execution.events import EventType
from upgrade_orchestrator.domain.execution.execution import Execution, Strategy
from upgrade_orchestrator.domain.execution.states import ExecutionStatus
from upgrade_orchestrator.domain.instance.fleet import Health
from upgrade_orchestrator.domain.lifecycle.canary_monitor import begin_monitoring, next_poll_at, promote, record_poll

S = ExecutionStatus
WELL, ILL, SILENT = Poll({}, ()), Poll({"i-01": "disk full"}, ()), Poll({}, ("i-01",))
OTHERS = [each for each in S if each is not S.CANARY_MONITORING]


def _watched(auto: bool = True, threshold: int = 3, failures: int = 0) -> Execution:
    request = make_request(strategy=Strategy.CANARY, auto_rollback_enabled=auto, failure_threshold=threshold)
    return make_execution(S.CANARY_MONITORING, request=request, current_failures=failures)


def test_poll_is_healthy_when_every_canary_is_healthy_at_the_target() -> None:
    assert poll_of({"i-01": Health(True, "3.7.0"), "i-02": Health(True, "3.7.0")}, "3.7.0").healthy is True


@pytest.mark.parametrize("said", [Health(False, "3.7.0", "disk full"), Health(True, "3.6.0"), Health(False, "")])
def test_poll_is_unhealthy_when_one_is_unhealthy_or_at_another_version(said: Health) -> None:
    poll = poll_of({"i-01": Health(True, "3.7.0"), "i-02": said, "i-03": None}, "3.7.0")
    assert (poll.healthy, list(poll.unhealthy), poll.unreachable) == (False, ["i-02"], ("i-03",))
    assert said.detail in poll.describe()
    assert "i-03: could not be reached" in poll.describe()


def test_failed_poll_counts_neither_as_healthy_nor_as_unhealthy() -> None:
    assert poll_of({"i-01": Health(True, "3.7.0"), "i-02": None}, "3.7.0").healthy is None
    noted, (event,) = record_poll(_watched(threshold=1), SILENT, NOW)
    assert noted.canary == Canary(healthy=None, polls=0, last_poll_at=NOW)
    assert (noted.status, noted.current_failures) == (S.CANARY_MONITORING, 0)
    assert data_of(event)["notAsked"] == ["i-01"]


def test_healthy_poll_is_stored_and_reported() -> None:
    noted, (event,) = record_poll(_watched(), WELL, NOW)
    assert noted.canary == Canary(healthy=True, polls=1, last_poll_at=NOW)
    assert (event.what, data_of(event)["healthy"]) == (EventType.CANARY_POLLED, True)


def test_unhealthy_polls_count_and_roll_back_at_the_threshold() -> None:
    once, _ = record_poll(_watched(threshold=2), ILL, NOW)
    assert (once.status, once.current_failures, once.canary.healthy) == (S.CANARY_MONITORING, 1, False)
    twice, events = record_poll(once, ILL, after(30))
    assert (twice.status, twice.current_failures) == (S.ROLLING_BACK, 2)
    assert [each.what for each in events] == [
        EventType.CANARY_POLLED,
        EventType.STATUS_CHANGED,
        EventType.ROLLBACK_STARTED,
    ]
    assert "disk full" in (twice.rollback.reason or "")


def test_unhealthy_polls_leave_the_decision_to_the_operator_without_auto_rollback() -> None:
    noted, _ = record_poll(_watched(auto=False, threshold=1, failures=5), ILL, NOW)
    assert (noted.status, noted.current_failures, noted.canary.healthy) == (S.CANARY_MONITORING, 6, False)


def test_failures_of_the_deployment_roll_back_at_the_first_poll_even_when_it_is_healthy() -> None:
    noted, _ = record_poll(_watched(threshold=2, failures=2), WELL, NOW)
    assert noted.status is S.ROLLING_BACK


@given(polls=st.lists(st.sampled_from([WELL, ILL, SILENT]), max_size=12), threshold=st.integers(1, 5))
def test_canary_rollback_begins_exactly_with_the_failure_that_reaches_the_threshold(
    polls: list[Poll], threshold: int
) -> None:
    execution, failures = _watched(threshold=threshold), 0
    for number, poll in enumerate(polls):
        if execution.status is not S.CANARY_MONITORING:
            break
        execution, _ = record_poll(execution, poll, after(30 * number))
        failures += poll.healthy is False
        assert (execution.status is S.ROLLING_BACK) == (failures >= threshold)
        assert execution.current_failures == failures


def test_canary_polls_are_due_at_once_and_then_at_the_interval() -> None:
    execution = _watched()
    assert next_poll_at(execution, NOW) == NOW
    noted, _ = record_poll(execution, WELL, NOW)
    assert next_poll_at(noted, after(1)) == NOW + timedelta(seconds=30)


def test_clock_that_was_set_back_does_not_stop_the_canary_polls() -> None:
    noted, _ = record_poll(_watched(), WELL, after(3600))
    assert next_poll_at(noted, NOW) == NOW


def test_canary_monitoring_begins_only_after_the_canaries_are_deployed() -> None:
    moved, (event,) = begin_monitoring(make_execution(S.CANARY_RUNNING), NOW)
    assert (moved.status, data_of(event)["to"]) == (S.CANARY_MONITORING, "CANARY_MONITORING")
    for status in S:
        if status is not S.CANARY_RUNNING:
            assert begin_monitoring(make_execution(status), NOW) == (make_execution(status), [])


def test_promotion_of_healthy_canaries_records_user_and_time() -> None:
    moved, (event,) = promote(_watched(), WELL, None, OPERATOR, NOW)
    assert (moved.status, moved.canary.promoted_by, moved.canary.promoted_at) == (S.IN_PROGRESS, "olga", NOW)
    assert data_of(event)["reason"] == "promoted by olga"


@pytest.mark.parametrize("poll", [ILL, SILENT])
def test_promotion_is_refused_when_a_canary_is_unhealthy_or_does_not_respond(poll: Poll) -> None:
    with pytest.raises(CanaryUnhealthy, match="i-01"):
        promote(_watched(), poll, None, OPERATOR, NOW)


def test_forced_promotion_does_not_poll() -> None:
    moved, (event,) = promote(_watched(failures=9), None, None, OPERATOR, NOW)
    assert moved.status is S.IN_PROGRESS
    assert data_of(event)["reason"] == "promoted by olga with force"


@pytest.mark.parametrize("status", OTHERS)
def test_promotion_is_refused_in_any_other_status(status: ExecutionStatus) -> None:
    with pytest.raises(InvalidState) as refused:
        promote(make_execution(status), None, None, OPERATOR, NOW)
    assert refused.value.extra["allowedFrom"] == ["CANARY_MONITORING"]
