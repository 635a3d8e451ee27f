"""Use cases of an upgrade that no task works on any more: settle it, or set it to FAILED (specification section 4)."""

from __future__ import annotations

from dataclasses import replace

from upgrade_orchestrator.domain.execution.commands import SYSTEM
from upgrade_orchestrator.domain.execution.execution import Execution
from upgrade_orchestrator.domain.execution.failure import fail_from_anywhere
from upgrade_orchestrator.domain.execution.states import ExecutionStatus
from upgrade_orchestrator.domain.instance.instance import InstanceStatus
from upgrade_orchestrator.service.ports.unit_of_work import Ports
from upgrade_orchestrator.service.runner.context import deployment_of


async def settle(ports: Ports, execution_id: str) -> Execution:
    """Settle a terminal execution once nothing is in flight: free its active slot and store the deployment's versions.

    :raises FleetError: the fleet does not respond: try again.
    """
    async with ports.work() as work:
        execution = await work.executions.get(execution_id)
        instances = await work.executions.instances(execution_id)
        deployment = await deployment_of(work, execution)
        current = await work.registry.version(deployment.current_version_id)
    runs = current.version if current else None
    if not execution.is_terminal or execution.settled_at is not None or any(each.in_flight for each in instances):
        return execution
    touched = any(each.status is not InstanceStatus.PENDING for each in instances)
    fleet = None
    if touched:
        async with ports.fleets.of(deployment) as driver:
            fleet = await driver.fleet()
    async with ports.work() as work:
        execution = await work.executions.lock(execution_id)
        if execution.settled_at is None:
            if fleet is not None:
                await work.registry.put(replace(deployment, mixed=fleet.mixed(runs)))
            execution = await work.executions.save(replace(execution, settled_at=await work.now()))
            await work.commit()
        return execution


async def fail_if_unfinished(ports: Ports, execution_id: str) -> Execution:
    """Set an execution that no task works on any more to FAILED, unless it is terminal or rolling back."""
    async with ports.work() as work:
        execution = await work.executions.lock(execution_id)
        if execution.is_terminal or execution.status is ExecutionStatus.ROLLING_BACK:
            return execution
        now, reason = await work.now(), "the tasks of the DAG run ended before the upgrade did"
        execution, events = fail_from_anywhere(execution, reason, SYSTEM, now)
        await work.events.append(execution, events)
        execution = await work.executions.save(execution)
        await work.commit()
        return execution
