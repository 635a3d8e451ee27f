"""Use cases of an upgrade that no task works on any more: settle it, or set it to FAILED (specification section 4)."""

from __future__ import annotations

from upgrade_orchestrator.domain.execution.commands import SYSTEM
from upgrade_orchestrator.domain.execution.execution import Execution
from upgrade_orchestrator.domain.execution.failure import fail_from_anywhere
from upgrade_orchestrator.domain.execution.states import ExecutionStatus
from upgrade_orchestrator.domain.instance.fleet import Fleet
from upgrade_orchestrator.domain.lifecycle.settlement import FinalCount
from upgrade_orchestrator.domain.plan.drained import is_overdue
from upgrade_orchestrator.domain.registry.entries import Deployment
from upgrade_orchestrator.service.checks.looks import look_again
from upgrade_orchestrator.service.ports.fleet import FleetError
from upgrade_orchestrator.service.ports.unit_of_work import Ports
from upgrade_orchestrator.service.runner.context import Context, deployment_of
from upgrade_orchestrator.service.runner.settling import is_untouched, settle_from_rows, settle_in
from upgrade_orchestrator.service.runner.spelling import fleet_of

LOOK_SECONDS = 5.0
"For how long a fleet that does not respond is asked for its final versions; nothing is in flight any more."
LATE_LOOK_SECONDS = 3.0
"The same once the fleet has had its whole time-out since the end."


async def settle(ports: Ports, execution_id: str) -> Execution:
    """Settle a terminal execution once nothing is in flight: free its active slot and store the deployment's versions.

    A fleet that does not respond within ``LOOK_SECONDS`` does not keep the slot: the rows are counted then.
    """
    async with ports.work() as work:
        execution = await work.executions.get(execution_id)
        instances = await work.executions.instances(execution_id)
        deployment = await deployment_of(work, execution)
        current, now = await work.registry.version(deployment.current_version_id), await work.now()
    if not execution.is_terminal or execution.settled_at is not None or any(each.in_flight for each in instances):
        return execution
    seconds = LATE_LOOK_SECONDS if is_overdue(execution, now) else LOOK_SECONDS
    fleet = None if (untouched := is_untouched(instances)) else await look(ports, execution, deployment, seconds)
    if isinstance(fleet, str):
        return await settle_from_rows(ports, execution_id, f"the fleet was not seen ({fleet})")
    async with ports.work() as work:
        execution = await work.executions.lock(execution_id)
        if execution.settled_at is None:
            count = FinalCount.of_rows(instances) if fleet is None else FinalCount.of_fleet(fleet)
            mixed = None if fleet is None else fleet.mixed(current.version if current else None)
            now = await work.now()
            execution = await settle_in(work, execution, count, now, None if untouched else deployment, mixed)
            await work.commit()
        return execution


async def unseen_for_too_long(ports: Ports, context: Context) -> str | None:
    """Why nobody waits for the fleet any more: since the end it has had its time-out, and it does not respond now."""
    async with ports.work() as work:
        overdue = is_overdue(await work.executions.get(context.execution.id), await work.now())
    if not overdue:
        return None
    fleet = await look(ports, context.execution, context.deployment, LATE_LOOK_SECONDS)
    return f"the fleet was not seen ({fleet})" if isinstance(fleet, str) else None


async def look(ports: Ports, execution: Execution, deployment: Deployment, seconds: float) -> Fleet | str:
    """The fleet; or why it does not respond, after so many seconds of asking."""

    async def ask() -> Fleet:
        async with fleet_of(ports, execution, deployment) as driver:
            return await driver.fleet()

    try:
        return await look_again(ask, seconds)
    except FleetError as error:
        return str(error)
    except TimeoutError:
        return "it does not answer"


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
