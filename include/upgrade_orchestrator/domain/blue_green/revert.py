"""Back to the old pool, or out of an upgrade that ended half way: a pure decision (specification section 4)."""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum

from upgrade_orchestrator.domain.blue_green.actions import (
    GiveUp,
    GoalReached,
    MarkRolledBack,
    PoolAction,
    PoolCall,
    PoolView,
    SendPoolOrder,
    WaitFor,
)
from upgrade_orchestrator.domain.execution.execution import Execution
from upgrade_orchestrator.domain.execution.states import ExecutionStatus
from upgrade_orchestrator.domain.instance.fleet import Fleet, FleetInstance, named_version
from upgrade_orchestrator.domain.instance.instance import InstanceStatus
from upgrade_orchestrator.domain.instance.names import named
from upgrade_orchestrator.domain.plan.batch import Phase

ROLLBACK = "ROLLBACK"
"The phase in which a rollback can fail."


class RevertGoal(Enum):
    """Why the pools are reverted, which decides how far."""

    ROLL_BACK = "ROLL_BACK"
    "The old pool serves again, and is made again if it is gone; the new one is removed."
    SOAK_FAILED = "SOAK_FAILED"
    "The old pool serves again if it still exists; the new one stays for inspection."
    CANCELLED = "CANCELLED"
    "A new pool that never had the traffic is removed; after the switch everything stays."


def revert_goal_of(execution: Execution) -> RevertGoal | None:
    """The goal that follows from the status; None when the pools stay as they are."""
    match execution.status:
        case ExecutionStatus.ROLLING_BACK:
            return RevertGoal.ROLL_BACK
        case ExecutionStatus.CANCELLED:
            return RevertGoal.CANCELLED
        case ExecutionStatus.FAILED if execution.failure_phase == Phase.SOAK:
            return RevertGoal.SOAK_FAILED
    return None


def next_revert_action(view: PoolView, goal: RevertGoal) -> PoolAction:
    """The next action of the reversal, decided by the pools of the fleet and by which of them has the traffic."""
    fleet = view.fleet
    if fleet is None:
        return WaitFor("the fleet does not answer", _give_up(view, "the fleet did not answer"))
    if fleet.traffic == view.pools.new:
        return GoalReached() if goal is RevertGoal.CANCELLED else _switch(view, fleet, goal)
    if not fleet.in_pool(view.pools.old):
        what = f"the fleet's list leaves out pool {view.pools.old}, which has the traffic"
        return WaitFor(what, _give_up(view, what))
    if goal is not RevertGoal.SOAK_FAILED and fleet.in_pool(view.pools.new):
        left = _give_up(view, f"pool {view.pools.new} was not removed")
        return SendPoolOrder(PoolCall.REMOVE, view.pools.new, left)
    if all(each.status in (InstanceStatus.PENDING, InstanceStatus.ROLLED_BACK) for each in view.rows):
        return GoalReached()
    return MarkRolledBack({each.instance_id: each.healthy for each in fleet.in_pool(view.pools.old)})


def _switch(view: PoolView, fleet: Fleet, goal: RevertGoal) -> PoolAction:
    old, new = fleet.in_pool(view.pools.old), fleet.in_pool(view.pools.new)
    if len(old) < len(view.rows):
        return _make(view, len(old), len(new)) if goal is RevertGoal.ROLL_BACK else GoalReached()
    stays = _give_up(view, f"the traffic did not go back to pool {view.pools.old}")
    switch = SendPoolOrder(PoolCall.SWITCH, view.pools.old, stays)
    down = [each for each in old if not each.available]
    if not down:
        return switch
    each_one = named(f"{each.instance_id} is {each.status} at {named_version(each.version)}" for each in down)
    what = f"pool {view.pools.old} is not ready: {each_one}"
    # after the time-out an incomplete old pool is still chosen if no fewer of its instances serve
    better = _available(old) >= max(1, _available(new))
    return WaitFor(what, switch if better else _give_up(view, what))


def _make(view: PoolView, left: int, size: int) -> SendPoolOrder:
    """Make the old pool again; if that fails, first remove what is left of it from an earlier removal."""
    pool, version = view.pools.old, view.execution.from_version
    gone = _give_up(view, f"pool {pool} is gone and did not come back at {version}")
    vain = SendPoolOrder(PoolCall.REMOVE, pool, gone) if left else gone
    return SendPoolOrder(PoolCall.MAKE, pool, vain, version, max(size, len(view.rows)))


def _available(pool: Sequence[FleetInstance]) -> int:
    return sum(each.available for each in pool)


def _give_up(view: PoolView, why: str) -> GiveUp:
    return GiveUp(ROLLBACK, f"{why} (after {view.timeout:g} s)")
