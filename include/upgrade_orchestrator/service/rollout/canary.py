"""Use case: watch the canaries until somebody promotes them, or they go back (contract section 4, CANARY)."""

from __future__ import annotations

from functools import partial

from upgrade_orchestrator.domain.execution.canary import CANARY_BATCH, Poll, poll_of
from upgrade_orchestrator.domain.execution.execution import Execution
from upgrade_orchestrator.domain.execution.states import ExecutionStatus
from upgrade_orchestrator.domain.lifecycle.canary_monitor import next_poll_at, note_poll
from upgrade_orchestrator.service.ports.unit_of_work import Ports
from upgrade_orchestrator.service.rollout.batch import run_batch
from upgrade_orchestrator.service.runner.fleet_client import FleetWork
from upgrade_orchestrator.service.runner.outcome import SLOW_POLL_SECONDS, Ending, Outcome
from upgrade_orchestrator.service.runner.wait import wait_until

S = ExecutionStatus


async def monitor_canary(ports: Ports, execution_id: str, seconds: float | None) -> Outcome:
    """Poll the canaries for about ``seconds`` (None: until it is decided): DONE once they are promoted.

    :raises NotFound: no such execution; :raises FleetError: the fleet's connection is not known.
    """
    return await wait_until(partial(_look, ports, execution_id, seconds), ports, execution_id, seconds)


async def run_after_canaries(
    ports: Ports, execution_id: str, number: int, seconds: float | None, last: int | None = None
) -> Outcome:
    """As ``run_batch``, once there is no canary to wait for: also when somebody took the monitor's task for done."""
    if number > CANARY_BATCH:
        promoted = await monitor_canary(ports, execution_id, seconds)
        if promoted.ending is not Ending.DONE:
            return promoted
    return await run_batch(ports, execution_id, number, seconds, last)


async def _look(ports: Ports, execution_id: str, seconds: float | None) -> Outcome | float:
    """One look at the rows, with a poll when it is due; the outcome, or the seconds until the next look."""
    async with ports.work() as work:
        execution, now = await work.executions.get(execution_id), await work.now()
    match execution.status:
        case S.CANARY_MONITORING:
            due = (next_poll_at(execution, now) - now).total_seconds()
            return due if due > 0 else await _poll(ports, execution)
        case S.PAUSED:
            return SLOW_POLL_SECONDS
        case S.CANARY_RUNNING:  # somebody took the deployment's task for done
            deployed = await run_batch(ports, execution_id, CANARY_BATCH, seconds)
            return 0.0 if deployed.ending is Ending.DONE else deployed
        case S.IN_PROGRESS:
            return Outcome(Ending.DONE)
    return Outcome(Ending.STOPPED, f"the execution is {execution.status.value}")


async def _poll(ports: Ports, execution: Execution) -> float:
    poll = await poll_canaries(ports, execution)
    async with ports.work() as work:
        locked, now = await work.executions.lock(execution.id), await work.now()
        # two monitors may have polled side by side after a crash: the poll that is written second does not count
        if locked.status is S.CANARY_MONITORING and next_poll_at(locked, now) <= now:
            moved, events = note_poll(locked, poll, now)
            await work.events.append(moved, events)
            await work.executions.save(moved)
            await work.commit()
    return 0.0


async def poll_canaries(ports: Ports, execution: Execution) -> Poll:
    """Ask every canary's health endpoint now.

    :raises FleetError: the fleet's connection is not known.
    """
    async with ports.work() as work:
        plan = await work.executions.plan(execution.id)
        deployment = await work.registry.deployment(execution.tenant_id, execution.request.component_id)
    assert deployment is not None  # a deployment is never deleted
    async with ports.fleets.of(deployment) as driver:
        answers = await FleetWork(driver, execution.id).poll(plan.canary)
    return poll_of(answers, execution.to_version)
