"""A transaction: sees committed rows and its own writes, which others see only after ``commit``."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar, cast

from upgrade_orchestrator.adapters.memory.engine.locks import Locks, Strength
from upgrade_orchestrator.adapters.memory.engine.tables import COMPONENT, Row, Table, Tables

if TYPE_CHECKING:  # the database creates transactions: a circular import
    from upgrade_orchestrator.adapters.memory.engine.database import MemoryDatabase

Error = TypeVar("Error", bound=BaseException)


@dataclass(frozen=True, slots=True)
class Savepoint:
    """The state of a transaction when the savepoint was set."""

    written: Tables
    locks: int
    changed: dict[str, None]


class Transaction:
    """READ COMMITTED as in PostgreSQL; ``commit`` and ``rollback`` begin a new transaction on the same object.

    A statement reads and writes at one moment: after ``statement``, only a lock makes it wait, and after such a wait
    the caller reads again.
    """

    def __init__(self, database: MemoryDatabase) -> None:
        self.database = database
        self._locks = Locks(database.locks)
        self._begin()

    def _begin(self) -> None:
        self._written = Tables()
        self._changed: dict[str, None] = {}
        self._snapshot: Tables | None = None
        self._wants_snapshot = self._failed = False

    async def statement(self) -> None:
        """Begin a statement; other tasks run in between, as they do while a server works.

        :raises RuntimeError: an earlier statement violated a constraint; only a rollback helps then.
        """
        await asyncio.sleep(0)
        if self._failed:
            raise RuntimeError("current transaction is aborted")
        if self._wants_snapshot and self._snapshot is None:
            self._snapshot = self.database.tables.copy()

    def use_snapshot(self) -> None:
        """Read-only from here on, with a snapshot taken at the next statement."""
        self._wants_snapshot = True

    def get(self, table: Table[Row], *key: str | int) -> Row | None:
        """The row with that key."""
        found = self._written if self._written.has(table.name, key) else self._seen
        return cast("Row | None", found.get(table.name, key))

    def rows(self, table: Table[Row], first: str | int | None = None) -> list[Row]:
        """The table's rows, or only those whose key begins with ``first``, in no particular order."""
        found = dict(self._seen.of(table.name, first)) | dict(self._written.of(table.name, first))
        return [row for row in found.values() if row is not None]

    @property
    def _seen(self) -> Tables:
        return self.database.tables if self._snapshot is None else self._snapshot

    async def lock(self, table: Table[Any], *key: str | int, strength: Strength = Strength.CHANGE) -> None:
        """Lock the row, which need not exist yet, until the end of the transaction."""
        await self._take((table.name, key), strength)

    async def claim(self, table: Table[Any], *values: str) -> None:
        """Reserve values that must be unique in the table, until the end of the transaction."""
        await self._take((table.name, "unique", values), Strength.ALONE)

    async def lock_components(self, strength: Strength) -> None:
        """Lock the table that the whole registry refers to; ALONE blocks every addition."""
        await self._take((COMPONENT.name,), strength)

    async def _take(self, key: tuple[object, ...], strength: Strength) -> None:
        if self._wants_snapshot:
            raise RuntimeError("cannot write in a read-only transaction")
        try:
            await self._locks.take(key, strength)
        except BaseException as error:  # a cancelled statement aborts the transaction too
            raise self.failed(error) from None

    async def refer(self, table: Table[Any], *key: str | int) -> None:
        """Check a foreign key.

        :raises LookupError: there is no such row.
        """
        if table is COMPONENT:
            await self.lock_components(Strength.KEY_SHARE)
        await self.lock(table, *key, strength=Strength.KEY_SHARE)
        if self.get(table, *key) is None:
            raise self.failed(LookupError(f"foreign key: table {table.name} has no row {key}"))

    async def write(self, table: Table[Row], row: Row | None, *key: str | int) -> None:
        """Insert, replace, or delete (None)."""
        await self.lock(table, *key)
        self._written.put(table.name, key, row)

    def notify(self, execution_id: str) -> None:
        """Notify listeners of a change to the execution, at commit."""
        self._changed[execution_id] = None

    def failed(self, error: Error) -> Error:
        """Mark the transaction as aborted and return ``error``."""
        self._failed = True
        return error

    def savepoint(self) -> Savepoint:
        """The current state, for ``go_back``."""
        return Savepoint(self._written.copy(), self._locks.count, dict(self._changed))

    def go_back(self, to: Savepoint) -> None:
        """Restore the state of the savepoint and release the locks taken since."""
        self._written, self._changed, self._failed = to.written.copy(), dict(to.changed), False
        self._locks.free(since=to.locks)

    async def commit(self) -> None:
        """Apply the writes and notify listeners; an aborted transaction is rolled back instead."""
        await asyncio.sleep(0)
        if self._failed:
            self.rollback()
            return
        for name, key, row in self._written.all():
            if row is None:
                self.database.tables.drop(name, key)
            else:
                self.database.tables.put(name, key, row)
        changed = self._changed
        self.rollback()
        for each in changed:
            self.database.notify(each)

    def rollback(self) -> None:
        """Discard the writes and release the locks."""
        self._begin()
        self._locks.free()
