"""Every command is kept with who, when, through which door and why (contract section 9)."""

from __future__ import annotations

from include.upgrades.domain.commands import Actor, Command
from include.upgrades.domain.event_data import CommandReceived
from include.upgrades.domain.events import Event
from include.upgrades.domain.execution import Execution
from include.upgrades.service.ports import UnitOfWork


async def receive(work: UnitOfWork, execution: Execution, command: Command, actor: Actor, reason: str | None) -> Event:
    """Write the audit row; the event that tells of it is the caller's to append, before what follows from it."""
    await work.executions.add_command(execution.id, command, actor, reason)
    return Event.of(CommandReceived(command=command, actor=actor.name, source=actor.source, reason=reason))
