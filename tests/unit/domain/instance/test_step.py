"""The next step of an instance in flight, for every state that the fleet may report."""

from dataclasses import replace

import pytest

from tests.unit.domain.builders import NOW, after, make_instance
from upgrade_orchestrator.domain.instance.action import (
    LATE_SECONDS,
    Action,
    Move,
    NoAction,
    SendOrder,
    Timeouts,
    next_action,
    next_action_unseen,
    next_health,
)
from upgrade_orchestrator.domain.instance.fleet import FleetInstance, Health
from upgrade_orchestrator.domain.instance.instance import Instance, InstanceStatus, watched

I = InstanceStatus  # noqa: E741
OLD, NEW = "3.6.0", "3.7.0"
STEP, SOAK = 10, 60
TIMEOUTS = Timeouts(STEP, 0)
SOAKING = Timeouts(STEP, SOAK)


def _in(status: InstanceStatus, accepted: bool = False, **fields: object) -> Instance:
    values: dict[str, object] = {"attempts": 1, "accepted_at": NOW if accepted else None}
    return make_instance("i-01", status, **(values | fields))


def _found(status: str, version: str = OLD, healthy: bool = True) -> FleetInstance:
    return FleetInstance("i-01", version, status, healthy)


def _short(step: Action) -> str:
    """The step in one word: the status moved to, the order given, or nothing."""
    match step:
        case Move(instance):
            return instance.status.value
        case SendOrder(order):
            return order.value
        case NoAction():
            return "-"


def _next(instance: Instance, found: FleetInstance | None, withdrawn: bool = False, seconds: float = 1) -> Action:
    """After the step was watched for ``seconds``."""
    return next_action(watched(instance, seconds), found, withdrawn, TIMEOUTS, after(seconds))


@pytest.mark.parametrize(
    ("status", "version", "healthy", "accepted", "expected"),
    [
        ("RUNNING", OLD, True, False, "drain"),
        ("RUNNING", OLD, False, False, "drain"),
        ("RUNNING", OLD, True, True, "-"),
        ("DRAINING", OLD, True, True, "-"),
        ("DRAINING", OLD, True, False, "-"),
        ("DRAINED", OLD, True, True, "UPGRADING"),
        ("DRAINED", OLD, True, False, "UPGRADING"),
        ("STOPPED", OLD, False, False, "UPGRADING"),
        ("UPGRADING", OLD, False, False, "-"),
        ("RUNNING", NEW, True, False, "UPGRADING"),  # there already
        ("RUNNING", NEW, False, False, "drain"),  # there, but unhealthy: upgraded again
        ("DRAINED", NEW, False, True, "UPGRADING"),
    ],
)
def test_draining_instance_gets_the_next_order_for_its_observed_state(
    status: str, version: str, healthy: bool, accepted: bool, expected: str
) -> None:
    assert _short(_next(_in(I.DRAINING, accepted), _found(status, version, healthy))) == expected


@pytest.mark.parametrize(
    ("status", "attempts", "expected"),
    [
        ("RUNNING", 1, "PENDING"),
        ("STOPPED", 1, "PENDING"),
        ("DRAINING", 1, "undrain"),
        ("DRAINED", 1, "undrain"),
        ("UPGRADING", 1, "undrain"),
        ("RUNNING", 2, "FAILED"),  # it was upgraded before: a rollback must see it
        ("DRAINED", 2, "undrain"),
    ],
)
def test_withdrawn_draining_instance_is_undrained_by_its_observed_state(
    status: str, attempts: int, expected: str
) -> None:
    assert _short(_next(_in(I.DRAINING, True, attempts=attempts), _found(status), withdrawn=True)) == expected


@pytest.mark.parametrize(("status", "expected"), [("RUNNING", "undrain"), ("STOPPED", "PENDING")])
def test_withdrawn_instance_without_a_drain_order_is_undrained_against_a_late_drain(status: str, expected: str) -> None:
    assert _short(_next(_in(I.DRAINING, False), _found(status), withdrawn=True)) == expected


@pytest.mark.parametrize("withdrawn", [True, False])
@pytest.mark.parametrize(
    ("status", "version", "accepted", "expected"),
    [
        ("RUNNING", NEW, True, "HEALTH_CHECKING"),
        ("RUNNING", NEW, False, "HEALTH_CHECKING"),
        ("DRAINED", OLD, False, "version"),
        ("STOPPED", OLD, False, "version"),
        ("RUNNING", OLD, False, "version"),
        ("UPGRADING", OLD, False, "UPGRADING"),  # the order came from a runner that died: record it
        ("UPGRADING", OLD, True, "-"),
        ("DRAINED", OLD, True, "-"),
        ("DRAINED", NEW, True, "-"),
        ("STOPPED", OLD, True, "FAILED"),
        ("STOPPED", NEW, True, "FAILED"),
    ],
)
def test_upgrading_instance_continues_also_when_withdrawn(
    status: str, version: str, accepted: bool, expected: str, withdrawn: bool
) -> None:
    assert _short(_next(_in(I.UPGRADING, accepted), _found(status, version), withdrawn)) == expected


