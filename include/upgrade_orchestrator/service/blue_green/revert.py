"""Use case: back to the old pool, or out of a blue-green upgrade that ended half way (specification section 4)."""

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
    """Do what the status asks of the pools, for about ``seconds`` (None: to the end); STOPPED when it asks for nothing.

    :raises StaleToken: the fleet obeys a newer holder of the lease.
    """
    return await run_transition(ports, context, Revert(), seconds)


class Revert:
    """Back, as far as the status says."""

    name = "back"
    batch = ROLLBACK_BATCH

    def directive(self, execution: Execution) -> Directive:
        """Whether the status asks for anything."""
        return Directive.STOP if revert_goal_of(execution) is None else Directive.WORK

    def polls(self, state: PoolState, fleet: Fleet, pools: Pools) -> bool:
        """What the fleet says is enough."""
        return False

    def next_action(self, view: PoolView, now: datetime) -> PoolAction:
        """The rules."""
        goal = revert_goal_of(view.execution)
        return GoalReached() if goal is None else next_revert_action(view, goal)

    def record(self, step: PoolAction, execution: Execution, rows: Sequence[Instance], now: datetime) -> Change:
        """What is written."""
        return record_revert(step, execution, rows, now)
