"""The next step of one instance in flight, from what the fleet has just said: pure (sections 4, 5 and 11)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from upgrade_orchestrator.domain.instance.fleet import FleetInstance, Health
from upgrade_orchestrator.domain.instance.instance import Instance, InstanceStatus, move

I = InstanceStatus  # noqa: E741 - as in instance.py


class Order(StrEnum):
    """What the fleet may be asked to do with an instance."""

    DRAIN = "drain"
    UNDRAIN = "undrain"
    SET_VERSION = "version"


@dataclass(frozen=True, slots=True)
class Patience:
    """For how many watched seconds a step may last, and for how many an instance must stay healthy."""

    step: float
    soak: float


@dataclass(frozen=True, slots=True)
class Move:
    """Write this row: the instance as it is now."""

    instance: Instance


@dataclass(frozen=True, slots=True)
class Give:
    """Send this order; the row that intends it is written already."""

    order: Order


@dataclass(frozen=True, slots=True)
class Keep:
    """Nothing to do before the fleet says something else."""


Step = Move | Give | Keep


def next_step(
    instance: Instance,
    found: FleetInstance | None,
    withdrawn: bool,
    patience: Patience,
    now: datetime,
    asked_back: bool = True,
) -> Step:
    """The next step of a DRAINING or UPGRADING instance, observed as ``found`` (None: the fleet has it no more).

    ``withdrawn``: the execution wants no new version any more, so what is only drained goes back into service;
    ``asked_back``: this runner has sent that order already.
    """
    if found is None:
        return Move(move(instance, I.FAILED, now, "the fleet does not know this instance any more"))
    if found.own_id is not None:
        instance = replace(instance, replacement=found.own_id)
    called_back = withdrawn and instance.status is I.DRAINING
    if instance.status is I.DRAINING:
        step = _undrain(instance, found, now) if called_back else _drain(instance, found, now)
    else:
        step = _upgrade(instance, found, now)
    if isinstance(step, Move) or (called_back and not asked_back):  # asked once, however long nobody was there to ask
        return step
    # what is called back at the last moment gets the time of a whole step for that
    limit = patience.step * 2 if called_back else patience.step
    return _expire(instance, found, limit, now) or step


def next_step_unseen(instance: Instance, patience: Patience, now: datetime) -> Step:
    """The next step while the fleet cannot be asked: nothing but its time-out."""
    if instance.step_seconds <= patience.step:
        return Keep()
    within = f"{patience.step:g} s of {instance.status.value}"
    return Move(move(instance, I.FAILED, now, f"the fleet did not answer within {within}"))


def _drain(instance: Instance, found: FleetInstance, now: datetime) -> Step:
    there = found.runs(instance.to_version) and found.healthy  # an ill one is upgraded anew: that is its second try
    if there or found.status in ("DRAINED", "STOPPED"):
        return Move(move(instance, I.UPGRADING, now))
    if found.status == "RUNNING" and instance.accepted_at is None:
        return Give(Order.DRAIN)
    return Keep()


def _undrain(instance: Instance, found: FleetInstance, now: datetime) -> Step:
    # also one that seems untouched: from then on the fleet refuses a drain that somebody older may yet send
    unsaid = found.status == "RUNNING" and instance.accepted_at is None
    if unsaid or found.status not in ("RUNNING", "STOPPED"):
        return Give(Order.UNDRAIN)
    if instance.attempts > 1:  # it was upgraded before, and must stay visible as such to a rollback
        return Move(move(instance, I.FAILED, now, "the second try was withdrawn"))
    return Move(move(instance, I.PENDING, now))


def _upgrade(instance: Instance, found: FleetInstance, now: datetime) -> Step:
    if found.runs(instance.to_version):
        return Move(move(instance, I.HEALTH_CHECKING, now))
    if instance.accepted_at is None:
        # a fleet in the midst of it has the order already, from somebody who died before writing so
        return Move(replace(instance, accepted_at=now)) if found.status == "UPGRADING" else Give(Order.SET_VERSION)
    if found.status == "STOPPED":
        return Move(move(instance, I.FAILED, now, f"the upgrade to {instance.to_version} failed: instance is stopped"))
    return Keep()


def _expire(instance: Instance, found: FleetInstance, limit: float, now: datetime) -> Move | None:
    """FAILED once the step has lasted too long, also when its order is refused all the time."""
    if instance.step_seconds <= limit:
        return None
    what = f"still {found.status} at {found.version} after {limit:g} s of {instance.status.value}"
    return Move(move(instance, I.FAILED, now, what))


def next_health(instance: Instance, answer: Health | None, patience: Patience, now: datetime) -> Instance:
    """The HEALTH_CHECKING instance after a poll; ``answer`` None means that the poll could not be made.

    Such a poll is an error, not an ill instance: it ends no health, and only the time-out makes it a failure.
    """
    polled = instance
    if answer is not None:
        well = answer.healthy and answer.version == instance.to_version
        healthy_seconds = (instance.healthy_seconds or 0.0) if well else None
        why = None if well else answer.detail or f"reports version {answer.version}, healthy: {answer.healthy}"
        polled = replace(instance, healthy=well, last_health_at=now, healthy_seconds=healthy_seconds, error=why)
    if polled.healthy_seconds is not None and answer is not None and polled.healthy_seconds >= patience.soak:
        return replace(move(polled, I.COMPLETED, now), healthy=True)
    # the soak is more time for one that came up well; one that does not come up fails after the time-out
    limit = patience.step if polled.healthy_seconds is None else patience.step + patience.soak
    if instance.step_seconds <= limit:
        return polled
    return move(polled, I.FAILED, now, _not_healthy(instance, answer, patience))


def _not_healthy(instance: Instance, answer: Health | None, patience: Patience) -> str:
    last = "does not answer" if answer is None else answer.detail or f"reports {answer.version}"
    return f"not healthy at {instance.to_version} within {patience.step:g} s: {last}"
