"""What is committed, told to whoever follows it in this process (contract section 1, "events"; ADR 18).

One listening connection for all, one reader for an execution, no connection for who follows. Nobody has a queue: a
follower asks for what is behind the sequence that it has, so a slow one costs no memory and misses nothing.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass

from upgrade_orchestrator.domain.errors import Unavailable
from upgrade_orchestrator.service.events.reader import AWAY_SECONDS, Reader
from upgrade_orchestrator.service.ports.events import StoredEvent, Tail
from upgrade_orchestrator.service.ports.signals import ANYTHING, Names, Signals
from upgrade_orchestrator.service.ports.unit_of_work import UnitOfWork
from upgrade_orchestrator.service.runner.clock import now_seconds

MOST_STREAMS = 1000
"At once in one process, of whatever executions or of all."
READS_AT_ONCE = 2
"The feed's share of the process's connections: calls must not wait because many begin to follow at once."
KEEP_WAITING_SECONDS = 15.0
CHANGES_GAP_SECONDS = 0.25
CHANGES_SLOWEST_SECONDS = 30.0
"After so long without a change, ``ANYTHING`` may have changed: a lost signal costs no more."


class Follower:
    """One who follows an execution; not to be shared."""

    def __init__(self, feed: LiveFeed, reader: Reader, after: int) -> None:
        self._feed, self._reader, self.after = feed, reader, after

    @property
    def over(self) -> bool:
        """The execution is terminal, nothing of it is in flight, and all of its events were given."""
        tail = self.tail
        return self._reader.over and tail is not None and self.after >= tail.sequence

    @property
    def ended(self) -> bool:
        """Nothing more is given: it is over, or the feed was closed because the process ends."""
        return self.over or self._feed.closed

    @property
    def tail(self) -> Tail | None:
        """Where the log ended at the last look."""
        return self._reader.tail

    async def next(self, seconds: float) -> list[StoredEvent]:
        """The next events in order, without a gap; none when none came within ``seconds``, or when it ``ended``.

        While the database is away none come. :raises NotFound: there is no such execution.
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
            await asyncio.sleep(AWAY_SECONDS)
            return []


class Watcher:
    """One who wants to know which executions change; not to be shared."""

    def __init__(self, feed: LiveFeed, names: Names) -> None:
        self._feed, self._names = feed, names
        self._given_at = 0.0
        self._quiet_since = now_seconds()

    @property
    def ended(self) -> bool:
        """Nothing more is given: the feed was closed because the process ends."""
        return self._feed.closed

    async def next(self, seconds: float) -> frozenset[str]:
        """The ids that changed since the last call, at most four times a second; none when none did in ``seconds``.

        ``ANYTHING`` among them: it cannot be told which, look at all. So it is the first time, when the signals were
        interrupted, and after half a minute of silence.
        """
        await asyncio.sleep(max(0.0, self._given_at + CHANGES_GAP_SECONDS - now_seconds()))
        found = frozenset[str]() if self.ended else await self._names.wait(seconds)
        if not found and now_seconds() - self._quiet_since >= CHANGES_SLOWEST_SECONDS:
            found = frozenset({ANYTHING})
        if found:
            self._given_at = self._quiet_since = now_seconds()
        return found


class LiveFeed:
    """Of one process and its event loop."""

    def __init__(self, work: Callable[[], UnitOfWork], signals: Signals) -> None:
        self._work, self._signals = work, signals
        self._readings: dict[str, _Reading] = {}
        self._watching: set[Names] = set()
        self._leaving: set[asyncio.Task[None]] = set()
        self._at_once = asyncio.Semaphore(READS_AT_ONCE)
        self.closed = False

    @property
    def followers(self) -> int:
        """How many follow an execution now."""
        return sum(each.followers for each in self._readings.values())

    def require_room(self) -> None:
        """:raises Unavailable: as many follow an execution, or watch for changes, as one process serves."""
        if self.followers + len(self._watching) >= MOST_STREAMS:
            raise Unavailable(f"this server has {MOST_STREAMS} live streams open already")

    @asynccontextmanager
    async def following(self, execution_id: str, after: int = 0) -> AsyncIterator[Follower]:
        """Follow the execution from behind the sequence ``after``; the last one to leave ends its reader."""
        reading = self._readings.get(execution_id) or self._begin(execution_id, after)
        reading.followers += 1
        try:
            yield Follower(self, reading.reader, after)
        finally:
            reading.followers -= 1
            if not reading.followers:
                self._end(reading)

    async def follow(self, execution_id: str, after: int = 0) -> AsyncIterator[StoredEvent]:
        """Its events one by one until it is over. :raises NotFound: there is no such execution."""
        async with self.following(execution_id, after) as follower:
            while not follower.ended:
                for each in await follower.next(KEEP_WAITING_SECONDS):
                    yield each

    @asynccontextmanager
    async def watching(self) -> AsyncIterator[Watcher]:
        """Learn which executions change."""
        async with self._signals.names() as names:
            self._watching.add(names)
            try:
                yield Watcher(self, names)
            finally:
                self._watching.discard(names)

    async def changes(self) -> AsyncIterator[frozenset[str]]:
        """Sets of ids of executions that changed; see ``Watcher.next``."""
        async with self.watching() as watcher:
            while not watcher.ended:
                if found := await watcher.next(KEEP_WAITING_SECONDS):
                    yield found

    def close(self) -> None:
        """The process ends: let everybody go."""
        self.closed = True
        for reading in self._readings.values():
            reading.reader.wake()
        for names in self._watching:
            names.wake()

    def _begin(self, execution_id: str, after: int) -> _Reading:
        reader = Reader(self._work, self._signals, self._at_once, execution_id)
        reading = _Reading(reader, asyncio.create_task(reader.run(after)))
        self._readings[execution_id] = reading
        return reading

    def _end(self, reading: _Reading) -> None:
        del self._readings[reading.reader.execution_id]
        reading.task.cancel()
        self._leaving.add(reading.task)  # a task that nobody holds may vanish before it has let go of its connection
        reading.task.add_done_callback(self._leaving.discard)


@dataclass
class _Reading:
    reader: Reader
    task: asyncio.Task[None]
    followers: int = 0
