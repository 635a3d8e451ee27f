"""A transaction: sees what is committed and what it has written itself; nobody else sees that before ``commit``."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar, cast

from upgrade_orchestrator.adapters.memory.engine.locks import Locks, Strength
from upgrade_orchestrator.adapters.memory.engine.tables import COMPONENT, Row, Table, Tables

if TYPE_CHECKING:  # it makes transactions
    from upgrade_orchestrator.adapters.memory.engine.database import MemoryDatabase

Error = TypeVar("Error", bound=BaseException)


@dataclass(frozen=True, slots=True)
class Savepoint:
    """What a transaction had done when it was set."""

    written: Tables
    locks: int
    told: dict[str, None]


class Transaction:
    """READ COMMITTED as PostgreSQL has it; goes on as a new one after ``commit`` and ``rollback``.

    A statement looks and writes at one moment: after ``statement`` nothing waits but for a lock, and who has waited for
    one looks again.
    """

    def __init__(self, database: MemoryDatabase) -> None:
        self.database = database
        self._locks = Locks(database.locks)
        self._begin()

    def _begin(self) -> None:
        self._written = Tables()
        self._told: dict[str, None] = {}
        self._snapshot: Tables | None = None
        self._wants_snapshot = self._failed = False

    async def statement(self) -> None:
        """Begin a statement: others get their turn in between, as they do while a server works.

        :raises RuntimeError: one before it was refused by a constraint; only going back helps then.
        """
        await asyncio.sleep(0)
        if self._failed:
            raise RuntimeError("current transaction is aborted")
        if self._wants_snapshot and self._snapshot is None:
            self._snapshot = self.database.tables.copy()

    def at_one_moment(self) -> None:
        """Read-only from here on, as things are at the next statement."""
        self._wants_snapshot = True

    def get(self, table: Table[Row], *key: str | int) -> Row | None:
        """The row with that key."""
        found = self._written if self._written.has(table.name, key) else self._seen
        return cast("Row | None", found.get(table.name, key))

    def rows(self, table: Table[Row], first: str | int | None = None) -> list[Row]:
        """The table's rows, or those whose key begins with ``first``, in no order."""
        found = dict(self._seen.of(table.name, first)) | dict(self._written.of(table.name, first))
        return [row for row in found.values() if row is not None]

    @property
    def _seen(self) -> Tables:
        return self.database.tables if self._snapshot is None else self._snapshot

    async def lock(self, table: Table[Any], *key: str | int, strength: Strength = Strength.CHANGE) -> None:
        """Hold the row, or the place of one that is not there yet, until the end."""
        await self._take((table.name, key), strength)

    async def claim(self, table: Table[Any], *values: str) -> None:
        """Hold values that must be unique in the table, until the end."""
        await self._take((table.name, "unique", values), Strength.ALONE)

    async def lock_components(self, strength: Strength) -> None:
        """The table that everything of the registry refers to: ALONE keeps every addition out."""
        await self._take((COMPONENT.name,), strength)

    async def _take(self, key: tuple[object, ...], strength: Strength) -> None:
        if self._wants_snapshot:
            raise RuntimeError("cannot write in a read-only transaction")
        try:
            await self._locks.take(key, strength)
        except BaseException as error:  # who was cancelled in the midst of a statement cannot go on either
            raise self.failed(error) from None

    async def refer(self, table: Table[Any], *key: str | int) -> None:
        """A foreign key. :raises LookupError: there is no such row."""
        if table is COMPONENT:
            await self.lock_components(Strength.KEY_SHARE)
        await self.lock(table, *key, strength=Strength.KEY_SHARE)
        if self.get(table, *key) is None:
            raise self.failed(LookupError(f"foreign key: table {table.name} has no row {key}"))

    async def write(self, table: Table[Row], row: Row | None, *key: str | int) -> None:
        """Insert, replace, or delete (None)."""
        await self.lock(table, *key)
        self._written.put(table.name, key, row)

    def tell(self, execution_id: str) -> None:
        """Whoever listens is told at the commit."""
        self._told[execution_id] = None

    def failed(self, error: Error) -> Error:
        """``error``, after which nothing of this transaction can be kept."""
        self._failed = True
        return error

    def savepoint(self) -> Savepoint:
        """A place to go back to."""
        return Savepoint(self._written.copy(), self._locks.count, dict(self._told))

    def go_back(self, to: Savepoint) -> None:
        """As things were there; the locks taken since are free."""
        self._written, self._told, self._failed = to.written.copy(), dict(to.told), False
        self._locks.free(since=to.locks)

    async def commit(self) -> None:
        """Make it so and tell; what has failed is undone instead."""
        await asyncio.sleep(0)
        if self._failed:
            self.rollback()
            return
        for name, key, row in self._written.all():
            if row is None:
                self.database.tables.drop(name, key)
            else:
                self.database.tables.put(name, key, row)
        told = self._told
        self.rollback()
        for each in told:
            self.database.tell(each)

    def rollback(self) -> None:
        """Forget what was written and free the locks."""
        self._begin()
        self._locks.free()
