"""Use case: check the new pool, switch the traffic, soak, remove the old pool (specification section 4, BLUE_GREEN)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from upgrade_orchestrator.domain.blue_green.actions import Change, PoolAction, PoolView
from upgrade_orchestrator.domain.blue_green.changes import record_cutover
from upgrade_orchestrator.domain.blue_green.cutover import Goal, next_cutover_action
from upgrade_orchestrator.domain.execution.execution import Execution
from upgrade_orchestrator.domain.execution.states import ExecutionStatus
from upgrade_orchestrator.domain.instance.fleet import Fleet
from upgrade_orchestrator.domain.instance.instance import Instance
from upgrade_orchestrator.domain.plan.batch import Phase
from upgrade_orchestrator.domain.plan.pools import GREEN_BATCH, Pools
from upgrade_orchestrator.service.blue_green.runner import Directive, run_transition
from upgrade_orchestrator.service.blue_green.store import PoolState
from upgrade_orchestrator.service.ports.unit_of_work import Ports
from upgrade_orchestrator.service.runner.context import Context
from upgrade_orchestrator.service.runner.outcome import Outcome


async def run_cutover(ports: Ports, context: Context, goal: Goal, seconds: float | None) -> Outcome:
    """Take the cutover to ``goal`` and no further, from any earlier phase, for about ``seconds`` (None: to the end)."""
    return await run_transition(ports, context, Cutover(goal), seconds)


@dataclass(frozen=True, slots=True)
class Cutover:
    """The transition to the new pool, as far as ``goal``."""

    goal: Goal
    name: str = "over"
    batch: int = GREEN_BATCH

    def directive(self, execution: Execution) -> Directive:
        """WORK while the execution is IN_PROGRESS, WAIT while it is PAUSED, else STOP."""
        match execution.status:
            case ExecutionStatus.IN_PROGRESS:
                return Directive.WORK
            case ExecutionStatus.PAUSED:
                return Directive.WAIT
        return Directive.STOP

    def polls(self, state: PoolState, fleet: Fleet, pools: Pools) -> bool:
        """Before the switch; and during the soak, unless ``goal`` ends before it."""
        if state.green.phase is Phase.SOAK:
            return self.goal > Goal.SWITCHED
        return not state.green.phase.reached(Phase.SOAK)

    def next_action(self, view: PoolView, now: datetime) -> PoolAction:
        """``next_cutover_action`` for this goal."""
        return next_cutover_action(view, self.goal, now)

    def record(self, step: PoolAction, execution: Execution, rows: Sequence[Instance], now: datetime) -> Change:
        """``record_cutover``."""
        return record_cutover(step, execution, rows, now)
