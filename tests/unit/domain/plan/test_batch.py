"""What a batch does next, by examples (specification section 4); the simulation beside it searches for the rest."""

from typing import Any

import pytest

from tests.unit.domain.builders import NOW, after, make_instance, name
from upgrade_orchestrator.domain.execution.states import MAY_START, ExecutionStatus
from upgrade_orchestrator.domain.instance.instance import Instance, InstanceStatus
from upgrade_orchestrator.domain.plan.batch import (
    Batch,
    BatchDone,
    BatchView,
    NoBudgetLeft,
    StartInstances,
    Stop,
    Wait,
    decide,
)
from upgrade_orchestrator.domain.plan.budget import Limits

I = InstanceStatus  # noqa: E741 - a table of one-letter rows reads best
S = ExecutionStatus
MAY_NOT_START = [status for status in S if status not in MAY_START and status is not S.PAUSED]
TIMEOUT = 100


def rows(*statuses: InstanceStatus, batch: int = 1, first: int = 0, **fields: Any) -> list[Instance]:
    """Instances i-00, i-01, … of one batch; failed and running ones are at their first try."""
    return [
        make_instance(
            name(first + index),
            status,
            batch=batch,
            position=first + index,
            **{"attempts": 0 if status is I.PENDING else 1, **fields},
        )
        for index, status in enumerate(statuses)
    ]


def view(instances: list[Instance], **fields: Any) -> BatchView:
    values: dict[str, Any] = {
        "status": S.IN_PROGRESS,
        "batch": Batch(1, "BATCH"),
        "is_last": False,
        "limits": Limits(2, 2),
        "unavailable": frozenset(),
        "timeout": TIMEOUT,
    }
    return BatchView(instances=instances, **{**values, **fields})


def starts(*indexes: int) -> StartInstances:
    return StartInstances(tuple(name(index) for index in indexes))


@pytest.mark.parametrize("status", sorted(MAY_START))
def test_batch_starts_its_first_instances_when_upgrading(status: ExecutionStatus) -> None:
    assert decide(view(rows(I.PENDING, I.PENDING, I.PENDING), status=status), NOW) == starts(0, 1)


def test_batch_starts_no_instance_of_another_batch() -> None:
    instances = [*rows(I.COMPLETED), *rows(I.PENDING, batch=2, first=1)]
    assert decide(view(instances), NOW) == BatchDone()


def test_batch_waits_until_it_is_due() -> None:
    assert decide(view(rows(I.PENDING), batch=Batch(1, "BATCH", due_at=after(60))), NOW) == Wait(60)


def test_batch_starts_when_it_is_due() -> None:
    assert decide(view(rows(I.PENDING), batch=Batch(1, "BATCH", due_at=after(60))), after(60)) == starts(0)


@pytest.mark.parametrize("flying", [[], rows(I.UPGRADING)], ids=["nothing in flight", "in flight"])
def test_batch_waits_without_a_time_out_when_paused(flying: list[Instance]) -> None:
    instances = [*flying, *rows(I.PENDING, first=5)]
    overdue = Batch(1, "BATCH", due_at=after(-60))
    assert decide(view(instances, status=S.PAUSED, batch=overdue), NOW) == Wait(None)


@pytest.mark.parametrize("status", MAY_NOT_START)
def test_batch_stops_with_a_reason_when_not_upgrading(status: ExecutionStatus) -> None:
    decision = decide(view(rows(I.PENDING), status=status), NOW)
    assert isinstance(decision, Stop)
    assert status.value in decision.reason


@pytest.mark.parametrize("status", MAY_NOT_START)
def test_batch_waits_for_what_is_in_flight_when_not_upgrading(status: ExecutionStatus) -> None:
    assert decide(view(rows(I.UPGRADING, I.PENDING), status=status), NOW) == Wait(None)


def test_batch_waits_while_its_in_flight_limit_is_reached() -> None:
    assert decide(view(rows(I.UPGRADING, I.DRAINING, I.PENDING)), NOW) == Wait(None)


def test_soaking_instance_counts_neither_as_in_flight_nor_against_the_budget() -> None:
    soaking = rows(I.HEALTH_CHECKING, I.HEALTH_CHECKING, healthy_seconds=0.0)
    assert decide(view([*soaking, *rows(I.PENDING, first=2)]), NOW) == starts(2)


def test_health_checking_instance_that_is_not_healthy_yet_counts_as_in_flight_and_against_the_budget() -> None:
    checked = rows(I.HEALTH_CHECKING, I.HEALTH_CHECKING)
    assert decide(view([*checked, *rows(I.PENDING, first=2)]), NOW) == Wait(None)


@pytest.mark.parametrize("status", [I.DRAINING, I.UPGRADING])
def test_instance_whose_health_is_not_checked_yet_does_not_soak_whatever_its_row_says(status: I) -> None:
    busy = rows(status, status, healthy_seconds=0.0)
    assert decide(view([*busy, *rows(I.PENDING, first=2)]), NOW) == Wait(None)


