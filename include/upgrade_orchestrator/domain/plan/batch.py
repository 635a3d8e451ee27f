"""What a batch should do next: a pure decision, carried out by the runner (contract section 4)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from upgrade_orchestrator.domain.execution.states import ExecutionStatus, is_terminal
from upgrade_orchestrator.domain.instance.instance import SETTLED, Instance, InstanceStatus
from upgrade_orchestrator.domain.plan.budget import Room, startable
from upgrade_orchestrator.domain.plan.direction import Direction


@dataclass(frozen=True, slots=True)
class Batch:
    """A batch's own clock; ``due_at`` is when it may start, ``blocked_since`` when it last found no budget.

    BLUE_GREEN: ``switched_at`` is when its pool got the traffic, ``soaked_at`` when it had proved itself there; in
    between ``due_at`` is when it will have, None while it is ill. ``blocked_since`` then is since when its next step
    has no effect.
    """

    number: int
    kind: str
    due_at: datetime | None = None
    started_at: datetime | None = None
    completed_at: datetime | None = None
    blocked_since: datetime | None = None
    switched_at: datetime | None = None
    soaked_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class BatchView:
    """All that the decision reads: rows of the database and what the fleet has just said."""

    status: ExecutionStatus
    batch: Batch
    is_last: bool
    instances: Sequence[Instance]
    room: Room
    unavailable: frozenset[str]
    patience: timedelta
    """How long a fleet that is short of instances through no doing of ours is waited for."""
    direction: Direction = Direction.FORWARD

    def of_batch(self) -> list[Instance]:
        """The instances of this batch, in the plan's order, after what an earlier one has left untouched."""
        number = self.batch.number
        return [each for each in self.instances if each.batch == number or (each.batch < number and _is_left(each))]

    def in_flight(self) -> list[str]:
        """What this execution works on right now, whichever batch it belongs to."""
        return [each.instance_id for each in self.instances if each.in_flight]

    def being_worked_on(self) -> list[str]:
        """What takes a place in the batch: in flight, and not merely watched for its soak."""
        return [each.instance_id for each in self.instances if each.in_flight and not each.soaking]

    def second_tries(self) -> list[str]:
        """Failed instances that have their one more try left."""
        return [each.instance_id for each in self.instances if each.may_retry]

    def counted_unavailable(self) -> frozenset[str]:
        """Everything that eats the budget: what the fleet reports as down, what is in flight, what failed."""
        return self.unavailable | {each.instance_id for each in self.instances if _counts(each)}


def _is_left(instance: Instance) -> bool:
    return instance.status is InstanceStatus.PENDING


def _counts(instance: Instance) -> bool:
    return instance.status is InstanceStatus.FAILED or (instance.in_flight and not instance.soaking)


@dataclass(frozen=True, slots=True)
class StartInstances:
    """Begin work on these now."""

    ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Wait:
    """Nothing to begin before ``until`` (None: before something changes)."""

    until: datetime | None
    blocked: bool = False
    """True when the fleet is short of instances, not the clock: remember since when."""


@dataclass(frozen=True, slots=True)
class Stop:
    """This batch ends early: the execution's status says why."""

    reason: str


@dataclass(frozen=True, slots=True)
class NoBudgetLeft:
    """Nothing in flight, nothing may be started, and nothing of ours will change that."""

    reason: str


@dataclass(frozen=True, slots=True)
class BatchDone:
    """Every instance of the batch has come to its end."""


Decision = StartInstances | Wait | Stop | NoBudgetLeft | BatchDone


def next_step(view: BatchView, now: datetime) -> Decision:
    """What to do with the batch at ``now``."""
    if view.status is ExecutionStatus.PAUSED:
        return Wait(None)
    if view.batch.completed_at is not None and not _is_over(view.status):
        return BatchDone()  # its task did not live to say so
    if not view.direction.may_start(view.status):
        return Wait(None) if view.in_flight() else Stop(_why(view.status))
    if view.batch.due_at is not None and now < view.batch.due_at:
        return Wait(view.batch.due_at)
    return _work(view, now)


def _is_over(status: ExecutionStatus) -> bool:
    return is_terminal(status) or status is ExecutionStatus.ROLLING_BACK


def _why(status: ExecutionStatus) -> str:
    return f"the execution is {status.value}" if is_terminal(status) else f"the execution went to {status.value}"


def _work(view: BatchView, now: datetime) -> Decision:
    pending = [each.instance_id for each in view.of_batch() if each.status is InstanceStatus.PENDING]
    chosen = startable(pending, view.room, view.being_worked_on(), view.counted_unavailable())
    if chosen:
        return StartInstances(tuple(chosen))
    if view.in_flight():
        return Wait(None)
    if pending:
        return _blocked(view, now)
    return _finish(view)


def _finish(view: BatchView) -> Decision:
    again = view.second_tries() if view.is_last else []
    if again:
        return _again(view, again)
    assert all(each.status in SETTLED for each in view.of_batch())
    return BatchDone()


def _again(view: BatchView, failed: list[str]) -> StartInstances:
    return StartInstances(tuple(startable(failed, view.room, (), view.counted_unavailable())))


def _blocked(view: BatchView, now: datetime) -> Decision:
    """No budget and nothing in flight: failed instances get their try, others are waited for, but not for ever."""
    if view.second_tries():
        return _again(view, view.second_tries())
    if view.status is ExecutionStatus.CANARY_RUNNING and any(each.status in SETTLED for each in view.of_batch()):
        return BatchDone()  # the monitor judges the canaries there are, and does not count the others as well
    foreign = view.unavailable - {each.instance_id for each in view.instances if each.status is InstanceStatus.FAILED}
    since = view.batch.blocked_since or now
    if foreign and now < since + view.patience:
        return Wait(since + view.patience, blocked=True)
    return NoBudgetLeft(f"no budget left: unavailable are {', '.join(sorted(view.counted_unavailable()))}")
