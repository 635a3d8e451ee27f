"""Use case: post-upgrade verification (specification section 4, "All", and the deployment's version)."""

from __future__ import annotations

from asyncio import get_running_loop
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial

from upgrade_orchestrator.domain.checks import checks, compatibility
from upgrade_orchestrator.domain.execution.commands import SYSTEM
from upgrade_orchestrator.domain.execution.execution import Execution, advance
from upgrade_orchestrator.domain.execution.states import ExecutionStatus
from upgrade_orchestrator.domain.instance.fleet import Fleet
from upgrade_orchestrator.domain.instance.instance import Instance
from upgrade_orchestrator.domain.instance.names import named
from upgrade_orchestrator.domain.instance.presence import naming_gone
from upgrade_orchestrator.domain.lifecycle.settlement import FinalCount
from upgrade_orchestrator.service.ports.unit_of_work import Ports
from upgrade_orchestrator.service.rollout.batch import run_batch
from upgrade_orchestrator.service.rollout.last_look import Ill, LastLook, Unsettled, Well
from upgrade_orchestrator.service.runner.context import Context, deployment_of
from upgrade_orchestrator.service.runner.loop import repeat
from upgrade_orchestrator.service.runner.outcome import SLOW_POLL_SECONDS, Ending, Outcome
from upgrade_orchestrator.service.runner.settling import end_refused, settle_in


async def verify(ports: Ports, context: Context, seconds: float | None) -> Outcome:
    """Verify that every instance is healthy at the target version, and that the dependencies are still satisfied.

    If so, the execution is COMPLETED and the deployment gets the target version in one transaction, so that no command
    comes in between. One look decides nothing bad: what is not well is looked at again within
    ``healthCheckTimeoutSeconds``. Then an instance that fell ill is FAILED, which counts as any failure, and gets its
    second try. UNFINISHED after about ``seconds`` (None: no limit), also while the execution is PAUSED.

    :raises FleetError: the fleet's connection cannot be used: try again.
    """
    execution_id, end = context.execution.id, _end(seconds)
    async with ports.signals.of(execution_id) as waiter, LastLook.of(ports, context) as look:
        refused = partial(end_refused, ports, execution_id, look.lease)
        return await repeat(partial(_verify_once, ports, context, look, end), look.lease, waiter, seconds, refused)


def _end(seconds: float | None) -> float | None:
    return None if seconds is None else get_running_loop().time() + seconds


async def _verify_once(ports: Ports, context: Context, look: LastLook, end: float | None) -> Outcome | float:
    """One look; the outcome, or the seconds until the next one."""
    async with ports.work() as work:
        execution = await work.executions.get(context.execution.id)
        rows = await work.executions.instances(execution.id)
        (last,) = await work.executions.batches(execution.id, len(context.plan.batches), 1)
        target = await work.registry.version(execution.request.to_version_id)
    if execution.status is ExecutionStatus.PAUSED:
        look.stop_watching()
        return SLOW_POLL_SECONDS
    if execution.status is not ExecutionStatus.IN_PROGRESS:
        return _ended(execution)
    if last.completed_at is None:  # open again for a second try, whose runner died or is another process
        return await _try_again(ports, context, look, end)
    assert target is not None
    facts = checks.unfinished(rows) + compatibility.dependencies(target, execution.request.installed_components)
    if facts.blockers:
        return _ended(await _fail(ports, execution.id, facts.blockers))
    match await look.take(rows):
        case Well(fleet, present):
            return _ended(await _complete(ports, execution.id, fleet, present))
        case Unsettled(seconds):
            return seconds
        case Ill(problems, may_be_tried_again):
            if may_be_tried_again:
                return await _try_again(ports, context, look, end)
            return _ended(await _fail(ports, execution.id, problems))


async def _try_again(ports: Ports, context: Context, look: LastLook, end: float | None) -> Outcome | float:
    """Run the last batch, which is open again for the instances that fell ill."""
    look.stop_watching()
    left = None if end is None else max(0.0, end - get_running_loop().time())
    outcome = await run_batch(ports, context, len(context.plan.batches), left)
    return 0.0 if outcome.ending is Ending.DONE else outcome


def _ended(execution: Execution) -> Outcome:
    if execution.status is ExecutionStatus.COMPLETED:
        return Outcome(Ending.DONE)
    return Outcome(Ending.STOPPED, f"the execution is {execution.status.value}")


async def _fail(ports: Ports, execution_id: str, problems: Sequence[str]) -> Execution:
    async with ports.work() as work:
        execution = await work.executions.lock(execution_id)
        if execution.status is not ExecutionStatus.IN_PROGRESS:
            return execution
        reason = f"post-upgrade verification failed: {named(problems, '; ')}"
        moved, event = advance(execution, ExecutionStatus.FAILED, reason, SYSTEM, await work.now())
        await work.events.append(moved, [event])
        moved = await work.executions.save(moved)
        await work.commit()
        return moved


async def _complete(ports: Ports, execution_id: str, fleet: Fleet, rows: Sequence[Instance]) -> Execution:
    async with ports.work() as work:
        execution = await work.executions.lock(execution_id)
        if execution.status is not ExecutionStatus.IN_PROGRESS:
            return execution
        now, mixed = await work.now(), fleet.mixed(execution.to_version)
        moved, event = advance(execution, ExecutionStatus.COMPLETED, _reason(execution, mixed, rows), SYSTEM, now)
        runs = replace(await deployment_of(work, execution), current_version_id=execution.request.to_version_id)
        moved = await settle_in(work, moved, FinalCount.of_fleet(fleet), now, runs, mixed, [event])
        await work.commit()
        return moved


def _reason(execution: Execution, mixed: Mapping[str, int] | None, rows: Sequence[Instance]) -> str:
    """The status reason; it names the gone instances, and the versions of a fleet that is mixed."""
    gone, upgraded = naming_gone(rows), sum(not each.gone for each in rows)
    said = "all instances upgraded" if mixed is None and not gone else f"all {upgraded} planned instances upgraded"
    parts = [said, gone]
    if mixed is not None:
        others = ", ".join(f"{count} on {version}" for version, count in sorted(mixed.items()))
        parts.append(f"the fleet is mixed: {others}")
    return "; ".join(each for each in parts if each)
