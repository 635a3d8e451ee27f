"""Row locks as PostgreSQL has them: four strengths, held until the transaction ends, a deadlock is refused."""

from __future__ import annotations

import asyncio
from enum import IntEnum
from weakref import WeakValueDictionary

from upgrade_orchestrator.domain.errors import Unavailable

LockKey = tuple[object, ...]


class Strength(IntEnum):
    """What a lock keeps others from. Two of different transactions can be held together when their sum is 4 or less."""

    KEY_SHARE = 1
    "The row is referred to: it stays (FOR KEY SHARE)."
    SHARE = 2
    "The row stays as it is (FOR SHARE)."
    CHANGE = 3
    "The row is written (UPDATE)."
    ALONE = 4
    "Nobody else so much as refers to it (FOR UPDATE)."


_MOST_TOGETHER = 4


class RowLock:
    """Who holds one row how strongly, and who waits for it."""

    def __init__(self) -> None:
        self.holders: dict[Locks, Strength] = {}
        self._waiting: list[asyncio.Future[None]] = []

    def in_the_way(self, of: Locks, strength: Strength) -> list[Locks]:
        """The other holders that ``strength`` has to wait for."""
        held = self.holders.items()
        return [each for each, theirs in held if each is not of and theirs + strength > _MOST_TOGETHER]

    async def freed(self) -> None:
        """Return when somebody has let go of it; whoever waits has to look again."""
        woken = asyncio.get_running_loop().create_future()
        self._waiting.append(woken)
        try:
            await woken
        finally:
            self._waiting.remove(woken)

    def free(self, holder: Locks) -> None:
        """Wakes all: one that is cancelled while it waits takes nobody's turn."""
        del self.holders[holder]
        for each in self._waiting:
            if not each.done():
                each.set_result(None)


LockTable = WeakValueDictionary[LockKey, RowLock]
"The locks that are held or waited for; nobody else holds on to one."


class Locks:
    """What one transaction holds."""

    def __init__(self, table: LockTable) -> None:
        self._table = table
        self._held: list[RowLock] = []
        self._waits_for: tuple[RowLock, Strength] | None = None

    @property
    def count(self) -> int:
        """How many it holds, in the order in which it took them."""
        return len(self._held)

    async def take(self, key: LockKey, strength: Strength) -> None:
        """Wait until nobody is in the way.

        :raises Unavailable: the one in the way waits for this transaction, as PostgreSQL would find out.
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
        """Let go of what it took after its first ``since`` locks."""
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
