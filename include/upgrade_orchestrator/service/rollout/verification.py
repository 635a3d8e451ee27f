"""Use case: post-upgrade verification (specification section 4, "All", and the deployment's version)."""

from __future__ import annotations

from asyncio import get_running_loop
from collections.abc import Mapping, Sequence
from dataclasses import replace

from upgrade_orchestrator.domain.checks import checks, compatibility
from upgrade_orchestrator.domain.execution.commands import SYSTEM
from upgrade_orchestrator.domain.execution.execution import Execution, Strategy, advance
from upgrade_orchestrator.domain.execution.states import ExecutionStatus
from upgrade_orchestrator.domain.instance.fleet import Fleet
from upgrade_orchestrator.service.ports.unit_of_work import Ports
from upgrade_orchestrator.service.runner.context import deployment_of
from upgrade_orchestrator.service.runner.outcome import SLOW_POLL_SECONDS, Ending, Outcome


async def verify(ports: Ports, execution_id: str, seconds: float | None) -> Outcome:
    """Verify that every instance is healthy at the target version, and that the dependencies are still satisfied.

    If so, the execution is COMPLETED and the deployment gets the target version in one transaction, so that no command
    comes in between; otherwise it is FAILED with the problems. While the execution is PAUSED this waits up to
    ``seconds`` (None: no limit).

    :raises FleetError: the fleet does not respond, so there is no result: try again.
    """
    end = None if seconds is None else get_running_loop().time() + seconds
    async with ports.signals.of(execution_id) as waiter:
        while (status := await _verify_once(ports, execution_id)) is ExecutionStatus.PAUSED:
            left = SLOW_POLL_SECONDS if end is None else end - get_running_loop().time()
            if left <= 0:
                return Outcome(Ending.UNFINISHED)
            await waiter.wait(min(SLOW_POLL_SECONDS, left))
    if status is ExecutionStatus.COMPLETED:
        return Outcome(Ending.DONE)
    return Outcome(Ending.STOPPED, f"the execution is {status.value}")


async def _verify_once(ports: Ports, execution_id: str) -> ExecutionStatus:
    async with ports.work() as work:
        execution = await work.executions.get(execution_id)
        if execution.status is not ExecutionStatus.IN_PROGRESS:
            return execution.status
        instances = await work.executions.instances(execution_id)
        deployment = await deployment_of(work, execution)
        target = await work.registry.version(execution.request.to_version_id)
    assert target is not None
    async with ports.fleets.of(deployment) as driver:
        fleet = await driver.fleet()
    findings = (
        checks.unfinished(instances)
        + _of_fleet(execution, fleet, [each.instance_id for each in instances])
        + compatibility.dependencies(target, execution.request.installed_components)
    )
    return await _store_verification(ports, execution_id, findings.blockers, fleet)


def _of_fleet(execution: Execution, fleet: Fleet, planned: Sequence[str]) -> checks.Findings:
    if execution.request.strategy is Strategy.BLUE_GREEN:
        return checks.pool_verification(execution.to_version, planned, fleet)
    return checks.verification(execution.to_version, len(planned), fleet, planned)


async def _store_verification(
    ports: Ports, execution_id: str, problems: Sequence[str], fleet: Fleet
) -> ExecutionStatus:
    async with ports.work() as work:
        execution = await work.executions.lock(execution_id)
        if execution.status is not ExecutionStatus.IN_PROGRESS:
            return execution.status
        now = await work.now()
        if problems:
            reason = f"post-upgrade verification failed: {'; '.join(problems)}"
            moved, event = advance(execution, ExecutionStatus.FAILED, reason, SYSTEM, now)
        else:
            mixed = fleet.mixed(execution.to_version)
            moved, event = advance(execution, ExecutionStatus.COMPLETED, _reason(execution, mixed), SYSTEM, now)
            moved = replace(moved, settled_at=now)
            deployment = await deployment_of(work, execution)
            runs = replace(deployment, current_version_id=execution.request.to_version_id, mixed=mixed)
            await work.registry.put(runs)
        await work.events.append(moved, [event])
        await work.executions.save(moved)
        await work.commit()
        return moved.status


def _reason(execution: Execution, mixed: Mapping[str, int] | None) -> str:
    """The status reason; after an upgrade of a part of the fleet it names the versions of the others."""
    if mixed is None:
        return "all instances upgraded"
    others = ", ".join(f"{count} on {version}" for version, count in sorted(mixed.items()))
    return f"all {execution.total_instances} planned instances upgraded; the fleet is mixed: {others}"
