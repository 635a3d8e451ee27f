"""Use case: revert to the old pool, or end a blue-green upgrade that stopped half way (specification section 4)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from upgrade_orchestrator.domain.blue_green.actions import Change, GoalReached, PoolAction, PoolView
from upgrade_orchestrator.domain.blue_green.changes import record_revert
from upgrade_orchestrator.domain.blue_green.revert import next_revert_action, revert_goal_of
from upgrade_orchestrator.domain.execution.execution import Execution
from upgrade_orchestrator.domain.instance.fleet import Fleet
from upgrade_orchestrator.domain.instance.instance import ROLLBACK_BATCH, Instance
from upgrade_orchestrator.domain.plan.pools import Pools
from upgrade_orchestrator.service.blue_green.runner import Directive, run_transition
from upgrade_orchestrator.service.blue_green.store import PoolState
from upgrade_orchestrator.service.ports.unit_of_work import Ports
from upgrade_orchestrator.service.runner.context import Context
from upgrade_orchestrator.service.runner.outcome import Outcome


async def run_revert(ports: Ports, context: Context, seconds: float | None) -> Outcome:
    """Revert the pools as far as the status requires, for about ``seconds`` (None: to the end).

    STOPPED when the status requires nothing.
    """
    return await run_transition(ports, context, Revert(), seconds)


class Revert:
    """The transition back to the old pool, as far as the status requires."""

    name = "back"
    batch = ROLLBACK_BATCH

    def directive(self, execution: Execution) -> Directive:
        """WORK while the status requires something, else STOP."""
        return Directive.STOP if revert_goal_of(execution) is None else Directive.WORK

    def polls(self, state: PoolState, fleet: Fleet, pools: Pools) -> bool:
        """Never: the status that the fleet reports is sufficient."""
        return False

    def next_action(self, view: PoolView, now: datetime) -> PoolAction:
        """``next_revert_action`` for the goal that follows from the status."""
        goal = revert_goal_of(view.execution)
        return GoalReached() if goal is None else next_revert_action(view, goal)

    def record(self, step: PoolAction, execution: Execution, rows: Sequence[Instance], now: datetime) -> Change:
        """``record_revert``."""
        return record_revert(step, execution, rows, now)
