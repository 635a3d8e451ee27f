"""Reads: an execution with all that its body shows, lists, plan, instances and events (contract sections 1 and 6)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from include.upgrades.domain.approval import WAITS_IN, Approval, waiting
from include.upgrades.domain.batch import Batch
from include.upgrades.domain.checks import CheckResult
from include.upgrades.domain.errors import NoActiveUpgrade, NotFound
from include.upgrades.domain.execution import Execution, Strategy
from include.upgrades.domain.instance import Instance
from include.upgrades.domain.plan import Plan
from include.upgrades.domain.progress import Progress, progress_of
from include.upgrades.domain.statistics import Statistics
from include.upgrades.service.ports import ExecutionFilter, Ports, StoredEvent, UnitOfWork


@dataclass(frozen=True, slots=True)
class ExecutionView:
    """An execution and what is computed from its rows."""

    execution: Execution
    plan: Plan
    progress: Progress
    checks: Sequence[CheckResult]
    instances: Sequence[Instance]
    batches: Sequence[Batch]
    awaits: Approval | None = None
    """The stage that waits for an approval."""


async def find_execution(ports: Ports, execution_id: str) -> Execution:
    """Only its own row.

    :raises NotFound: when there is none.
    """
    async with ports.work() as work:
        return await work.executions.get(execution_id)


async def get_execution(ports: Ports, execution_id: str) -> ExecutionView:
    """:raises NotFound: when there is none."""
    async with ports.work() as work:
        return await view_of(work, await work.executions.get(execution_id))


async def active_execution(ports: Ports, tenant_id: str, component_id: str) -> ExecutionView:
    """:raises NoActiveUpgrade: when nothing is unfinished."""
    async with ports.work() as work:
        execution = await work.executions.active(tenant_id, component_id)
        if execution is None or execution.is_terminal:
            raise NoActiveUpgrade(f"tenant {tenant_id} has no active upgrade of component {component_id}")
        return await view_of(work, execution)


async def list_executions(ports: Ports, wanted: ExecutionFilter) -> list[ExecutionView]:
    """Newest first, at most ``wanted.limit``."""
    async with ports.work() as work:
        return [await view_of(work, each) for each in await work.executions.page(wanted)]


async def get_statistics(ports: Ports, component_id: str) -> Statistics:
    """How the component's executions went, in every tenant.

    :raises NotFound: when there is no such component.
    """
    async with ports.work() as work:
        if await work.registry.component(component_id) is None:
            raise NotFound(f"there is no component {component_id}")
        return await work.executions.statistics(component_id)


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


async def view_of(work: UnitOfWork, execution: Execution) -> ExecutionView:
    """Read what belongs to ``execution``."""
    plan = await work.executions.plan(execution.id)
    instances = await work.executions.instances(execution.id)
    batches = await work.executions.batches(execution.id)
    progress = progress_of(execution, instances, batches, plan.estimated_seconds, await work.now())
    checks = await work.executions.checks(execution.id)
    awaits = await _awaited(work, execution)
    return ExecutionView(execution, plan, progress, checks, instances, batches, awaits)


async def _awaited(work: UnitOfWork, execution: Execution) -> Approval | None:
    if execution.request.strategy is not Strategy.STAGED or execution.status not in WAITS_IN:
        return None
    return waiting(await work.approvals.of(execution.id))
