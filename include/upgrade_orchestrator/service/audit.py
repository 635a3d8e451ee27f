"""The audit: every command is stored with user, time, source and reason (specification section 9)."""

from __future__ import annotations

from upgrade_orchestrator.domain.events.payloads import CommandReceived
from upgrade_orchestrator.domain.execution.commands import Actor, Command
from upgrade_orchestrator.domain.execution.events import Event
from upgrade_orchestrator.domain.execution.execution import Execution
from upgrade_orchestrator.service.ports.unit_of_work import UnitOfWork


async def record_command(
    work: UnitOfWork, execution: Execution, command: Command, actor: Actor, reason: str | None
) -> Event:
    """Write the audit row; returns the event of the command, which the caller appends before the events it causes."""
    await work.executions.add_command(execution.id, command, actor, reason)
    return CommandReceived(command=command, actor=actor.name, source=actor.source, reason=reason)
