"""Loads what most use cases work on: execution, plan and deployment."""

from __future__ import annotations

from dataclasses import dataclass

from upgrade_orchestrator.domain.execution.execution import Execution
from upgrade_orchestrator.domain.plan.plan import Plan
from upgrade_orchestrator.domain.registry.entries import Deployment
from upgrade_orchestrator.service.ports.unit_of_work import Ports, UnitOfWork


@dataclass(frozen=True, slots=True)
class Context:
    """An execution as last read, its frozen plan, and its deployment."""

    execution: Execution
    plan: Plan
    deployment: Deployment


async def load_context(ports: Ports, execution_id: str) -> Context:
    """:raises NotFound: no such execution."""
    async with ports.work() as work:
        return await context_in(work, execution_id)


async def context_in(work: UnitOfWork, execution_id: str) -> Context:
    """``load_context`` within a unit of work.

    :raises NotFound: no such execution.
    """
    execution = await work.executions.get(execution_id)
    return Context(execution, await work.executions.plan(execution_id), await deployment_of(work, execution))


async def deployment_of(work: UnitOfWork, execution: Execution) -> Deployment:
    """The deployment that the execution upgrades."""
    deployment = await work.registry.deployment(execution.tenant_id, execution.request.component_id)
    assert deployment is not None  # a deployment is never deleted
    return deployment


async def find_execution(ports: Ports, execution_id: str) -> Execution:
    """Read the execution's row only.

    :raises NotFound: there is no such execution.
    """
    async with ports.work() as work:
        return await work.executions.get(execution_id)
