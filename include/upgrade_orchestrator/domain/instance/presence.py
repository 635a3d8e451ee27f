"""Whether the fleet's list shows an instance, and since when it does not (specification section 4, "Absent")."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime

from upgrade_orchestrator.domain.instance.fleet import Fleet, FleetInstance
from upgrade_orchestrator.domain.instance.instance import IN_FLIGHT, Instance, InstanceStatus, move
from upgrade_orchestrator.domain.instance.names import named

LONGEST_GAP_SECONDS = 15.0
"The longest time between two looks that counts as absence: what was not looked at may have been there."


def observed(instance: Instance, fleet: Mapping[str, FleetInstance], seconds: float) -> Instance:
    """The instance after a look at the fleet, ``seconds`` after the look before.

    One that the list leaves out is not gone: it may restart, and so may the agent. Only its absence is counted.
    """
    found = fleet.get(instance.instance_id)
    if found is not None:
        return instance if instance.absent_seconds is None else replace(instance, absent_seconds=None)
    if instance.absent_seconds is None:
        return replace(instance, absent_seconds=0.0)
    return replace(instance, absent_seconds=instance.absent_seconds + min(seconds, LONGEST_GAP_SECONDS))


def is_lost(instance: Instance, timeout: float) -> bool:
    """True when an instance has been absent for all of ``timeout`` watched seconds and is not marked as gone yet."""
    return not instance.gone and (instance.absent_seconds or 0.0) >= timeout


def lost(instance: Instance, timeout: float, now: datetime) -> Instance:
    """The instance as gone; if it was being worked on, that is a failure."""
    why = f"gone: not in the fleet's list for {timeout:g} s"
    failed = move(instance, InstanceStatus.FAILED, now, why) if instance.status in IN_FLIGHT else instance
    return replace(failed, gone=True, error=failed.error or why)


def absent(rows: Iterable[Instance], fleet: Fleet) -> frozenset[str]:
    """The ids of the rows' instances that the list leaves out, without those that are gone."""
    known = {each.instance_id for each in fleet.instances}
    return frozenset(each.instance_id for each in rows if not each.gone and each.instance_id not in known)


def naming_gone(rows: Iterable[Instance]) -> str:
    """The gone instances in words; empty when there are none."""
    gone = [each.instance_id for each in rows if each.gone]
    return f"gone from the fleet: {named(gone)}" if gone else ""
