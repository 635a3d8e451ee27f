"""The rows of the audit: who gave which command, when, from where and why."""

from __future__ import annotations

from upgrade_orchestrator.adapters.memory.engine.tables import COMMAND, EXECUTION, CommandRow
from upgrade_orchestrator.adapters.memory.engine.transaction import Transaction
from upgrade_orchestrator.adapters.memory.engine.values import as_json
from upgrade_orchestrator.domain.execution.commands import Actor


async def add(
    transaction: Transaction, execution_id: str, command: str, actor: Actor, reason: str | None, **detail: object
) -> None:
    """Add a row. Its detail also gets the request id, which finds the call in the log."""
    await transaction.refer(EXECUTION, execution_id)
    call = {"requestId": actor.request_id} if actor.request_id else {}
    row = CommandRow(
        id=transaction.database.new_id(),
        execution_id=execution_id,
        command=str(command),
        actor=actor.name,
        source=actor.source.value,
        reason=reason,
        detail=as_json(detail | call),
        created_at=transaction.database.now(),
    )
    await transaction.write(COMMAND, row, execution_id, row.id)
