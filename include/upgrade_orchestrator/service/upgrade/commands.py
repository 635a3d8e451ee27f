"""Use cases of the commands pause, resume, cancel, promote and roll back; each is one transaction with event and audit.

A running batch gets a signal by the NOTIFY that the event store sends with each event (adapters/postgres).
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime

from upgrade_orchestrator.domain.checks.finishing import warned
from upgrade_orchestrator.domain.errors import CanaryUnhealthy
from upgrade_orchestrator.domain.execution.canary import Poll
from upgrade_orchestrator.domain.execution.commands import SYSTEM, Actor, Command, require_allowed
from upgrade_orchestrator.domain.execution.events import Event
from upgrade_orchestrator.domain.execution.execution import Execution, advance
from upgrade_orchestrator.domain.execution.states import ExecutionStatus
from upgrade_orchestrator.domain.instance.instance import Instance
from upgrade_orchestrator.domain.lifecycle import transitions
from upgrade_orchestrator.domain.lifecycle.canary_monitor import promote, require_healthy
from upgrade_orchestrator.domain.lifecycle.rollback_start import begin_rollback
from upgrade_orchestrator.domain.lifecycle.settlement import FinalCount, settled
from upgrade_orchestrator.domain.lifecycle.transitions import Moved
from upgrade_orchestrator.domain.plan.pools import by_serving_pool
from upgrade_orchestrator.service.approvals.release import release_tasks
from upgrade_orchestrator.service.audit import record_command
from upgrade_orchestrator.service.checks.looks import COMMAND_SECONDS, look_again
from upgrade_orchestrator.service.checks.preconditions import require_runnable
from upgrade_orchestrator.service.ports.fleet import FleetError, Unreachable
from upgrade_orchestrator.service.ports.unit_of_work import Ports, UnitOfWork
from upgrade_orchestrator.service.rollout.canary import poll_canaries
from upgrade_orchestrator.service.runner.context import load_context
from upgrade_orchestrator.service.runner.settling import is_untouched
from upgrade_orchestrator.service.upgrade.resume import resume_in
from upgrade_orchestrator.service.upgrade.unpause import unpause_dag

Act = Callable[[UnitOfWork, Execution, datetime], Awaitable[Moved]]


async def pause_upgrade(ports: Ports, execution_id: str, reason: str | None, actor: Actor) -> Execution:
    """Pause: no new work begins, and delays and soaks of batches wait; what is in flight finishes.

    :raises NotFound: no such execution.
    :raises InvalidState: the status cannot be paused.
    """

    async def act(work: UnitOfWork, execution: Execution, now: datetime) -> Moved:
        return transitions.pause(execution, reason, actor, now)

    return await _carry_out(ports, execution_id, Command.PAUSE, act, reason, actor)


async def resume_upgrade(ports: Ports, execution_id: str, reason: str | None, actor: Actor) -> Execution:
    """Resume: continue in the status before the pause; the batches' due times are moved by its length.

    The budget is not checked: what is in flight has to finish in any case.

    :raises NotFound: no such execution.
    :raises InvalidState: it is not PAUSED.
    :raises UpgradeBlocked: it could not continue now; it stays PAUSED.
    """
    async with ports.work() as work:
        require_allowed(Command.RESUME, (await work.executions.get(execution_id)).status)
    warnings = await require_runnable(ports, execution_id, room=False)

    async def act(work: UnitOfWork, execution: Execution, now: datetime) -> Moved:
        resumed, events = await resume_in(work, execution, reason, actor, now)
        # under the lock, so that the reconciler does not apply the DAG's old pause in between
        await unpause_dag(ports, execution_id)
        return warned(resumed, warnings), events

    return await _carry_out(ports, execution_id, Command.RESUME, act, reason, actor)


async def cancel_upgrade(ports: Ports, execution_id: str, reason: str | None, actor: Actor) -> Execution:
    """Cancel, which overrides all other commands: draining instances are undrained, upgrading ones finish.

    :raises NotFound: no such execution.
    :raises InvalidState: it is terminal.
    """

    async def act(work: UnitOfWork, execution: Execution, now: datetime) -> Moved:
        rows = await work.executions.instances(execution.id)
        serving = by_serving_pool(rows, await work.executions.batches(execution.id))
        moved, events = transitions.cancel(execution, serving, reason, actor, now)
        return _settled_if_untouched(moved, events, rows, now)

    moved = await _carry_out(ports, execution_id, Command.CANCEL, act, reason, actor)
    await unpause_dag(ports, execution_id)  # its tasks carry this out
    await release_tasks(ports, moved)
    return moved


async def promote_canary(ports: Ports, execution_id: str, force: bool, reason: str | None, actor: Actor) -> Execution:
    """Upgrade the other instances, if the canaries are healthy now and the rest can run; ``force`` skips both checks.

    :raises NotFound: no such execution.
    :raises InvalidState: it is not in CANARY_MONITORING.
    :raises CanaryUnhealthy: a canary is unhealthy or did not respond.
    :raises UpgradeBlocked: the rest cannot run now.
    """
    async with ports.work() as work:
        execution = await work.executions.get(execution_id)
    require_allowed(Command.PROMOTE, execution.status)
    poll, warnings = None, tuple[str, ...]()
    if not force:
        poll = await _ask_canaries(ports, execution_id)
        require_healthy(poll)
        warnings = await require_runnable(ports, execution_id)

    async def act(work: UnitOfWork, execution: Execution, now: datetime) -> Moved:
        moved, events = promote(execution, poll, reason, actor, now)
        return warned(moved, warnings), events

    return await _carry_out(ports, execution_id, Command.PROMOTE, act, reason, actor)


async def _ask_canaries(ports: Ports, execution_id: str) -> Poll:
    """The canaries' health; those that do not respond are asked again, since one look decides nothing."""
    context = await load_context(ports, execution_id)

    async def look() -> Poll:
        poll = await poll_canaries(ports, context)
        if poll.healthy is None:
            raise Unreachable(poll.describe())
        return poll

    try:
        return await look_again(look, COMMAND_SECONDS)
    except (FleetError, TimeoutError) as error:
        raise CanaryUnhealthy(str(error) or f"no answer within {COMMAND_SECONDS:g} s") from error