def test_soaking_instance_that_turned_unhealthy_counts_against_the_budget_again() -> None:
    soaking = rows(I.HEALTH_CHECKING, I.HEALTH_CHECKING, healthy_seconds=0.0)
    both_ill = frozenset({name(0), name(1)})
    assert decide(view([*soaking, *rows(I.PENDING, first=2)], unavailable=both_ill), NOW) == Wait(None)


@pytest.mark.parametrize("is_last", [True, False])
def test_batch_is_not_done_before_its_soak_is_over(is_last: bool) -> None:
    instances = [*rows(I.COMPLETED), *rows(I.HEALTH_CHECKING, first=1, healthy_seconds=0.0)]
    assert decide(view(instances, is_last=is_last), NOW) == Wait(None)


@pytest.mark.parametrize("is_last", [True, False])
def test_batch_is_done_when_all_completed(is_last: bool) -> None:
    assert decide(view(rows(I.COMPLETED, I.COMPLETED), is_last=is_last), NOW) == BatchDone()


def test_batch_continues_below_the_threshold_when_an_instance_failed() -> None:
    assert decide(view(rows(I.FAILED, I.PENDING)), NOW) == starts(1)


def test_batch_that_is_not_the_last_does_not_begin_second_tries() -> None:
    assert decide(view(rows(I.FAILED, I.COMPLETED), is_last=False), NOW) == BatchDone()


def test_last_batch_begins_the_second_try_of_failed_instances_of_every_batch() -> None:
    instances = [*rows(I.FAILED, I.COMPLETED), *rows(I.FAILED, I.COMPLETED, batch=2, first=2)]
    assert decide(view(instances, is_last=True, batch=Batch(2, "BATCH")), NOW) == starts(0, 2)


def test_last_batch_is_done_when_the_second_try_failed_too() -> None:
    assert decide(view(rows(I.FAILED, I.COMPLETED, attempts=2), is_last=True), NOW) == BatchDone()


def test_last_batch_waits_for_the_second_try() -> None:
    instances = [*rows(I.FAILED), *rows(I.DRAINING, first=1, attempts=2)]
    assert decide(view(instances, is_last=True), NOW) == Wait(None)


def test_failed_instances_that_used_up_the_budget_are_tried_again_at_once() -> None:
    assert decide(view(rows(I.FAILED, I.FAILED, I.PENDING)), NOW) == starts(0, 1)


def test_failed_instances_wait_for_their_second_try_while_an_instance_is_in_flight() -> None:
    instances = [*rows(I.FAILED, I.PENDING), *rows(I.UPGRADING, batch=2, first=2)]
    assert decide(view(instances), NOW) == Wait(None)


def test_batch_ends_when_failed_instances_use_up_the_budget_permanently() -> None:
    decision = decide(view(rows(I.FAILED, I.FAILED, I.PENDING, attempts=2)), NOW)
    assert decision == NoBudgetLeft("no budget left: unavailable are i-00, i-01")


def test_batch_does_not_wait_for_the_fleet_when_only_its_own_failed_instances_are_unavailable() -> None:
    failed = view(rows(I.FAILED, I.FAILED, I.PENDING, attempts=2), unavailable=frozenset({name(0), name(1)}))
    assert isinstance(decide(failed, NOW), NoBudgetLeft)


def test_batch_waits_for_a_fleet_with_instances_unavailable_for_other_reasons() -> None:
    short = view(rows(I.PENDING), unavailable=frozenset({"x-1", "x-2"}))
    assert decide(short, NOW) == Wait(TIMEOUT, blocked=True)


def test_batch_waits_from_the_moment_it_was_first_blocked() -> None:
    short = view(rows(I.PENDING), unavailable=frozenset({"x-1", "x-2"}), batch=Batch(1, "BATCH", blocked_seconds=40))
    assert decide(short, NOW) == Wait(60, blocked=True)


def test_batch_ends_when_the_fleet_lacks_budget_for_longer_than_the_time_out() -> None:
    short = view(rows(I.PENDING), unavailable=frozenset({"x-1", "x-2"}), batch=Batch(1, "BATCH", blocked_seconds=100))
    assert decide(short, NOW) == NoBudgetLeft("no budget left: unavailable are x-1, x-2")


def test_batch_continues_when_the_fleet_recovers() -> None:
    short = view(rows(I.PENDING), unavailable=frozenset({"x-1"}), batch=Batch(1, "BATCH", blocked_seconds=400))
    assert decide(short, NOW) == starts(0)


def test_batch_starts_only_unavailable_instances_while_the_budget_is_used_up() -> None:
    ill = frozenset({name(1), name(2), "x-1"})
    assert decide(view(rows(I.PENDING, I.PENDING, I.PENDING), unavailable=ill), NOW) == starts(1, 2)


def test_batch_without_budget_starts_all_even_if_some_are_unavailable() -> None:
    everything = view(
        rows(I.PENDING, I.PENDING, I.PENDING), limits=Limits(3, None), unavailable=frozenset({"x-1", "i-01"})
    )
    assert decide(everything, NOW) == starts(0, 1, 2)
