"""What the runner does next with a batch: a pure decision (specification section 4)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import Enum, StrEnum
from typing import Self

from upgrade_orchestrator.domain.execution.states import MAY_START, ExecutionStatus, is_terminal
from upgrade_orchestrator.domain.instance.action import Timeouts
from upgrade_orchestrator.domain.instance.instance import (
    FINISHED,
    IN_FLIGHT,
    MAX_ATTEMPTS,
    ROLLBACK_BATCH,
    Instance,
    InstanceStatus,
)
from upgrade_orchestrator.domain.instance.names import named
from upgrade_orchestrator.domain.plan.budget import Limits, concurrency, startable
from upgrade_orchestrator.domain.plan.plan import BatchKind, Plan

ABSENT_SECONDS = 2.0
"How often the fleet is looked at while nothing can be done but wait for instances that its list leaves out."


class Phase(StrEnum):
    """What is next for the new pool of a BLUE_GREEN upgrade once its instances run, in this order."""

    CHECK = "CHECK"
    "The pool is checked before it gets the traffic."
    SWITCH = "SWITCH"
    "The pool was healthy when it was checked: the traffic is switched to it."
    SOAK = "SOAK"
    "The pool has the traffic and must stay healthy for the soak."
    RETIRE = "RETIRE"
    "The soak is over: the old pool is to be removed next."
    DONE = "DONE"
    "The old pool is gone: nothing is left to do."

    def reached(self, other: Phase) -> bool:
        """True when ``other`` is this phase or one before it."""
        return _PHASES.index(self) >= _PHASES.index(other)


_PHASES = list(Phase)
SWITCHED = tuple(each for each in Phase if each.reached(Phase.SOAK))
"The phases of a new pool that has got the traffic."


@dataclass(frozen=True, slots=True)
class Batch:
    """The times of a batch; ``due_at`` is when it may start.

    ``blocked_seconds`` are the watched seconds for which it has been unable to continue (None: it is not blocked):

    - no budget is left, because other instances are unavailable
    - nothing is in flight and the fleet does not respond
    - BLUE_GREEN: the present action on the pools has had no effect yet

    ``phase`` is what is next for the new pool, since ``phase_started_at``. In the soak ``soak_seconds`` counts the
    watched seconds, and ``healthy_seconds`` how many of these the pool was healthy without a break (None: it is not
    healthy).
    """

    number: int
    kind: str
    due_at: datetime | None = None
    started_at: datetime | None = None
    completed_at: datetime | None = None
    blocked_seconds: float | None = None
    phase: Phase = Phase.CHECK
    phase_started_at: datetime | None = None
    soak_seconds: float = 0.0
    healthy_seconds: float | None = None

    @property
    def clock_runs(self) -> bool:
        """True while watched seconds are counted for it."""
        return self.phase is Phase.SOAK or self.blocked_seconds is not None


def watched(batch: Batch, seconds: float) -> Batch:
    """The batch after it was watched for ``seconds`` more."""
    if not batch.clock_runs:
        return batch
    blocked = None if batch.blocked_seconds is None else batch.blocked_seconds + seconds
    if batch.phase is not Phase.SOAK:
        return replace(batch, blocked_seconds=blocked)
    healthy = None if batch.healthy_seconds is None else batch.healthy_seconds + seconds
    soaked = batch.soak_seconds + seconds
    return replace(batch, blocked_seconds=blocked, soak_seconds=soaked, healthy_seconds=healthy)


class Direction(Enum):
    """Forward to the target version, or backward in a rollback."""

    FORWARD = "FORWARD"
    BACKWARD = "BACKWARD"

    def may_start(self, status: ExecutionStatus) -> bool:
        """Whether work on another instance may begin."""
        return status in MAY_START if self is Direction.FORWARD else status is ExecutionStatus.ROLLING_BACK

    def withdrawn(self, status: ExecutionStatus) -> bool:
        """Whether an instance that is only drained has to be undrained."""
        if self is Direction.FORWARD:
            return status not in MAY_START and status is not ExecutionStatus.PAUSED
        return status is not ExecutionStatus.ROLLING_BACK


@dataclass(frozen=True, slots=True)
class BatchRules:
    """The rules of one batch by the frozen plan; ``poll_seconds`` is the longest gap between health polls."""

    limits: Limits
    is_last: bool
    timeouts: Timeouts
    poll_seconds: float

    @classmethod
    def of(cls, plan: Plan, number: int, poll_seconds: float) -> Self:
        """The rules of batch ``number``; a rollback (``ROLLBACK_BATCH``) is a last batch of all, without a soak."""
        planned = plan.batches[number - 1] if number != ROLLBACK_BATCH else None
        instances = planned.instances if planned else plan.instances
        limits = Limits(concurrency(len(instances), plan.batch_size, plan.budget), plan.budget)
        # the new pool of BLUE_GREEN soaks as a whole, after the traffic was switched
        soaks = planned is not None and planned.kind is not BatchKind.GREEN
        soak = float(plan.soak_seconds) if soaks else 0.0
        timeouts = Timeouts(float(plan.health_check_timeout_seconds), soak, poll_seconds)
        return cls(limits, planned is None or number == len(plan.batches), timeouts, poll_seconds)


@dataclass(frozen=True, slots=True)
class BatchView:
    """Everything that the decision reads: rows of the database, and the fleet as just observed."""

    status: ExecutionStatus
    batch: Batch
    is_last: bool
    instances: Sequence[Instance]
    limits: Limits
    unavailable: frozenset[str]
    timeout: float
    """How many watched seconds to wait while instances that this execution did not touch use up the budget."""
    direction: Direction = Direction.FORWARD
    absent: frozenset[str] = frozenset()
    """Instances that the fleet's list leaves out at the moment; they are not started."""