async def roll_back_upgrade(ports: Ports, execution_id: str, reason: str | None, actor: Actor) -> Execution:
    """Begin the rollback; with nothing to revert the execution is ROLLED_BACK at once.

    :raises NotFound: no such execution.
    :raises InvalidState: the status allows no rollback.
    """

    async def act(work: UnitOfWork, execution: Execution, now: datetime) -> Moved:
        moved, events = begin_rollback(execution, reason or "manual rollback", actor, now)
        rows = await work.executions.instances(execution.id)
        if not is_untouched(rows):
            return moved, events
        moved, event = advance(moved, ExecutionStatus.ROLLED_BACK, "nothing to revert", SYSTEM, now)
        return _settled_if_untouched(moved, [*events, event], rows, now)

    moved = await _carry_out(ports, execution_id, Command.ROLLBACK, act, reason, actor)
    await unpause_dag(ports, execution_id)  # its tasks carry this out
    await release_tasks(ports, moved)
    return moved


def _settled_if_untouched(ended: Execution, events: list[Event], rows: list[Instance], now: datetime) -> Moved:
    """Settled at once, without a look at the fleet, if nothing was begun: all instances run what they ran before."""
    if not is_untouched(rows):
        return ended, events
    moved, end = settled(ended, FinalCount.of_rows(rows), now)
    return moved, [*events, end]


async def _carry_out(
    ports: Ports, execution_id: str, command: Command, act: Act, reason: str | None, actor: Actor
) -> Execution:
    async with ports.work() as work:
        execution = await work.executions.lock(execution_id)
        moved, events = await act(work, execution, await work.now())
        received = await record_command(work, execution, command, actor, reason)
        await work.events.append(execution, [received, *events])
        moved = await work.executions.save(moved)
        await work.commit()
        return moved
