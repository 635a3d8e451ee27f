"""The database: committed rows, its clock, and the listeners."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime

from upgrade_orchestrator.adapters import ids
from upgrade_orchestrator.adapters.memory.engine.locks import LockTable
from upgrade_orchestrator.adapters.memory.engine.tables import Row, Table, Tables
from upgrade_orchestrator.adapters.memory.engine.transaction import Transaction
from upgrade_orchestrator.service.ports.unit_of_work import NewId

Clock = Callable[[], datetime]


def _now() -> datetime:
    return datetime.now(UTC)


class MemoryDatabase:
    """For one process and event loop. ``now`` is its clock (UTC); ``new_id`` makes ids of events and audit rows."""

    def __init__(self, now: Clock = _now, new_id: NewId = ids.new_id) -> None:
        self.now, self.new_id = now, new_id
        self.tables = Tables()
        self.locks = LockTable()
        self.listeners: set[Callable[[str], None]] = set()

    def begin(self) -> Transaction:
        """A new transaction."""
        return Transaction(self)

    @asynccontextmanager
    async def statement(self) -> AsyncIterator[Transaction]:
        """A transaction for one call, at its first statement; rolled back at the end unless committed."""
        transaction = self.begin()
        try:
            await transaction.statement()
            yield transaction
        finally:
            transaction.rollback()

    def committed(self, table: Table[Row]) -> list[Row]:
        """The committed rows, for tests that look into the store."""
        return [row for _, row in self.tables.of(table.name, None)]

    def notify(self, execution_id: str) -> None:
        """Notify all listeners that a change to the execution was committed."""
        for listener in list(self.listeners):
            listener(execution_id)
