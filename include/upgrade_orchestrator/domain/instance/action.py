"""The next action for one instance in flight, given the fleet as just observed: pure (sections 4, 5 and 11)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from upgrade_orchestrator.domain.instance.fleet import FleetInstance, Health
from upgrade_orchestrator.domain.instance.instance import Instance, InstanceStatus, move

I = InstanceStatus  # noqa: E741 - as in instance.py


class Order(StrEnum):
    """An order to the fleet for one instance."""

    DRAIN = "drain"
    UNDRAIN = "undrain"
    SET_VERSION = "version"


@dataclass(frozen=True, slots=True)
class Timeouts:
    """The time-out of a step, and the soak for which an instance must stay healthy, both in watched seconds."""

    step: float
    soak: float


@dataclass(frozen=True, slots=True)
class Move:
    """Write this row: the instance has reached its next status."""

    instance: Instance


@dataclass(frozen=True, slots=True)
class SendOrder:
    """Send this order; the row with its intent is written already."""

    order: Order


@dataclass(frozen=True, slots=True)
class NoAction:
    """Nothing to do until the fleet reports something else."""


Action = Move | SendOrder | NoAction


def next_action(
    instance: Instance,
    found: FleetInstance | None,
    withdrawn: bool,
    timeouts: Timeouts,
    now: datetime,
    undrain_sent: bool = True,
) -> Action:
    """The next action for a DRAINING or UPGRADING instance, observed as ``found`` (None: no longer in the fleet).

    ``withdrawn``: the execution does not want the new version any more, so a drained instance is undrained;
    ``undrain_sent``: this runner has sent the undrain order already.
    """
    if found is None:
        return Move(move(instance, I.FAILED, now, "the fleet does not know this instance any more"))
    if found.own_id is not None:
        instance = replace(instance, replacement=found.own_id)
    undraining = withdrawn and instance.status is I.DRAINING
    if instance.status is I.DRAINING:
        action = _undrain(instance, found, now) if undraining else _drain(instance, found, now)
    else:
        action = _upgrade(instance, found, now)
    must_send = undraining and not undrain_sent  # send undrain at least once, also after an outage
    if isinstance(action, Move) or must_send:
        return action
    # an instance whose drain is withdrawn at the last moment still gets a full step time-out to undrain
    limit = timeouts.step * 2 if undraining else timeouts.step
    if instance.step_seconds <= limit:
        return action
    what = f"still {found.status} at {found.version} after {limit:g} s of {instance.status.value}"
    return Move(move(instance, I.FAILED, now, what))  # also when the fleet keeps refusing the order


def next_action_unseen(instance: Instance, timeouts: Timeouts, now: datetime) -> Action:
    """The next action while the fleet does not respond: only the time-out applies."""
    if instance.step_seconds <= timeouts.step:
        return NoAction()
    within = f"{timeouts.step:g} s of {instance.status.value}"
    return Move(move(instance, I.FAILED, now, f"the fleet did not answer within {within}"))


def _drain(instance: Instance, found: FleetInstance, now: datetime) -> Action:
    there = found.runs(instance.to_version) and found.healthy  # an unhealthy one is upgraded again: its second try
    if there or found.status in ("DRAINED", "STOPPED"):
        return Move(move(instance, I.UPGRADING, now))
    if found.status == "RUNNING" and instance.accepted_at is None:
        return SendOrder(Order.DRAIN)
    return NoAction()


def _undrain(instance: Instance, found: FleetInstance, now: datetime) -> Action:
    # also when it still runs: after our order the fleet refuses a late drain with an older fencing token
    not_ordered_yet = found.status == "RUNNING" and instance.accepted_at is None
    if not_ordered_yet or found.status not in ("RUNNING", "STOPPED"):
        return SendOrder(Order.UNDRAIN)
    if instance.attempts > 1:  # its first try touched it, and a rollback must still see that
        return Move(move(instance, I.FAILED, now, "the second try was withdrawn"))
    return Move(move(instance, I.PENDING, now))


def _upgrade(instance: Instance, found: FleetInstance, now: datetime) -> Action:
    if found.runs(instance.to_version):
        return Move(move(instance, I.HEALTH_CHECKING, now))
    if instance.accepted_at is None:
        # a fleet that is upgrading has the order already: a runner sent it and died before it was recorded
        return Move(replace(instance, accepted_at=now)) if found.status == "UPGRADING" else SendOrder(Order.SET_VERSION)
    if found.status == "STOPPED":
        return Move(move(instance, I.FAILED, now, f"the upgrade to {instance.to_version} failed: instance is stopped"))
    return NoAction()


def next_health(instance: Instance, answer: Health | None, timeouts: Timeouts, now: datetime) -> Instance:
    """The HEALTH_CHECKING instance after a poll; ``answer`` None: the endpoint did not respond.

    No response does not mean unhealthy: the soak continues, and only the time-out makes it a failure.
    """
    polled = instance
    if answer is not None:
        well = answer.healthy and answer.version == instance.to_version
        healthy_seconds = (instance.healthy_seconds or 0.0) if well else None
        why = None if well else answer.detail or f"reports version {answer.version}, healthy: {answer.healthy}"
        polled = replace(instance, healthy=well, last_health_at=now, healthy_seconds=healthy_seconds, error=why)
    if polled.healthy_seconds is not None and answer is not None and polled.healthy_seconds >= timeouts.soak:
        return replace(move(polled, I.COMPLETED, now), healthy=True)
    # the soak extends the time-out only for an instance that became healthy
    limit = timeouts.step if polled.healthy_seconds is None else timeouts.step + timeouts.soak
    if instance.step_seconds <= limit:
        return polled
    return move(polled, I.FAILED, now, _not_healthy(instance, answer, timeouts))


def _not_healthy(instance: Instance, answer: Health | None, timeouts: Timeouts) -> str:
    last = "does not answer" if answer is None else answer.detail or f"reports {answer.version}"
    return f"not healthy at {instance.to_version} within {timeouts.step:g} s: {last}"
