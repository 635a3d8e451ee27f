"""From the old pool to the new one: check, switch, soak, removal; a pure decision (specification section 4)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from enum import IntEnum

from upgrade_orchestrator.domain.blue_green.actions import (
    GiveUp,
    GoalReached,
    PollAgain,
    PoolAction,
    PoolCall,
    PoolView,
    RecordUnhealthy,
    SaveBatch,
    SendPoolOrder,
    WaitFor,
)
from upgrade_orchestrator.domain.instance.fleet import Fleet
from upgrade_orchestrator.domain.instance.instance import Instance, InstanceStatus
from upgrade_orchestrator.domain.instance.names import named
from upgrade_orchestrator.domain.plan.batch import Batch, Phase
from upgrade_orchestrator.domain.plan.pools import counterparts


class Goal(IntEnum):
    """How far a task takes the cutover, in this order."""

    CHECKED = 1
    "Every instance of the new pool is at the target version and healthy."
    SWITCHED = 2
    "The new pool has the traffic."
    SOAKED = 3
    "The new pool has stayed healthy under the traffic."
    RETIRED = 4
    "The old pool is removed."


_REACHED = {
    Goal.CHECKED: Phase.SWITCH,
    Goal.SWITCHED: Phase.SOAK,
    Goal.SOAKED: Phase.RETIRE,
    Goal.RETIRED: Phase.DONE,
}
"The phase in which a goal is reached."


def next_cutover_action(view: PoolView, goal: Goal, now: datetime) -> PoolAction:
    """The next action towards ``goal``, decided by the stored phase and the fleet as observed."""
    fleet, phase = view.fleet, view.batch.phase
    if phase.reached(_REACHED[goal]):
        return GoalReached()
    if fleet is None:
        return _unseen(view)
    switched = fleet.traffic == view.pools.new
    if phase.reached(Phase.SOAK) and not switched or not switched and fleet.traffic != view.pools.old:
        return _elsewhere(view, fleet)
    match phase:
        case Phase.SOAK:
            return _soak(view, fleet, now)
        case Phase.RETIRE:
            return _retire(view, fleet, now)
    if switched:
        return SaveBatch(_enter(view, Phase.SOAK, now, healthy_seconds=0.0))
    return _before_switch(view, fleet, now)


def _enter(view: PoolView, phase: Phase, now: datetime, healthy_seconds: float | None = None) -> Batch:
    return replace(view.batch, phase=phase, phase_started_at=now, blocked_seconds=None, healthy_seconds=healthy_seconds)


def _unseen(view: PoolView) -> PoolAction:
    """A fleet that does not respond is not an unhealthy pool: only the time-out makes it a failure."""
    why = GiveUp(view.batch.phase, f"the fleet did not answer for {_seconds(view)}")
    if view.batch.phase is not Phase.SOAK:
        return WaitFor("the fleet does not answer", why)
    return why if _soak_left(view) < 0 else PollAgain(_soak_left(view))


def _elsewhere(view: PoolView, fleet: Fleet) -> PoolAction:
    """The traffic is where this upgrade did not send it; one look at it decides nothing."""
    why = GiveUp(view.batch.phase, f"something else switched the traffic to pool {fleet.traffic}")
    return WaitFor(f"the traffic is at pool {fleet.traffic}", why)


def _before_switch(view: PoolView, fleet: Fleet, now: datetime) -> PoolAction:
    """A pool that was healthy when it was checked must also be healthy when it gets the traffic."""
    pools, phase = view.pools, view.batch.phase
    if failed := [each for each in view.rows if each.status is not InstanceStatus.COMPLETED]:
        return GiveUp(
            phase, f"pool {pools.new} did not come up: {_describe({each.instance_id: each for each in failed})}"
        )
    wrong = view.unhealthy() | view.unseen(fleet)
    if wrong:
        what = f"pool {pools.new} is not healthy: {named((f'{name}: {why}' for name, why in wrong.items()), '; ')}"
        return WaitFor(what, GiveUp(phase, f"{what} (after {_seconds(view)})"))
    if phase is Phase.CHECK:
        return SaveBatch(_enter(view, Phase.SWITCH, now))
    stays = f"the traffic did not go to pool {pools.new} within {_seconds(view)}"
    return SendPoolOrder(PoolCall.SWITCH, pools.new, GiveUp(phase, stays))


def _retire(view: PoolView, fleet: Fleet, now: datetime) -> PoolAction:
    if not fleet.in_pool(view.pools.old) and not view.missing(fleet):
        return SaveBatch(_enter(view, Phase.DONE, now))
    left = f"pool {view.pools.old} was not removed within {_seconds(view)}"
    return SendPoolOrder(PoolCall.REMOVE, view.pools.old, GiveUp(Phase.RETIRE, left))


def _describe(rows: Mapping[str, Instance]) -> str:
    return named((f"{name} {row.status.value}: {row.error or 'no error'}" for name, row in rows.items()), "; ")


def _soak(view: PoolView, fleet: Fleet, now: datetime) -> PoolAction:
    """The pool must be healthy without a break for the soak, within the soak and one more time-out.

    What was not watched is not soaked: after a gap the soak begins again, and may take its time once more.
    """
    healthy, left = view.batch.healthy_seconds, _soak_left(view)
    if unhealthy := view.unhealthy():
        too_late = _not_soaked(view, unhealthy) if view.soak > left else None
        return RecordUnhealthy(replace(view.batch, healthy_seconds=None), _by_row(view, fleet, unhealthy), too_late)
    if unseen := view.unseen(fleet):
        return GiveUp(Phase.SOAK, _not_soaked(view, unseen)) if left < 0 else PollAgain(left)
    if view.batch.blocked_seconds is not None:  # the traffic is back
        return SaveBatch(replace(view.batch, blocked_seconds=None))
    if healthy is None or view.gap:
        return _begin_soak(view, left)
    if healthy < view.soak:
        return PollAgain(view.soak - healthy)
    return SaveBatch(_enter(view, Phase.RETIRE, now))


def _begin_soak(view: PoolView, left: float) -> PoolAction:
    """The soak begins, or begins again, when all instances are observed as healthy: its time counts from then."""
    if view.soak > left + (view.soak if view.gap else 0.0):
        return GiveUp(Phase.SOAK, _not_soaked(view, {f"pool {view.pools.new}": "became healthy too late"}))
    return SaveBatch(replace(view.batch, healthy_seconds=0.0))


def _soak_left(view: PoolView) -> float:
    """Watched seconds within which the soak has to succeed, from the switch on: the soak and one more time-out."""
    began = view.batch.soak_seconds - (view.batch.healthy_seconds or 0.0)
    soaks = 2 if view.batch.healthy_seconds is not None and began > view.timeout else 1  # it began again after a gap
    return soaks * view.soak + view.timeout - view.batch.soak_seconds


def _not_soaked(view: PoolView, wrong: Mapping[str, str]) -> str:
    each_one = named((f"{name}: {why}" for name, why in wrong.items()), "; ")
    return f"pool {view.pools.new} did not stay healthy for {view.soak:g} s: {each_one}"


def _by_row(view: PoolView, fleet: Fleet, unhealthy: Mapping[str, str]) -> dict[str, str]:
    stands_for = counterparts(fleet, view.pools, view.rows, view.execution.to_version)
    names = {name: each.instance_id for name, each in stands_for.items() if each.instance_id in unhealthy}
    return {name: f"{green}: {unhealthy[green]}" for name, green in names.items()}


def _seconds(view: PoolView) -> str:
    return f"{view.timeout:g} s"
