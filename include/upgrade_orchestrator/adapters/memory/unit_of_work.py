"""One transaction (port ``UnitOfWork``): changes are discarded unless ``commit`` is called."""

from __future__ import annotations

from datetime import datetime
from types import TracebackType
from typing import Self

from upgrade_orchestrator.adapters.memory.catalogue import MemoryCatalogue
from upgrade_orchestrator.adapters.memory.engine.database import MemoryDatabase
from upgrade_orchestrator.adapters.memory.engine.transaction import Transaction
from upgrade_orchestrator.adapters.memory.events.events import MemoryEvents
from upgrade_orchestrator.adapters.memory.executions.approvals import MemoryApprovals
from upgrade_orchestrator.adapters.memory.executions.board import MemoryBoard
from upgrade_orchestrator.adapters.memory.executions.executions import MemoryExecutions
from upgrade_orchestrator.adapters.memory.executions.overviews import MemoryOverviews
from upgrade_orchestrator.adapters.memory.leases import MemoryLeases
from upgrade_orchestrator.adapters.memory.registry import MemoryRegistry


class MemoryUnitOfWork:
    """A unit of work on a shared database; ``lease_seconds`` is how long a lease lasts without renewal."""

    def __init__(self, database: MemoryDatabase, lease_seconds: float) -> None:
        self._bind(database.begin(), lease_seconds)

    def _bind(self, transaction: Transaction, lease_seconds: float) -> None:
        self._transaction = transaction
        self.executions = MemoryExecutions(transaction)
        self.overviews = MemoryOverviews(transaction)
        self.events = MemoryEvents(transaction)
        self.registry = MemoryRegistry(transaction)
        self.leases = MemoryLeases(transaction, lease_seconds)
        self.approvals = MemoryApprovals(transaction)
        self.board = MemoryBoard(transaction)
        self.catalogue = MemoryCatalogue(transaction)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._transaction.rollback()

    async def now(self) -> datetime:
        """The database's clock (UTC), as of the last read of an execution in this unit of work, if there was one."""
        if self.executions.read_at is not None:
            return self.executions.read_at
        await self._transaction.statement()
        return self._transaction.database.now()

    async def use_snapshot(self) -> None:
        """Read-only from here on, with a snapshot taken at the next statement."""
        self._transaction.use_snapshot()

    async def commit(self) -> None:
        """Commit the transaction; a new one begins with the next statement."""
        await self._transaction.commit()


class JoinedUnitOfWork(MemoryUnitOfWork):
    """A savepoint in another call's transaction, kept by ``commit`` and rolled back otherwise."""

    def __init__(self, transaction: Transaction, lease_seconds: float) -> None:
        self._bind(transaction, lease_seconds)

    async def __aenter__(self) -> Self:
        self._savepoint = self._transaction.savepoint()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._transaction.go_back(self._savepoint)

    async def commit(self) -> None:
        """Keep the changes so far and set a new savepoint."""
        await self._transaction.statement()
        self._savepoint = self._transaction.savepoint()
