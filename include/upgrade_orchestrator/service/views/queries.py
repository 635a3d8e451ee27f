"""Use cases that only read executions: bodies, lists, plan, instances and events (specification sections 1 and 6)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from upgrade_orchestrator.domain.approval.approval import WAITS_IN, Approval, waiting
from upgrade_orchestrator.domain.errors import NoActiveUpgrade, NotFound
from upgrade_orchestrator.domain.execution.execution import Execution, Strategy
from upgrade_orchestrator.domain.instance.instance import Instance
from upgrade_orchestrator.domain.operations.statistics import History, HistoryOf, Statistics, first_monday
from upgrade_orchestrator.domain.plan.plan import Plan
from upgrade_orchestrator.domain.plan.progress import Progress, progress_of
from upgrade_orchestrator.service.ports.stores.events import StoredEvent, Tail
from upgrade_orchestrator.service.ports.stores.overviews import ExecutionFilter, Overview
from upgrade_orchestrator.service.ports.unit_of_work import Ports, UnitOfWork

WEEKS = 12
"The number of weeks of the history."


@dataclass(frozen=True, slots=True)
class ExecutionView:
    """An execution with the values that are computed from its rows."""

    overview: Overview
    progress: Progress
    awaits: Approval | None = None
    """The stage that waits for an approval."""

    @property
    def execution(self) -> Execution:
        """The execution's row."""
        return self.overview.execution


async def get_execution(ports: Ports, execution_id: str) -> ExecutionView:
    """:raises NotFound: there is no such execution."""
    async with ports.work() as work:
        return (await views_of(work, [await work.overviews.get(execution_id)]))[0]


async def active_execution(ports: Ports, tenant_id: str, component_id: str) -> ExecutionView:
    """:raises NoActiveUpgrade: there is no unfinished execution."""
    async with ports.work() as work:
        found = await work.overviews.active(tenant_id, component_id)
        if found is None or found.execution.is_terminal:
            raise NoActiveUpgrade(f"tenant {tenant_id} has no active upgrade of component {component_id}")
        return (await views_of(work, [found]))[0]


async def list_executions(ports: Ports, wanted: ExecutionFilter) -> list[ExecutionView]:
    """At most ``wanted.limit`` executions, newest first, with two SQL statements."""
    async with ports.work() as work:
        return await views_of(work, await work.overviews.page(wanted))


async def list_instances(ports: Ports, execution_id: str) -> list[Instance]:
    """The instances in the plan's order.

    :raises NotFound: when there is no such execution.
    """
    async with ports.work() as work:
        await work.executions.get(execution_id)
        return await work.executions.instances(execution_id)


async def get_statistics(ports: Ports, component_id: str) -> Statistics:
    """The statistics of the component's executions in all tenants.

    :raises NotFound: when there is no such component.
    """
    async with ports.work() as work:
        if await work.registry.component(component_id) is None:
            raise NotFound(f"there is no component {component_id}")
        return await work.executions.statistics(component_id)


async def get_history(ports: Ports, of: HistoryOf, weeks: int = WEEKS) -> History:
    """The last ``weeks`` weeks including the current one, with one SQL statement.

    :raises NotFound: when there is no such component.
    """
    async with ports.work() as work:
        if of.component_id is not None and await work.registry.component(of.component_id) is None:
            raise NotFound(f"there is no component {of.component_id}")
        today = (await work.now()).date()
        return await work.executions.history(of, first_monday(today, weeks), today)


async def get_plan(ports: Ports, execution_id: str) -> tuple[Execution, Plan]:
    """:raises NotFound: when there is no such execution."""
    async with ports.work() as work:
        execution = await work.executions.get(execution_id)
        return execution, await work.executions.plan(execution_id)


async def list_events(ports: Ports, execution_id: str, after: int, limit: int) -> list[StoredEvent]:
    """Events with a sequence above ``after``.

    :raises NotFound: when there is no such execution.
    """
    async with ports.work() as work:
        await work.executions.get(execution_id)
        return await work.events.page(execution_id, after, limit)


async def get_tail(ports: Ports, execution_id: str) -> Tail:
    """The end of the event log.

    :raises NotFound: there is no such execution.
    """
    async with ports.work() as work:
        return await work.events.tail(execution_id)


async def views_of(work: UnitOfWork, found: Sequence[Overview]) -> list[ExecutionView]:
    """The views of these executions; one more SQL statement if one of them may wait for an approval."""
    asked = [each.execution.id for each in found if _may_wait(each.execution)]
    approvals = await work.approvals.of(*asked) if asked else []
    return [_view(each, [one for one in approvals if one.execution_id == each.execution.id]) for each in found]


def _may_wait(execution: Execution) -> bool:
    return execution.request.strategy is Strategy.STAGED and execution.status in WAITS_IN


def _view(overview: Overview, approvals: Sequence[Approval]) -> ExecutionView:
    progress = progress_of(overview.execution, overview.tally, overview.estimated_seconds, overview.read_at)
    return ExecutionView(overview, progress, waiting(approvals))