@dataclass(frozen=True, slots=True)
class StartInstances:
    """Begin work on these now."""

    ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Wait:
    """Nothing can begin for ``seconds`` (None: until something changes)."""

    seconds: float | None
    blocked: bool = False
    """True when the budget is used up by other instances: the time of this is counted."""


@dataclass(frozen=True, slots=True)
class Stop:
    """End this batch early, because of the execution's status."""

    reason: str


@dataclass(frozen=True, slots=True)
class NoBudgetLeft:
    """Nothing is in flight, nothing may be started, and no work of this execution will change that."""

    reason: str


@dataclass(frozen=True, slots=True)
class BatchDone:
    """Every instance of the batch is COMPLETED or FAILED."""


Decision = StartInstances | Wait | Stop | NoBudgetLeft | BatchDone


def decide(view: BatchView, now: datetime) -> Decision:
    """What to do with the batch at ``now``."""
    if view.status is ExecutionStatus.PAUSED:
        return Wait(None)
    if view.batch.completed_at is not None and not _is_over(view.status):
        return BatchDone()  # completed by a runner that died before its task ended
    if not view.direction.may_start(view.status):
        return Wait(None) if any(each.status in IN_FLIGHT for each in view.instances) else Stop(_why(view.status))
    if view.batch.due_at is not None and now < view.batch.due_at:
        return Wait((view.batch.due_at - now).total_seconds())
    flying = [each for each in view.instances if each.status in IN_FLIGHT]
    failed = [each for each in view.instances if each.status is InstanceStatus.FAILED]
    checked = [each for each in flying if each.status is InstanceStatus.HEALTH_CHECKING]
    soaking = {each.instance_id for each in checked if each.healthy_seconds is not None}  # these serve already
    busy = [each.instance_id for each in flying if each.instance_id not in soaking]
    counted = view.unavailable.union(busy, (each.instance_id for each in failed))
    pending = [each for each in view.instances if each.status is InstanceStatus.PENDING]
    waiting = [each.instance_id for each in pending if each.batch <= view.batch.number]
    if chosen := startable([each for each in waiting if each not in view.absent], view.limits, busy, counted):
        return StartInstances(tuple(chosen))
    if flying:
        return Wait(None)
    again = [each.instance_id for each in failed if each.attempts < MAX_ATTEMPTS] if waiting or view.is_last else []
    if chosen := startable([each for each in again if each not in view.absent], view.limits, (), counted):
        return StartInstances(tuple(chosen))
    if view.absent and (waiting or again):
        return Wait(ABSENT_SECONDS)  # they come back, or are gone after the time-out
    return _blocked(view, counted) if waiting else BatchDone()


def _is_over(status: ExecutionStatus) -> bool:
    return is_terminal(status) or status is ExecutionStatus.ROLLING_BACK


def _why(status: ExecutionStatus) -> str:
    return f"the execution is {status.value}" if is_terminal(status) else f"the execution went to {status.value}"


def _blocked(view: BatchView, counted: frozenset[str]) -> Decision:
    """No budget and nothing in flight or to retry: wait up to ``timeout`` for the instances of others."""
    if view.status is ExecutionStatus.CANARY_RUNNING and any(
        each.status in FINISHED and each.batch == view.batch.number for each in view.instances
    ):
        return BatchDone()  # the canary monitor decides on the canaries that were deployed
    foreign = view.unavailable - {each.instance_id for each in view.instances if each.status is InstanceStatus.FAILED}
    left = view.timeout - (view.batch.blocked_seconds or 0.0)
    if foreign and left > 0:
        return Wait(left, blocked=True)
    return NoBudgetLeft(f"no budget left: unavailable are {named(sorted(counted))}")
