"""One transaction (port ``UnitOfWork``): nothing happened unless ``commit`` was called."""

from __future__ import annotations

from datetime import datetime
from types import TracebackType
from typing import Self

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
    """Works on a database that several share; ``lease_seconds`` is how long a holder of a lease may be silent."""

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

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._transaction.rollback()

    async def now(self) -> datetime:
        """The database's clock, UTC: of the execution's last read in this unit of work."""
        if self.executions.read_at is not None:
            return self.executions.read_at
        await self._transaction.statement()
        return self._transaction.database.now()

    async def at_one_moment(self) -> None:
        """A read-only snapshot, from the next statement on."""
        self._transaction.at_one_moment()

    async def commit(self) -> None:
        """End the transaction for good; a new one begins with the next statement."""
        await self._transaction.commit()


class JoinedUnitOfWork(MemoryUnitOfWork):
    """A part of somebody else's transaction: a savepoint, kept by ``commit`` and undone otherwise."""

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
        """The savepoint is over; another one begins."""
        await self._transaction.statement()
        self._savepoint = self._transaction.savepoint()
