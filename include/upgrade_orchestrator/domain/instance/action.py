"""The next action for one instance in flight, given the fleet as just observed: pure (sections 4, 5 and 11)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from math import inf

from upgrade_orchestrator.domain.instance.fleet import FleetInstance, Health, named_version
from upgrade_orchestrator.domain.instance.instance import Instance, InstanceStatus, move

I = InstanceStatus  # noqa: E741 - as in instance.py
LATE_SECONDS = 5.0
"The least watched seconds of a step that was in flight at its execution's end, however late the runner starts."
MAX_RELAPSES = 1
"How often an instance that fell ill after it was COMPLETED is checked again before it is FAILED."


class Order(StrEnum):
    """An order to the fleet for one instance."""

    DRAIN = "drain"
    UNDRAIN = "undrain"
    SET_VERSION = "version"


@dataclass(frozen=True, slots=True)
class Timeouts:
    """The time-out of a step, and the soak for which an instance must stay healthy, both in watched seconds.

    ``interval`` is the longest planned gap between two health polls, in seconds.
    """

    step: float
    soak: float
    interval: float = inf


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
    left_drained: bool = False,
    overdue: bool = False,
) -> Action:
    """The next action for a DRAINING or UPGRADING instance, observed as ``found`` (None: the list leaves it out).

    ``withdrawn``: the execution does not want the new version any more, so a drained instance is undrained;
    ``undrain_sent``: this runner has sent the undrain order already; ``left_drained``: others had drained it, so it is
    not undrained; ``overdue``: since the execution's end the fleet has had a whole step time-out.
    """
    if found is None:
        return _unseen(instance, timeouts, now, "the fleet's list left it out during", overdue)
    if found.own_id is not None:
        instance = replace(instance, replacement=found.own_id)
    undraining = withdrawn and instance.status is I.DRAINING
    if undraining and left_drained:
        return Move(_withdraw(instance, now))
    if instance.status is I.DRAINING:
        action = _undrain(instance, found, now) if undraining else _drain(instance, found, now)
    else:
        action = _upgrade(instance, found, now)
    # send undrain at least once, also after an outage; what is overdue is sent it by the end of the execution
    must_send = undraining and not undrain_sent and not overdue
    if isinstance(action, Move) or must_send:
        return action
    # an instance whose drain is withdrawn at the last moment still gets a full step time-out to undrain
    limit = timeouts.step * 2 if undraining and not overdue else timeouts.step
    if _has_time(instance, limit, overdue):
        return action
    what = f"still {found.status} at {named_version(found.version)} after {limit:g} s of {instance.status.value}"
    return Move(move(instance, I.FAILED, now, what))  # also when the fleet keeps refusing the order


def next_action_unseen(instance: Instance, timeouts: Timeouts, now: datetime, overdue: bool = False) -> Action:
    """The next action while the fleet does not respond: only the time-out applies."""
    return _unseen(instance, timeouts, now, "the fleet did not answer within", overdue)


def _unseen(instance: Instance, timeouts: Timeouts, now: datetime, why: str, overdue: bool) -> Action:
    if _has_time(instance, timeouts.step, overdue):
        return NoAction()
    return Move(move(instance, I.FAILED, now, f"{why} {timeouts.step:g} s of {instance.status.value}"))


def _has_time(instance: Instance, limit: float, overdue: bool) -> bool:
    """Whether the step may go on. What is overdue was in flight all that time, though a crash left it unwatched."""
    return instance.step_seconds <= (min(limit, LATE_SECONDS) if overdue else limit)


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
    return Move(_withdraw(instance, now))


def _withdraw(instance: Instance, now: datetime) -> Instance:
    if instance.attempts > 1:  # its first try touched it, and a rollback must still see that
        return move(instance, I.FAILED, now, "the second try was withdrawn")
    return move(instance, I.PENDING, now)


def _upgrade(instance: Instance, found: FleetInstance, now: datetime) -> Action:
    if found.runs(instance.to_version):
        return Move(move(instance, I.HEALTH_CHECKING, now))
    if instance.accepted_at is None:
        # a fleet that is upgrading has the order already: a runner sent it and died before it was recorded
        return Move(replace(instance, accepted_at=now)) if found.status == "UPGRADING" else SendOrder(Order.SET_VERSION)
    if found.status == "STOPPED":
        return Move(move(instance, I.FAILED, now, f"the upgrade to {instance.to_version} failed: instance is stopped"))
    return NoAction()


def explained(failed: Instance, answer: Health | None) -> Instance:
    """The instance that has just become FAILED by its fleet's list, which gives no reasons: its own health may.

    ``answer`` None: it did not respond.
    """
    detail = "" if answer is None or answer.healthy else answer.detail
    if not detail or detail in (failed.error or ""):
        return failed
    return replace(failed, error=f"{failed.error}:{_behind(detail)}", healthy=False)


def _behind(detail: str) -> str:
    """The detail to be put behind a colon; one of several lines begins a line."""
    return f"\n{detail}" if "\n" in detail else f" {detail}"


def next_order_after(instance: Instance, found: FleetInstance | None, left_drained: bool) -> Order | None:
    """The order for an instance that nothing is done with any more, so that it is left as it should be.

    One whose try ended before the new version was set returns to service. One that others had drained before the
    upgrade is drained again (``left_drained``).
    """
    if found is None or instance.status not in (I.COMPLETED, I.FAILED):
        return None
    if not left_drained:
        return Order.UNDRAIN if instance.status is I.FAILED and found.out_of_service else None
    return Order.DRAIN if found.status == "RUNNING" else None


def next_health(instance: Instance, answer: Health | None, timeouts: Timeouts, now: datetime) -> Instance:
    """The HEALTH_CHECKING instance after a poll; ``answer`` None: the endpoint did not respond.

    No response does not mean unhealthy: only the time-out makes it a failure. But what was not watched is not soaked:
    after a gap of more than three intervals without a response the soak starts again.
    """
    polled = instance if answer is None else _polled(instance, answer, timeouts, now)
    if polled.healthy_seconds is not None and answer is not None and polled.healthy_seconds >= timeouts.soak:
        return replace(move(polled, I.COMPLETED, now), healthy=True)
    if instance.step_seconds <= _health_limit(polled, timeouts):
        return polled
    return move(polled, I.FAILED, now, _not_healthy(instance, answer, timeouts))


def _polled(instance: Instance, answer: Health, timeouts: Timeouts, now: datetime) -> Instance:
    well = answer.healthy and answer.version == instance.to_version
    why = None if well else answer.described()
    soaked = (0.0 if _is_gap(instance, timeouts, now) else instance.healthy_seconds or 0.0) if well else None
    reported = answer.reported or instance.reported
    return replace(instance, healthy=well, last_health_at=now, healthy_seconds=soaked, error=why, reported=reported)


def _is_gap(instance: Instance, timeouts: Timeouts, now: datetime) -> bool:
    """Whether the last response is more than three intervals ago, also because nobody polled."""
    last = instance.last_health_at
    return last is not None and (now - last).total_seconds() > 3 * timeouts.interval


def _health_limit(polled: Instance, timeouts: Timeouts) -> float:
    """Watched seconds for the check; the soak extends the time-out only for an instance that became healthy.

    A soak that started again after a gap, within that limit, may be finished too.
    """
    if polled.healthy_seconds is None:
        return timeouts.step
    began = polled.step_seconds - polled.healthy_seconds
    soaks = 2 if began > timeouts.step else 1
    return timeouts.step + soaks * timeouts.soak


def is_ill(instance: Instance, found: FleetInstance | None) -> bool:
    """Whether the list shows a COMPLETED instance as unhealthy or at another version; its health decides."""
    completed = instance.status is I.COMPLETED and not instance.gone
    return completed and found is not None and not found.is_well_at(instance.to_version)


def relapse(instance: Instance, answer: Health | None, now: datetime) -> Instance:
    """The COMPLETED instance after its health was polled because the list shows it as ill.

    If it is ill it is checked again, within its time-out (section 4, "Falls ill later"); the second time it is FAILED.
    """
    if answer is None or (answer.healthy and answer.version == instance.to_version):
        return instance
    why = answer.described()
    to = I.HEALTH_CHECKING if instance.relapses < MAX_RELAPSES else I.FAILED
    why = why if to is I.HEALTH_CHECKING else f"fell ill again after it was completed: {why}"
    return replace(move(instance, to, now, why), healthy=False, last_health_at=now)


def _not_healthy(instance: Instance, answer: Health | None, timeouts: Timeouts) -> str:
    last = "does not answer" if answer is None else answer.detail or f"reports {named_version(answer.version)}"
    return f"not healthy at {instance.to_version} within {timeouts.step:g} s:{_behind(last)}"
