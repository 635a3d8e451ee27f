"""Which clocks stop while nobody looks, and which do not."""

from dataclasses import replace
from datetime import timedelta

import pytest

from tests.unit.domain.builders import after, make_instance
from upgrade_orchestrator.domain.instance.instance import IN_FLIGHT, Instance, InstanceStatus
from upgrade_orchestrator.domain.plan.batch import Batch
from upgrade_orchestrator.domain.plan.downtime import excuse, excuse_batch
from upgrade_orchestrator.domain.plan.plan import BatchKind

I = InstanceStatus  # noqa: E741
HOUR, NO_SOAK, SOAK = timedelta(hours=1), timedelta(), timedelta(seconds=60)
BACK = after(3600)
"When somebody looks again."


def _in(status: InstanceStatus, **fields: object) -> Instance:
    return make_instance("i-01", status, step_started_at=after(-30), **fields)


@pytest.mark.parametrize("status", sorted(IN_FLIGHT))
def test_step_under_way_goes_on_with_the_time_that_was_left(status: InstanceStatus) -> None:
    assert excuse(_in(status), HOUR, BACK).step_started_at == after(3600 - 30)


def test_soak_goes_on_with_what_was_seen_of_it() -> None:
    soaking = _in(I.HEALTH_CHECKING, healthy_since=after(-10))
    assert excuse(soaking, HOUR, BACK).healthy_since == after(3600 - 10)


def test_way_back_goes_on_too() -> None:
    assert excuse(_in(I.COMPLETED, revert=I.UPGRADING), HOUR, BACK).step_started_at == after(3600 - 30)


@pytest.mark.parametrize("status", sorted(set(I) - IN_FLIGHT))
def test_instance_that_is_not_in_flight_has_no_clock(status: InstanceStatus) -> None:
    assert excuse(_in(status), HOUR, BACK) == _in(status)


def test_no_clock_goes_into_the_future() -> None:
    assert excuse(_in(I.UPGRADING), HOUR * 2, BACK).step_started_at == BACK
    set_back = replace(_in(I.UPGRADING), step_started_at=after(7200))
    assert excuse(set_back, NO_SOAK, BACK).step_started_at == BACK


def test_row_is_otherwise_as_it_was() -> None:
    accepted = _in(I.UPGRADING, accepted_at=after(-20), started_at=after(-60), attempts=1)
    assert replace(excuse(accepted, HOUR, BACK), step_started_at=after(-30)) == accepted


def test_wait_for_a_fleet_goes_on_with_the_time_that_was_left() -> None:
    batch = Batch(1, "BATCH", due_at=after(-50), started_at=after(-40), blocked_since=after(-30))
    assert excuse_batch(batch, NO_SOAK, HOUR, BACK) == replace(batch, blocked_since=after(3600 - 30))


def test_delay_of_a_batch_is_over_when_it_is_over() -> None:
    batch = Batch(2, "BATCH", due_at=after(60))
    assert excuse_batch(batch, SOAK, HOUR, BACK) == batch


def test_delay_is_not_shortened_by_a_clock_that_is_behind_for_a_while() -> None:
    batch = Batch(2, "BATCH", due_at=after(7200), blocked_since=after(7000))
    assert excuse_batch(batch, SOAK, timedelta(), BACK) == replace(batch, blocked_since=BACK)


def test_batch_that_is_completed_has_no_clock() -> None:
    batch = Batch(1, "BATCH", blocked_since=after(-30), completed_at=after(-10))
    assert excuse_batch(batch, NO_SOAK, HOUR, BACK) == batch


GREEN = Batch(1, BatchKind.GREEN, completed_at=after(-30), switched_at=after(-20), due_at=after(40))


def test_soak_of_a_pool_goes_on_with_what_was_left() -> None:
    pushed = excuse_batch(GREEN, SOAK, HOUR, BACK)
    assert (pushed.switched_at, pushed.due_at) == (after(3600 - 20), after(3600 + 40))


def test_soak_of_a_pool_is_never_longer_than_it_is() -> None:
    assert excuse_batch(GREEN, SOAK, HOUR * 3, BACK).due_at == BACK + SOAK


@pytest.mark.parametrize("batch", [replace(GREEN, switched_at=None), replace(GREEN, soaked_at=after(-5))])
def test_pool_that_does_not_soak_has_no_such_clock(batch: Batch) -> None:
    assert excuse_batch(batch, SOAK, HOUR, BACK) == batch