def test_upgrade_under_way_is_recorded_as_accepted_and_no_order_is_sent() -> None:
    step = _next(_in(I.UPGRADING), _found("UPGRADING"))
    assert isinstance(step, Move)
    assert (step.instance.accepted_at, step.instance.step_seconds) == (after(1), 1)


# fault 1
@pytest.mark.parametrize("status", [I.DRAINING, I.UPGRADING])
def test_instance_that_the_list_leaves_out_fails_only_after_its_time_out(status: InstanceStatus) -> None:
    assert _next(_in(status), None, seconds=STEP) == NoAction()
    step = _next(_in(status), None, seconds=STEP + 1)
    assert isinstance(step, Move)
    assert (step.instance.status, "list left it out" in (step.instance.error or "")) == (I.FAILED, True)


@pytest.mark.parametrize(
    ("instance", "found"),
    [
        (_in(I.DRAINING, True), _found("DRAINING")),
        (_in(I.DRAINING), _found("RUNNING")),  # its order is always refused
        (_in(I.UPGRADING, True), _found("UPGRADING")),
        (_in(I.UPGRADING), _found("DRAINED")),
    ],
)
def test_step_that_times_out_fails_with_the_observed_state(instance: Instance, found: FleetInstance) -> None:
    assert _short(_next(instance, found, seconds=STEP)) != "FAILED"
    step = _next(instance, found, seconds=STEP + 0.001)
    assert isinstance(step, Move)
    assert step.instance.status is I.FAILED
    assert step.instance.error == f"still {found.status} at 3.6.0 after 10 s of {instance.status.value}"


def test_step_that_succeeds_at_the_last_moment_is_no_failure() -> None:
    assert _short(_next(_in(I.UPGRADING, True), _found("RUNNING", NEW), seconds=STEP * 100)) == "HEALTH_CHECKING"


def test_instance_withdrawn_just_before_its_time_out_is_undrained() -> None:
    instance, found = _in(I.DRAINING, True), _found("DRAINED")
    assert _short(_next(instance, found, withdrawn=True, seconds=STEP * 2)) == "undrain"
    assert _short(_next(instance, found, withdrawn=True, seconds=STEP * 2 + 1)) == "FAILED"


def test_withdrawn_instance_past_its_time_out_is_still_ordered_to_undrain_once() -> None:
    instance, found, late = watched(_in(I.DRAINING, True), STEP * 9), _found("DRAINED"), after(STEP * 9)
    assert _short(next_action(instance, found, True, TIMEOUTS, late, undrain_sent=False)) == "undrain"
    assert _short(next_action(instance, found, True, TIMEOUTS, late, undrain_sent=True)) == "FAILED"


@pytest.mark.parametrize(("seconds", "expected"), [(LATE_SECONDS, "undrain"), (LATE_SECONDS + 1, "FAILED")])
def test_overdue_instance_gets_some_seconds_however_late_its_runner_starts(seconds: float, expected: str) -> None:
    instance = watched(_in(I.DRAINING, True), seconds)
    assert _short(next_action(instance, _found("DRAINED"), True, TIMEOUTS, NOW, overdue=True)) == expected
    assert _short(next_action(instance, _found("DRAINED"), True, TIMEOUTS, NOW, overdue=False)) == "undrain"


def test_overdue_instance_that_is_back_in_service_is_withdrawn_all_the_same() -> None:
    instance = watched(_in(I.DRAINING, True), STEP * 2)
    assert _short(next_action(instance, _found("RUNNING"), True, TIMEOUTS, NOW, overdue=True)) == "PENDING"


@pytest.mark.parametrize(("seconds", "expected"), [(LATE_SECONDS, "-"), (LATE_SECONDS + 1, "FAILED")])
def test_overdue_instance_of_an_unresponsive_fleet_fails_sooner(seconds: float, expected: str) -> None:
    instance = watched(_in(I.UPGRADING), seconds)
    assert _short(next_action_unseen(instance, TIMEOUTS, NOW, overdue=True)) == expected
    assert _short(next_action_unseen(instance, TIMEOUTS, NOW, overdue=False)) == "-"


