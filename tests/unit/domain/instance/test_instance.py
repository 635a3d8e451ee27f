"""The instance's lifecycle against specification section 5, and what move() records besides the status."""

from itertools import product

import pytest

from tests.unit.domain.builders import NOW, after, make_instance
from upgrade_orchestrator.domain.errors import InvalidState
from upgrade_orchestrator.domain.instance.instance import (
    IN_FLIGHT,
    TOUCHED,
    TRANSITIONS,
    InstanceStatus,
    move,
    watched,
)

I = InstanceStatus  # noqa: E741 - a table of one-letter rows reads best

ALLOWED = {
    "PENDING": "DRAINING",
    "DRAINING": "UPGRADING FAILED PENDING ROLLED_BACK",
    "UPGRADING": "HEALTH_CHECKING FAILED ROLLED_BACK",
    "HEALTH_CHECKING": "COMPLETED FAILED ROLLED_BACK",
    "COMPLETED": "HEALTH_CHECKING FAILED ROLLED_BACK",
    "FAILED": "DRAINING ROLLED_BACK",
    "ROLLED_BACK": "",
}
PAIRS = list(product(InstanceStatus, InstanceStatus))


@pytest.mark.parametrize(("old", "new"), PAIRS, ids=[f"{old} => {new}" for old, new in PAIRS])
def test_instance_moves_exactly_where_the_specification_says(old: InstanceStatus, new: InstanceStatus) -> None:
    instance = make_instance(status=old)
    if new.value in ALLOWED[old].split():
        assert move(instance, new, NOW).status is new
        return
    with pytest.raises(InvalidState, match=f"instance i-01 to {new}") as refusal:
        move(instance, new, NOW)
    assert refusal.value.extra["allowedFrom"] == [each for each in ALLOWED if new.value in ALLOWED[each].split()]


def test_statuses_are_those_of_the_specification() -> None:
    assert [status.value for status in InstanceStatus] == list(ALLOWED)
    assert set(TRANSITIONS) == set(InstanceStatus)


def test_instance_goes_backwards_only_by_a_second_look_a_second_try_and_a_cancel() -> None:
    """Everything else leads onwards in the order of section 5, so no cycle but these exists."""
    order = list(InstanceStatus)
    back = {(old, new) for old in order for new in TRANSITIONS[old] if order.index(new) < order.index(old)}
    assert back == {(I.COMPLETED, I.HEALTH_CHECKING), (I.FAILED, I.DRAINING), (I.DRAINING, I.PENDING)}


@pytest.mark.parametrize("status", InstanceStatus)
def test_instance_is_in_flight_from_its_drain_to_the_end_of_its_health_check(status: InstanceStatus) -> None:
    expected = status.value in {"DRAINING", "UPGRADING", "HEALTH_CHECKING"}
    assert make_instance(status=status).in_flight is expected
    assert (status in IN_FLIGHT) is expected


def test_touched_instances_are_those_that_a_rollback_reverts() -> None:
    assert {status.value for status in TOUCHED} == {"COMPLETED", "HEALTH_CHECKING", "UPGRADING", "FAILED"}


def test_attempts_count_the_drains() -> None:
    first = move(make_instance(), I.DRAINING, NOW)
    failed = move(first, I.FAILED, after(1), error="drain refused")
    second = move(failed, I.DRAINING, after(2))
    assert [first.attempts, failed.attempts, second.attempts] == [1, 1, 2]


def test_second_try_says_why_the_first_one_failed_until_it_has_ended_itself() -> None:
    first = move(make_instance(), I.DRAINING, NOW)
    row, said = move(first, I.FAILED, after(1), error="drain refused"), [first.error]
    for to in (I.DRAINING, I.UPGRADING, I.HEALTH_CHECKING, I.COMPLETED):
        row = move(row, to, after(2))
        said.append(row.error)
    assert said == [None, *["drain refused"] * 3, None]


def test_move_keeps_the_times_of_start_and_end_and_counts_each_step_from_its_start() -> None:
    draining = watched(move(make_instance(), I.DRAINING, after(1)), 1)
    upgrading = move(draining, I.UPGRADING, after(2))
    checking = move(upgrading, I.HEALTH_CHECKING, after(3))
    done = move(checking, I.COMPLETED, after(4))
    assert [each.started_at for each in (draining, upgrading, checking, done)] == [after(1)] * 4
    assert [each.step_seconds for each in (draining, upgrading, checking)] == [1, 0, 0]
    assert [each.completed_at for each in (checking, done)] == [None, after(4)]


def test_second_try_keeps_the_first_start_and_clears_the_end() -> None:
    failed = make_instance(status=I.FAILED, attempts=1, started_at=NOW, completed_at=after(5))
    again = move(failed, I.DRAINING, after(9))
    assert (again.started_at, again.completed_at) == (NOW, None)


def test_move_to_another_status_clears_the_soak() -> None:
    soaking = make_instance(status=I.HEALTH_CHECKING, healthy_seconds=0.0)
    assert move(soaking, I.FAILED, after(1), error="ill again").healthy_seconds is None


def test_undrained_instance_has_no_step_running() -> None:
    draining = watched(move(make_instance(), I.DRAINING, NOW), 1)
    assert move(draining, I.PENDING, after(1)).step_seconds == 0
