"""Use case: release an ended execution, so that the next upgrade need not wait for its fleet (section 4)."""

from __future__ import annotations

from upgrade_orchestrator.domain.errors import InvalidState
from upgrade_orchestrator.domain.execution.commands import ALLOWED_FROM, Actor, Command, require_allowed
from upgrade_orchestrator.domain.execution.execution import Execution
from upgrade_orchestrator.domain.execution.states import ExecutionStatus
from upgrade_orchestrator.service.audit import record_command
from upgrade_orchestrator.service.ports.unit_of_work import Ports
from upgrade_orchestrator.service.runner.settling import settle_from_rows_in


async def release_upgrade(ports: Ports, execution_id: str, reason: str | None, actor: Actor) -> Execution:
    """Settle the terminal execution now, by its rows; what is in flight counts as failed, on an unknown version.

    A runner that still works on it loses its lease and stops.

    :raises NotFound: no such execution.
    :raises InvalidState: it is not terminal, or settled already.
    """
    async with ports.work() as work:
        execution = await work.executions.lock(execution_id)
        require_allowed(Command.RELEASE, execution.status)
        if execution.settled_at is not None:
            allowed = [each.value for each in ExecutionStatus if each in ALLOWED_FROM[Command.RELEASE]]
            raise InvalidState.because("its place is free already", execution.status.value, allowed)
        received = await record_command(work, execution, Command.RELEASE, actor, reason)
        why = f"released by {actor.name}: {reason}" if reason else f"released by {actor.name}"
        execution = await settle_from_rows_in(work, execution, why, [received], actor)
        await work.commit()
        return execution
