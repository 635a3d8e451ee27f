"""The lifecycle of one instance within one execution (specification section 5)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from upgrade_orchestrator.domain.errors import InvalidState


class InstanceStatus(StrEnum):
    """The status of an instance; each member says what it means and what comes next."""

    PENDING = "PENDING"
    "Not touched by this execution, or undrained after a cancel."
    DRAINING = "DRAINING"
    "Ordered to drain its connections; the version is set once it has."
    UPGRADING = "UPGRADING"
    "The target version is being installed."
    HEALTH_CHECKING = "HEALTH_CHECKING"
    "Running again; it must report the target version, be healthy and stay so for the soak."
    COMPLETED = "COMPLETED"
    "On the target version and healthy. Found ill later, it is checked again."
    FAILED = "FAILED"
    "Did not reach the target version, or did not stay healthy at it; it is tried once more, later."
    ROLLED_BACK = "ROLLED_BACK"
    "Back on its own previous version."


I = InstanceStatus  # noqa: E741 - a table of one-letter rows reads best

TRANSITIONS: dict[InstanceStatus, frozenset[InstanceStatus]] = {
    I.PENDING: frozenset({I.DRAINING}),
    I.DRAINING: frozenset({I.UPGRADING, I.FAILED, I.PENDING, I.ROLLED_BACK}),
    I.UPGRADING: frozenset({I.HEALTH_CHECKING, I.FAILED, I.ROLLED_BACK}),
    I.HEALTH_CHECKING: frozenset({I.COMPLETED, I.FAILED, I.ROLLED_BACK}),
    I.COMPLETED: frozenset({I.HEALTH_CHECKING, I.FAILED, I.ROLLED_BACK}),
    I.FAILED: frozenset({I.DRAINING, I.ROLLED_BACK}),
    I.ROLLED_BACK: frozenset(),
}

IN_FLIGHT: frozenset[InstanceStatus] = frozenset({I.DRAINING, I.UPGRADING, I.HEALTH_CHECKING})
FINISHED: frozenset[InstanceStatus] = frozenset({I.COMPLETED, I.FAILED})
TOUCHED: frozenset[InstanceStatus] = frozenset({I.COMPLETED, I.HEALTH_CHECKING, I.UPGRADING, I.FAILED})
"Statuses of instances that a rollback reverts (specification section 4)."

ROLLBACK_BATCH = 0
"The batch number of a rollback's rows: a rollback is one batch, newest instance first, under the same budget."
MAX_ATTEMPTS = 2
"The first try and the second one."


@dataclass(frozen=True, slots=True)
class Instance:
    """The progress of one instance of the plan, or of a rollback (batch ``ROLLBACK_BATCH``); times are UTC.

    ``from_version`` None: the fleet did not tell it, so a rollback cannot restore it.
    ``attempts`` counts the tries begun, ``accepted_at`` is when the fleet accepted this step's order. ``step_seconds``
    is how long this step was watched, ``healthy_seconds`` how long of that the instance was healthy without a break
    (None: it is not healthy). ``revert`` is the status of its row in the rollback, None before that has begun.

    ``absent_seconds`` is for how long the fleet's list has left it out (None: it is there); ``gone`` is True once that
    was too long: from then on it takes no part in anything. ``drained_before`` is True if others had drained it before
    the upgrade. ``relapses`` counts how often it was found ill after it was COMPLETED.
    """

    instance_id: str
    batch: int
    position: int
    status: InstanceStatus
    from_version: str | None
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
    """BLUE_GREEN: the id of the instance of the new pool that replaces it; once set it stays the same."""
    reported: str | None = None
    """The version as the fleet spells it, as last written."""
    absent_seconds: float | None = None
    gone: bool = False
    drained_before: bool = False
    relapses: int = 0

    @property
    def in_flight(self) -> bool:
        """True while the execution upgrades it or rolls it back."""
        return (self.revert or self.status) in IN_FLIGHT


def is_in_flight(status: InstanceStatus, revert: InstanceStatus | None) -> bool:
    """True of an instance with these statuses that is being upgraded or rolled back."""
    return (revert or status) in IN_FLIGHT


def move(instance: Instance, to: InstanceStatus, now: datetime, error: str | None = None) -> Instance:
    """The instance in status ``to`` since ``now``.

    :raises InvalidState: section 5 has no such transition.
    """
    if to not in TRANSITIONS[instance.status]:
        allowed = [status.value for status in InstanceStatus if to in TRANSITIONS[status]]
        raise InvalidState(f"instance {instance.instance_id} to {to.value}", instance.status.value, allowed)
    begins = to is InstanceStatus.DRAINING
    if error is None and to in IN_FLIGHT and instance.status is not InstanceStatus.COMPLETED:
        error = instance.error  # in its second try it says why the first one failed
    relapsed = instance.status is InstanceStatus.COMPLETED and to is not InstanceStatus.ROLLED_BACK
    return replace(
        instance,
        status=to,
        error=error,
        attempts=instance.attempts + 1 if begins else instance.attempts,
        started_at=instance.started_at or (now if begins else None),
        completed_at=now if to in FINISHED or to is InstanceStatus.ROLLED_BACK else None,
        step_seconds=0.0,
        accepted_at=None,
        healthy_seconds=None,
        relapses=instance.relapses + relapsed,
    )


def watched(instance: Instance, seconds: float) -> Instance:
    """The instance after its step was watched for ``seconds`` more.

    Only watched time counts towards time-outs and soaks: not a pause, a crash or a jump of the clock.
    """
    if instance.status not in IN_FLIGHT:
        return instance
    healthy = None if instance.healthy_seconds is None else instance.healthy_seconds + seconds
    return replace(instance, step_seconds=instance.step_seconds + seconds, healthy_seconds=healthy)