@pytest.mark.parametrize("status", [I.DRAINING, I.UPGRADING])
def test_unresponsive_fleet_fails_an_instance_only_after_the_time_out(status: InstanceStatus) -> None:
    assert next_action_unseen(watched(_in(status), STEP), TIMEOUTS, after(STEP)) == NoAction()
    step = next_action_unseen(watched(_in(status), STEP + 1), TIMEOUTS, after(STEP + 1))
    assert isinstance(step, Move)
    assert step.instance.error == f"the fleet did not answer within 10 s of {status.value}"


CHECKING = _in(I.HEALTH_CHECKING)
WELL, ILL, OTHER = Health(True, NEW), Health(False, NEW, "disk full"), Health(True, OLD)


def _polled(instance: Instance, answer: Health | None, timeouts: Timeouts, seconds: float) -> Instance:
    """After it was watched for ``seconds`` more."""
    return next_health(watched(instance, seconds), answer, timeouts, after(seconds))


def test_healthy_instance_at_the_target_is_completed_at_once_without_a_soak() -> None:
    done = next_health(CHECKING, WELL, TIMEOUTS, after(1))
    assert (done.status, done.healthy, done.last_health_at) == (I.COMPLETED, True, after(1))


@pytest.mark.parametrize(("answer", "error"), [(ILL, "disk full"), (OTHER, "reports version 3.6.0, healthy: True")])
def test_instance_that_is_unhealthy_or_at_another_version_is_waited_for(answer: Health, error: str) -> None:
    polled = _polled(CHECKING, answer, TIMEOUTS, STEP)
    assert (polled.status, polled.healthy, polled.error, polled.healthy_seconds) == (
        I.HEALTH_CHECKING,
        False,
        error,
        None,
    )


@pytest.mark.parametrize(("answer", "last"), [(ILL, "disk full"), (OTHER, "reports 3.6.0"), (None, "does not answer")])
@pytest.mark.parametrize("timeouts", [TIMEOUTS, SOAKING])
def test_instance_that_was_never_healthy_fails_after_the_time_out_with_any_soak(
    answer: Health | None, last: str, timeouts: Timeouts
) -> None:
    assert _polled(CHECKING, answer, timeouts, STEP).status is I.HEALTH_CHECKING
    failed = _polled(CHECKING, answer, timeouts, STEP + 1)
    assert (failed.status, failed.error) == (I.FAILED, f"not healthy at 3.7.0 within 10 s: {last}")


def test_instance_must_stay_healthy_through_its_soak() -> None:
    well = _polled(CHECKING, WELL, SOAKING, 5)
    assert (well.status, well.healthy_seconds) == (I.HEALTH_CHECKING, 0)
    still = _polled(well, WELL, SOAKING, SOAK - 1)
    assert (still.status, still.healthy_seconds) == (I.HEALTH_CHECKING, SOAK - 1)
    assert _polled(still, WELL, SOAKING, 1).status is I.COMPLETED


def test_soak_restarts_after_an_unhealthy_poll() -> None:
    ill = _polled(replace(CHECKING, healthy_seconds=4.0), ILL, SOAKING, 4)
    assert (ill.status, ill.healthy_seconds) == (I.HEALTH_CHECKING, None)
    well = _polled(ill, WELL, SOAKING, 3)
    assert _polled(well, WELL, SOAKING, SOAK - 1).status is I.HEALTH_CHECKING
    assert _polled(well, WELL, SOAKING, SOAK).status is I.COMPLETED


def test_instance_that_turns_unhealthy_late_in_its_soak_fails() -> None:
    assert _polled(replace(CHECKING, healthy_seconds=1.0), ILL, SOAKING, SOAK).status is I.FAILED


def test_failed_poll_does_not_count_as_unhealthy() -> None:
    soaking = watched(replace(CHECKING, healthy_seconds=1.0, healthy=True, last_health_at=after(1)), STEP + 5)
    assert next_health(soaking, None, SOAKING, after(STEP + 5)) == soaking


def test_failed_poll_completes_no_instance() -> None:
    soaking = replace(CHECKING, healthy_seconds=0.0)
    assert _polled(soaking, None, SOAKING, SOAK + 1).status is I.HEALTH_CHECKING
    assert _polled(soaking, None, SOAKING, STEP + SOAK + 1).status is I.FAILED


@pytest.mark.parametrize("status", [I.PENDING, I.COMPLETED, I.FAILED])
def test_watched_seconds_are_counted_for_a_step_in_flight_only(status: InstanceStatus) -> None:
    assert watched(_in(status), 5) == _in(status)
    assert watched(_in(I.DRAINING), 5).step_seconds == 5
