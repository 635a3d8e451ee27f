"""Use case: monitor the canaries until they are promoted or rolled back (specification section 4, CANARY)."""

from __future__ import annotations

import logging
from functools import partial
from math import inf

from upgrade_orchestrator.domain.execution.canary import Poll, poll_of
from upgrade_orchestrator.domain.execution.states import ExecutionStatus
from upgrade_orchestrator.domain.lifecycle.canary_monitor import next_poll_at, record_poll
from upgrade_orchestrator.service.ports.unit_of_work import Ports
from upgrade_orchestrator.service.runner.attention import AttentionKeeper
from upgrade_orchestrator.service.runner.context import Context
from upgrade_orchestrator.service.runner.fleet_client import FleetClient
from upgrade_orchestrator.service.runner.journal.journal import Journal
from upgrade_orchestrator.service.runner.journal.sentences import pairs, without_figures
from upgrade_orchestrator.service.runner.outcome import SLOW_POLL_SECONDS, Ending, Outcome
from upgrade_orchestrator.service.runner.spelling import fleet_of
from upgrade_orchestrator.service.runner.wait import wait_until

S = ExecutionStatus


async def monitor_canary(ports: Ports, context: Context, seconds: float | None) -> Outcome:
    """Poll the canaries for about ``seconds`` (None: no limit): DONE once they are promoted.

    :raises FleetError: the fleet's connection is not known.
    """
    attention, journal = AttentionKeeper(ports, context.execution.id), Journal()
    look = partial(_look, ports, context, attention, journal)
    return await wait_until(look, ports, context.execution.id, seconds)


async def _look(ports: Ports, context: Context, attention: AttentionKeeper, journal: Journal) -> Outcome | float:
    """Read the rows and poll when it is due; the outcome, or the seconds until the next call."""
    async with ports.work() as work:
        execution, now = await work.executions.get(context.execution.id), await work.now()
    match execution.status:
        case S.CANARY_MONITORING:
            due = (next_poll_at(execution, now) - now).total_seconds()
            return due if due > 0 else await _poll(ports, context, attention, journal)
        case S.PAUSED:
            journal.once("decide", "resume", "decide wait for=resume: the execution is PAUSED", again=inf)
            return SLOW_POLL_SECONDS
        case S.IN_PROGRESS:
            return Outcome(Ending.DONE)
    return Outcome(Ending.STOPPED, f"the execution is {execution.status.value}")


async def _poll(ports: Ports, context: Context, attention: AttentionKeeper, journal: Journal) -> float:
    poll = await poll_canaries(ports, context, attention, journal)
    _tell(journal, poll)
    async with ports.work() as work:
        locked, now = await work.executions.lock(context.execution.id), await work.now()
        # two monitors may have polled concurrently after a crash: the poll that is written second does not count
        if locked.status is S.CANARY_MONITORING and next_poll_at(locked, now) <= now:
            moved, events = record_poll(locked, poll, now)
            await work.events.append(moved, events)
            await work.executions.save(moved)
            await work.commit()
    return 0.0


def _tell(journal: Journal, poll: Poll) -> None:
    """A poll that says what the last one said, other figures aside, is not written again."""
    said = "unknown" if poll.healthy is None else poll.healthy
    sentence = pairs("poll canaries", healthy=said, **{"for": "promotion"})
    level = logging.INFO if poll.healthy else logging.WARNING
    same = (frozenset(poll.unhealthy), poll.unreachable, without_figures(poll.describe()))
    journal.once("decide", same, f"{sentence}: {poll.describe()}" if not poll.healthy else sentence, level, inf)


async def poll_canaries(
    ports: Ports, context: Context, attention: AttentionKeeper | None = None, journal: Journal | None = None
) -> Poll:
    """Poll the health endpoints of the canaries that are not gone; ``attention`` notes those that do not respond.

    :raises FleetError: the fleet's connection is not known.
    """
    async with ports.work() as work:
        gone = {each.instance_id for each in await work.executions.instances(context.execution.id) if each.gone}
    canaries = [each for each in context.plan.canary if each not in gone] or context.plan.canary
    async with fleet_of(ports, context.execution, context.deployment) as driver:
        fleet = FleetClient(driver, context.execution.id, journal=journal)
        responses = await fleet.poll(canaries)
    if attention is not None:
        await attention.note(fleet.take_problem(), context.execution.attention)
    return poll_of(responses, context.execution.to_version)
