"""Reads the events of one execution as they are committed, once for all streams."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

from upgrade_orchestrator.domain.errors import Unavailable
from upgrade_orchestrator.service.ports.signals import Signals
from upgrade_orchestrator.service.ports.stores.events import StoredEvent, Tail
from upgrade_orchestrator.service.ports.unit_of_work import UnitOfWork

log = logging.getLogger(__name__)

MAX_BUFFERED = 500
"Newest events kept in memory; a stream that is further behind reads from the database."
PAGE = 200
POLL_SECONDS = 5.0
"The longest wait for a signal before the next read, which bounds the delay that a lost signal causes."
SETTLING_SECONDS = 1.0
"The longest wait once the execution is terminal: shorter, so that a stream ends soon after its last event."
RETRY_SECONDS = 2.0
"The wait before the next read when the database does not respond."
GAP_SECONDS = 0.05
"The pause between two reads, so that many small commits become one read."


class SharedReader:
    """Reads new events at every signal and wakes the streams, which take the events that they lack."""

    def __init__(
        self, work: Callable[[], UnitOfWork], signals: Signals, at_once: asyncio.Semaphore, execution_id: str
    ) -> None:
        self._work, self._signals, self._at_once = work, signals, at_once
        self.execution_id = execution_id
        self.kept: list[StoredEvent] = []
        self.tail: Tail | None = None
        self.error: Exception | None = None
        self.news = asyncio.Event()
        self._read_to: int | None = None

    @property
    def over(self) -> bool:
        """True when the execution is settled and all of its events were read."""
        return self.tail is not None and self.tail.is_settled and self._read_to == self.tail.sequence

    async def run(self, after: int) -> None:
        """Read the events after ``after`` until it is over; an error is kept for the streams."""
        try:
            async with self._signals.of(self.execution_id) as waiter:
                while not self.over:
                    await waiter.wait(await self._read_retrying(after))
        except Exception as error:
            self.error = error
        finally:
            self.wake()

    def wake(self) -> None:
        """Wake all streams that wait for events."""
        news, self.news = self.news, asyncio.Event()
        news.set()

    async def behind(self, after: int) -> list[StoredEvent]:
        """The next events after ``after``: from memory, or from the database when they are older.

        :raises Unavailable: the database does not respond.
        :raises NotFound: there is no such execution.
        """
        if self.error is not None:
            raise self.error
        if self._read_to is None or after >= self._read_to:
            return []
        begin = after - (self._read_to - len(self.kept))
        if begin >= 0:
            return self.kept[begin : begin + PAGE]
        async with self._at_once, self._work() as work:
            return await work.events.page(self.execution_id, after, PAGE)

    async def _read_retrying(self, after: int) -> float:
        """Read once; returns the seconds until the next read."""
        try:
            return await self._look(after)
        except Unavailable as error:
            log.warning("the live events of %s wait: %s", self.execution_id, error)
            return RETRY_SECONDS

    async def _look(self, after: int) -> float:
        async with self._at_once, self._work() as work:
            tail = await work.events.tail(self.execution_id)
            if self._read_to is None:
                self._read_to = max(min(after, tail.sequence), tail.sequence - MAX_BUFFERED)
            lacking = self._read_to < tail.sequence
            found = await work.events.page(self.execution_id, self._read_to, PAGE) if lacking else []
        self._take(tail, found)
        if self.over or found:
            self.wake()
            await asyncio.sleep(GAP_SECONDS)
        if self._read_to < tail.sequence:
            return 0.0
        return SETTLING_SECONDS if tail.is_terminal else POLL_SECONDS

    def _take(self, tail: Tail, found: list[StoredEvent]) -> None:
        self.tail = tail
        if found:
            self.kept = [*self.kept, *found][-MAX_BUFFERED:]
            self._read_to = found[-1].sequence
