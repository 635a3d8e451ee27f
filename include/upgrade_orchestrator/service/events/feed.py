"""The live feed: gives committed events to all readers in this process (specification section 1, "events"; ADR 18).

There is one listening connection for all, one shared reader for each execution, and no connection per stream. Streams
have no queues: each asks for the events after its own sequence, so a slow one costs no memory and misses nothing.
"""

from __future__ import annotations

import asyncio
from asyncio import get_running_loop
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass

from upgrade_orchestrator.domain.errors import Unavailable
from upgrade_orchestrator.service.events.reader import RETRY_SECONDS, SharedReader
from upgrade_orchestrator.service.ports.signals import ANYTHING, Names, Signals
from upgrade_orchestrator.service.ports.stores.events import StoredEvent, Tail
from upgrade_orchestrator.service.ports.unit_of_work import UnitOfWork

MAX_STREAMS = 1000
"Open streams in one process: readers of executions and watchers of changes together."
READS_AT_ONCE = 2
"The feed's share of the process's connections, so that API calls do not wait when many readers begin at once."
KEEP_WAITING_SECONDS = 15.0
CHANGES_GAP_SECONDS = 0.25
CHANGES_SLOWEST_SECONDS = 30.0
"After so long without a change ``ANYTHING`` is reported, which bounds the delay that a lost signal causes."


class StreamReader:
    """Follows the events of one execution for one caller; not to be shared."""

    def __init__(self, feed: LiveFeed, reader: SharedReader, after: int) -> None:
        self._feed, self._reader, self.after = feed, reader, after

    @property
    def over(self) -> bool:
        """True when the execution is settled and all of its events were returned."""
        tail = self.tail
        return self._reader.over and tail is not None and self.after >= tail.sequence

    @property
    def ended(self) -> bool:
        """True when no event follows: the execution is over, or the feed was closed because the process ends."""
        return self.over or self._feed.closed

    @property
    def tail(self) -> Tail | None:
        """The end of the event log as last read."""
        return self._reader.tail

    async def next(self, seconds: float) -> list[StoredEvent]:
        """The next events in order, without a gap; empty when none came within ``seconds``, or when it ``ended``.

        Empty also while the database does not respond.

        :raises NotFound: there is no such execution.
        """
        news = self._reader.news
        if not (found := await self._ready()) and not self.ended:
            with suppress(TimeoutError):
                async with asyncio.timeout(max(0.0, seconds)):
                    await news.wait()
            found = await self._ready()
        if found:
            self.after = found[-1].sequence
        return found

    async def _ready(self) -> list[StoredEvent]:
        try:
            return await self._reader.behind(self.after)
        except Unavailable:
            await asyncio.sleep(RETRY_SECONDS)
            return []


class ChangeWatcher:
    """Reports to one caller which executions change; not to be shared."""

    def __init__(self, feed: LiveFeed, names: Names) -> None:
        self._feed, self._names = feed, names
        self._given_at = 0.0
        self._quiet_since = get_running_loop().time()

    @property
    def ended(self) -> bool:
        """True when no change follows: the feed was closed because the process ends."""
        return self._feed.closed

    async def next(self, seconds: float) -> frozenset[str]:
        """The ids of executions that changed since the last call; empty when none did within ``seconds``.

        Returns at most four times a second. ``ANYTHING`` in the result means that any execution may have changed: at
        the first call, after an interruption of the signals, and after half a minute without a change.
        """
        await asyncio.sleep(max(0.0, self._given_at + CHANGES_GAP_SECONDS - get_running_loop().time()))
        found = frozenset[str]() if self.ended else await self._names.wait(seconds)
        if not found and get_running_loop().time() - self._quiet_since >= CHANGES_SLOWEST_SECONDS:
            found = frozenset({ANYTHING})
        if found:
            self._given_at = self._quiet_since = get_running_loop().time()
        return found


class LiveFeed:
    """The live feed of one process and its event loop."""

    def __init__(self, work: Callable[[], UnitOfWork], signals: Signals) -> None:
        self._work, self._signals = work, signals
        self._readings: dict[str, _Reading] = {}
        self._watching: set[Names] = set()
        self._leaving: set[asyncio.Task[None]] = set()
        self._at_once = asyncio.Semaphore(READS_AT_ONCE)
        self.closed = False

    @property
    def readers(self) -> int:
        """The number of readers of executions."""
        return sum(each.readers for each in self._readings.values())

    def require_room(self) -> None:
        """:raises Unavailable: ``MAX_STREAMS`` are open already."""
        if self.readers + len(self._watching) >= MAX_STREAMS:
            raise Unavailable(f"this server has {MAX_STREAMS} live streams open already")

    @asynccontextmanager
    async def following(self, execution_id: str, after: int = 0) -> AsyncIterator[StreamReader]:
        """Follow the execution after the sequence ``after``; the last one to leave ends the shared reads."""
        reading = self._readings.get(execution_id) or self._begin(execution_id, after)
        reading.readers += 1
        try:
            yield StreamReader(self, reading.reader, after)
        finally:
            reading.readers -= 1
            if not reading.readers:
                self._end(reading)

    async def follow(self, execution_id: str, after: int = 0) -> AsyncIterator[StoredEvent]:
        """The execution's events one by one until it is over.

        :raises NotFound: there is no such execution.
        """
        async with self.following(execution_id, after) as reader:
            while not reader.ended:
                for each in await reader.next(KEEP_WAITING_SECONDS):
                    yield each

    @asynccontextmanager
    async def watching(self) -> AsyncIterator[ChangeWatcher]:
        """Watch which executions change."""
        async with self._signals.names() as names:
            self._watching.add(names)
            try:
                yield ChangeWatcher(self, names)
            finally:
                self._watching.discard(names)

    async def changes(self) -> AsyncIterator[frozenset[str]]:
        """Sets of ids of changed executions; see ``ChangeWatcher.next``."""
        async with self.watching() as watcher:
            while not watcher.ended:
                if found := await watcher.next(KEEP_WAITING_SECONDS):
                    yield found

    def close(self) -> None:
        """End all readers and watchers, because the process ends."""
        self.closed = True
        for reading in self._readings.values():
            reading.reader.wake()
        for names in self._watching:
            names.wake()

    def _begin(self, execution_id: str, after: int) -> _Reading:
        reader = SharedReader(self._work, self._signals, self._at_once, execution_id)
        reading = _Reading(reader, asyncio.create_task(reader.run(after)))
        self._readings[execution_id] = reading
        return reading

    def _end(self, reading: _Reading) -> None:
        del self._readings[reading.reader.execution_id]
        reading.task.cancel()
        self._leaving.add(reading.task)  # an unreferenced task may be collected before it has released its connection
        reading.task.add_done_callback(self._leaving.discard)


@dataclass
class _Reading:
    reader: SharedReader
    task: asyncio.Task[None]
    readers: int = 0
