"""The lifecycle of one instance within one execution (contract section 5)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from upgrade_orchestrator.domain.errors import InvalidState


class InstanceStatus(StrEnum):
    """Where an instance stands; each member says what it means and what comes next."""

    PENDING = "PENDING"
    "Not touched by this execution (or undrained again after a cancel)."
    DRAINING = "DRAINING"
    "Asked to let go of its connections; the version is set once it has."
    UPGRADING = "UPGRADING"
    "The target version is being put in place."
    HEALTH_CHECKING = "HEALTH_CHECKING"
    "Runs again; must report the target version and be healthy, and stay so for the soak."
    COMPLETED = "COMPLETED"
    "On the target version and healthy."
    FAILED = "FAILED"
    "Did not get there; tried once more, later."
    ROLLED_BACK = "ROLLED_BACK"
    "Back on its own previous version."


I = InstanceStatus  # noqa: E741 - a table of one-letter rows reads best

TRANSITIONS: dict[InstanceStatus, frozenset[InstanceStatus]] = {
    I.PENDING: frozenset({I.DRAINING}),
    I.DRAINING: frozenset({I.UPGRADING, I.FAILED, I.PENDING, I.ROLLED_BACK}),
    I.UPGRADING: frozenset({I.HEALTH_CHECKING, I.FAILED, I.ROLLED_BACK}),
    I.HEALTH_CHECKING: frozenset({I.COMPLETED, I.FAILED, I.ROLLED_BACK}),
    I.COMPLETED: frozenset({I.ROLLED_BACK}),
    I.FAILED: frozenset({I.DRAINING, I.ROLLED_BACK}),
    I.ROLLED_BACK: frozenset(),
}

IN_FLIGHT: frozenset[InstanceStatus] = frozenset({I.DRAINING, I.UPGRADING, I.HEALTH_CHECKING})
SETTLED: frozenset[InstanceStatus] = frozenset({I.COMPLETED, I.FAILED})
TOUCHED: frozenset[InstanceStatus] = frozenset({I.COMPLETED, I.HEALTH_CHECKING, I.UPGRADING, I.FAILED})
"What a rollback reverts (contract section 4)."

ROLLBACK_BATCH = 0
"The batch of a rollback's rows: one batch, newest first, under the same budget."
MAX_ATTEMPTS = 2
"The first try and the one more."


@dataclass(frozen=True, slots=True)
class Instance:
    """One instance of the plan, or of a rollback (batch ``ROLLBACK_BATCH``), and how far it is; times are UTC.

    ``attempts`` counts the tries begun, ``accepted_at`` is when the fleet took this step's order. ``step_seconds`` is
    how long this step was watched, ``healthy_seconds`` for how long of that it has been healthy without a break (None:
    it is not). ``revert`` says where its row in the rollback stands, None before that has begun.
    """

    instance_id: str
    batch: int
    position: int
    status: InstanceStatus
    from_version: str
    to_version: str
    attempts: int = 0
    healthy: bool | None = None
    last_health_at: datetime | None = None
    error: str | None = None
    started_at: datetime | None = None
    completed_at: datetime | None = None
    step_seconds: float = 0.0
    accepted_at: datetime | None = None
    healthy_seconds: float | None = None
    revert: InstanceStatus | None = None
    replacement: str | None = None
    """BLUE_GREEN: the id of the instance of the new pool that takes its place; once known it stays the same."""

    @property
    def in_flight(self) -> bool:
        """True while this execution works on it, forward or back."""
        return (self.revert or self.status) in IN_FLIGHT

    @property
    def soaking(self) -> bool:
        """True while it is upgraded, healthy, and merely watched."""
        return self.status is InstanceStatus.HEALTH_CHECKING and self.healthy_seconds is not None

    @property
    def may_retry(self) -> bool:
        """True when it failed and has its one more try left."""
        return self.status is InstanceStatus.FAILED and self.attempts < MAX_ATTEMPTS


def is_in_flight(status: InstanceStatus, revert: InstanceStatus | None) -> bool:
    """True of an instance that is worked on, forward or back."""
    return (revert or status) in IN_FLIGHT


def move(instance: Instance, to: InstanceStatus, now: datetime, error: str | None = None) -> Instance:
    """The instance in its next status at ``now``.

    :raises InvalidState: when section 5 knows no such step.
    """
    if to not in TRANSITIONS[instance.status]:
        allowed = [status.value for status in InstanceStatus if to in TRANSITIONS[status]]
        raise InvalidState(f"instance {instance.instance_id} to {to.value}", instance.status.value, allowed)
    begins = to is InstanceStatus.DRAINING
    return replace(
        instance,
        status=to,
        error=error,
        attempts=instance.attempts + 1 if begins else instance.attempts,
        started_at=instance.started_at or (now if begins else None),
        completed_at=now if to in SETTLED or to is InstanceStatus.ROLLED_BACK else None,
        step_seconds=0.0,
        accepted_at=None,
        healthy_seconds=None,
    )


def watched(instance: Instance, seconds: float) -> Instance:
    """The instance after its step was watched for so many more seconds.

    Only these count towards time-outs and soaks: a pause, a crash or a clock that jumps is no time that was watched.
    """
    if instance.status not in IN_FLIGHT:
        return instance
    healthy = None if instance.healthy_seconds is None else instance.healthy_seconds + seconds
    return replace(instance, step_seconds=instance.step_seconds + seconds, healthy_seconds=healthy)
