"""Use case: check the new pool, switch the traffic, soak, remove the old pool (section 4, BLUE_GREEN)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from include.upgrades.domain.blue_green import Goal, next_switch_step
from include.upgrades.domain.execution import Execution
from include.upgrades.domain.fleet import Fleet
from include.upgrades.domain.instance import Instance
from include.upgrades.domain.pool_changes import record_over
from include.upgrades.domain.pool_steps import Change, PoolStep, PoolView
from include.upgrades.domain.pools import GREEN_BATCH, Pools
from include.upgrades.domain.states import ExecutionStatus
from include.upgrades.service.outcome import Ending, Outcome
from include.upgrades.service.pool_journal import PoolState
from include.upgrades.service.pool_runner import Stance, run_mission
from include.upgrades.service.ports import Ports
from include.upgrades.service.run_batch import run_batch


async def switch_over(ports: Ports, execution_id: str, goal: Goal, seconds: float | None) -> Outcome:
    """Go as far as ``goal`` and no further, with all that comes before it, for about ``seconds`` (None: to the end).

    :raises NotFound: no such execution; :raises StaleToken: the fleet obeys somebody newer.
    """
    async with ports.work() as work:
        (green,) = await work.executions.batches(execution_id)
    if green.completed_at is None:  # somebody took its task for done
        provisioned = await run_batch(ports, execution_id, GREEN_BATCH, seconds)
        if provisioned.ending is not Ending.DONE:
            return provisioned
    return await run_mission(ports, execution_id, Over(goal), seconds)


@dataclass(frozen=True, slots=True)
class Over:
    """Forth, as far as ``goal``."""

    goal: Goal
    name: str = "over"
    batch: int = GREEN_BATCH

    def stance(self, execution: Execution) -> Stance:
        """Only an execution IN_PROGRESS goes on; a paused one waits."""
        match execution.status:
            case ExecutionStatus.IN_PROGRESS:
                return Stance.WORK
            case ExecutionStatus.PAUSED:
                return Stance.WAIT
        return Stance.LEAVE

    def polls(self, state: PoolState, fleet: Fleet, pools: Pools) -> bool:
        """Before the switch, and through the soak."""
        return fleet.traffic != pools.new or (state.green.soaked_at is None and self.goal > Goal.SWITCHED)

    def next_step(self, view: PoolView, now: datetime) -> PoolStep:
        """The rules."""
        return next_switch_step(view, self.goal, now)

    def record(self, step: PoolStep, execution: Execution, rows: Sequence[Instance], now: datetime) -> Change:
        """What is written."""
        return record_over(step, execution, rows, now)
