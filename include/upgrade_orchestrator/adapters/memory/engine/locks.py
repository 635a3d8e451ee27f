"""Row locks as in PostgreSQL: four strengths, held until the transaction ends; deadlocks are detected."""

from __future__ import annotations

import asyncio
from enum import IntEnum
from weakref import WeakValueDictionary

from upgrade_orchestrator.domain.errors import Unavailable

LockKey = tuple[object, ...]


class Strength(IntEnum):
    """Strength of a lock. Locks of two transactions are compatible when their sum is 4 or less."""

    KEY_SHARE = 1
    "The row is referred to and must not be deleted (FOR KEY SHARE)."
    SHARE = 2
    "The row must not be changed (FOR SHARE)."
    CHANGE = 3
    "The row is written (UPDATE)."
    ALONE = 4
    "No other transaction may even refer to the row (FOR UPDATE)."


_MAX_TOGETHER = 4


class RowLock:
    """The transactions that hold one row, at which strength, and those that wait for it."""

    def __init__(self) -> None:
        self.holders: dict[Locks, Strength] = {}
        self._waiting: list[asyncio.Future[None]] = []

    def in_the_way(self, of: Locks, strength: Strength) -> list[Locks]:
        """The other holders that a lock of ``strength`` must wait for."""
        held = self.holders.items()
        return [each for each, theirs in held if each is not of and theirs + strength > _MAX_TOGETHER]

    async def freed(self) -> None:
        """Return when a holder has released it. All waiters are woken, so each must check again."""
        woken = asyncio.get_running_loop().create_future()
        self._waiting.append(woken)
        try:
            await woken
        finally:
            self._waiting.remove(woken)

    def free(self, holder: Locks) -> None:
        """Release and wake all waiters, so that a waiter that was cancelled does not cost another its turn."""
        del self.holders[holder]
        for each in self._waiting:
            if not each.done():
                each.set_result(None)


LockTable = WeakValueDictionary[LockKey, RowLock]
"Locks that are held or waited for; the table itself keeps none alive."


class Locks:
    """The locks of one transaction."""

    def __init__(self, table: LockTable) -> None:
        self._table = table
        self._held: list[RowLock] = []
        self._waits_for: tuple[RowLock, Strength] | None = None

    @property
    def count(self) -> int:
        """How many locks it holds; ``free`` counts them in the order in which they were taken."""
        return len(self._held)

    async def take(self, key: LockKey, strength: Strength) -> None:
        """Take the lock, after waiting for incompatible holders.

        :raises Unavailable: the holder waits for this transaction: a deadlock, which PostgreSQL would detect as well.
        """
        lock = self._table.setdefault(key, RowLock())
        while lock.in_the_way(self, strength):
            self._waits_for = lock, strength
            try:
                self._refuse_deadlock()
                await lock.freed()
            finally:
                self._waits_for = None
        if self not in lock.holders:
            self._held.append(lock)
        lock.holders[self] = max(strength, lock.holders.get(self, strength))

    def free(self, since: int = 0) -> None:
        """Release all but the first ``since`` locks."""
        freed, self._held = self._held[since:], self._held[:since]
        for lock in freed:
            lock.free(self)

    def _refuse_deadlock(self) -> None:
        seen, left = set[Locks](), self._in_the_way()
        while left:
            each = left.pop()
            if each is self:
                raise Unavailable("two transactions wait for each other")
            if each not in seen:
                seen.add(each)
                left += each._in_the_way()

    def _in_the_way(self) -> list[Locks]:
        if self._waits_for is None:
            return []
        lock, strength = self._waits_for
        return lock.in_the_way(self, strength)
