"""From one pool to the other: check, one switch, soak, removal of the old one: a pure decision (section 4)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from enum import IntEnum

from upgrade_orchestrator.domain.blue_green.steps import (
    Await,
    GivePool,
    GiveUp,
    NoteIll,
    PoolCall,
    PoolStep,
    PoolView,
    Reached,
    Save,
    Watch,
)
from upgrade_orchestrator.domain.instance.fleet import Fleet
from upgrade_orchestrator.domain.instance.instance import Instance, InstanceStatus
from upgrade_orchestrator.domain.plan.pools import counterparts

CHECK, SWITCH, SOAK, RETIRE = "CHECK", "SWITCH", "SOAK", "RETIRE"
"Phases in which a switch-over can fail."


class Goal(IntEnum):
    """How far to go, in this order."""

    CHECKED = 1
    "Every instance of the new pool is at the target version and healthy."
    SWITCHED = 2
    "It has the traffic."
    SOAKED = 3
    "It has stayed healthy under the traffic."
    RETIRED = 4
    "The old pool is removed."


def next_switch_step(view: PoolView, goal: Goal, now: datetime) -> PoolStep:
    """What to do next on the way to ``goal``; where it stands is asked from the fleet."""
    fleet, batch = view.fleet, view.batch
    if fleet is None:
        return _unseen(view)
    if fleet.traffic != view.pools.new:
        return _before_switch(view, fleet, goal)
    if batch.switched_at is None:
        return Save(replace(batch, switched_at=now, healthy_seconds=0.0, blocked_seconds=None))
    if goal <= Goal.SWITCHED:
        return Reached()
    if batch.soaked_at is None:
        return _soak(view, fleet, now)
    if goal is Goal.SOAKED or not fleet.in_pool(view.pools.old):
        return Reached()
    left = f"pool {view.pools.old} was not removed within {_seconds(view)}"
    return GivePool(PoolCall.REMOVE, view.pools.old, GiveUp(RETIRE, left))


def _unseen(view: PoolView) -> PoolStep:
    """A fleet that cannot be asked is no ill pool: only the time-out makes it a failure."""
    phase = CHECK if view.batch.switched_at is None else SOAK if view.batch.soaked_at is None else RETIRE
    why = GiveUp(phase, f"the fleet did not answer for {_seconds(view)}")
    if phase is not SOAK:
        return Await("the fleet does not answer", why)
    return why if _soak_left(view) < 0 else Watch(_soak_left(view))


def _before_switch(view: PoolView, fleet: Fleet, goal: Goal) -> PoolStep:
    pools, batch = view.pools, view.batch
    if batch.switched_at is not None or fleet.traffic != pools.old:
        phase = CHECK if batch.switched_at is None else SOAK if batch.soaked_at is None else RETIRE
        return GiveUp(phase, f"somebody else has switched the traffic to pool {fleet.traffic}")
    if failed := [each for each in view.rows if each.status is not InstanceStatus.COMPLETED]:
        return GiveUp(CHECK, f"pool {pools.new} did not come up: {_told({each.instance_id: each for each in failed})}")
    wrong = view.ill(fleet) | dict.fromkeys(view.silent(), "does not answer")
    if wrong:
        what = f"pool {pools.new} is not healthy: {'; '.join(f'{name}: {why}' for name, why in wrong.items())}"
        return Await(what, GiveUp(CHECK, f"{what} (after {_seconds(view)})"))
    if goal is Goal.CHECKED:
        return Reached()
    stays = f"the traffic did not go to pool {pools.new} within {_seconds(view)}"
    return GivePool(PoolCall.SWITCH, pools.new, GiveUp(SWITCH, stays))


def _told(rows: Mapping[str, Instance]) -> str:
    return "; ".join(f"{name} {row.status.value}: {row.error or 'no error'}" for name, row in rows.items())


def _soak(view: PoolView, fleet: Fleet, now: datetime) -> PoolStep:
    """Healthy without break for the soak, within the soak and one more time-out."""
    healthy, left = view.batch.healthy_seconds, _soak_left(view)
    if ill := view.ill(fleet):
        too_late = _not_soaked(view, ill) if view.soak > left else None
        return NoteIll(replace(view.batch, healthy_seconds=None), _by_row(view, fleet, ill), too_late)
    if silent := view.silent():
        too_late = _not_soaked(view, dict.fromkeys(silent, "does not answer"))
        return GiveUp(SOAK, too_late) if left < 0 else Watch(left)
    if healthy is None:
        return _begin_soak(view, left)
    if healthy < view.soak:
        return Watch(view.soak - healthy)
    return Save(replace(view.batch, soaked_at=now, blocked_seconds=None))


def _begin_soak(view: PoolView, left: float) -> PoolStep:
    """Again after an illness, from when all are seen well: who was ill until just before has proved nothing yet."""
    if view.soak > left:
        return GiveUp(SOAK, _not_soaked(view, {f"pool {view.pools.new}": "was well again too late"}))
    return Save(replace(view.batch, healthy_seconds=0.0))


def _soak_left(view: PoolView) -> float:
    """Watched seconds within which the soak has to succeed: the soak and one more time-out, from the switch on."""
    return view.soak + view.patience - view.batch.soak_seconds


def _not_soaked(view: PoolView, wrong: Mapping[str, str]) -> str:
    named = "; ".join(f"{name}: {why}" for name, why in wrong.items())
    return f"pool {view.pools.new} did not stay healthy for {view.soak:g} s: {named}"


def _by_row(view: PoolView, fleet: Fleet, ill: Mapping[str, str]) -> dict[str, str]:
    stands_for = counterparts(fleet, view.pools, [each.instance_id for each in view.rows], view.execution.to_version)
    names = {name: each.instance_id for name, each in stands_for.items() if each.instance_id in ill}
    return {name: f"{green}: {ill[green]}" for name, green in names.items()}


def _seconds(view: PoolView) -> str:
    return f"{view.patience:g} s"
