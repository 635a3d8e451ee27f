"""Use cases of an upgrade that nothing works on any more: it has failed, or its active slot is freed."""

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
    """Let go of a terminal execution once nothing is in flight: its place is free, the deployment told as it is.

    :raises FleetError: the fleet cannot be asked for the versions that instances run: try again.
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


async def conclude(ports: Ports, execution_id: str) -> Execution:
    """No task works on the execution any more: what is neither terminal nor on its way back has FAILED."""
    async with ports.work() as work:
        execution = await work.executions.lock(execution_id)
        if execution.is_terminal or execution.status is ExecutionStatus.ROLLING_BACK:
            return execution
        now, reason = await work.now(), "the tasks of the DAG run ended before the upgrade did"
        execution, told = fail_from_anywhere(execution, reason, SYSTEM, now)
        await work.events.append(execution, told)
        execution = await work.executions.save(execution)
        await work.commit()
        return execution
