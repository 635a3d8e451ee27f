"""Signals through LISTEN/NOTIFY: one listening connection per event loop and channel, shared by all that wait."""

from __future__ import annotations

import asyncio
import logging
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from weakref import WeakKeyDictionary

import psycopg
from sqlalchemy.engine import make_url

from upgrade_orchestrator.adapters.postgres.events.events import CHANNEL
from upgrade_orchestrator.service.ports.signals import ANYTHING

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Channel:
    """Of NOTIFY, and what who listens there calls itself in ``pg_stat_activity``."""

    name: str
    listener: str


EVENTS = Channel(CHANNEL, "upgrades-signals")
_RECONNECT_SECONDS = 1.0
_listeners: WeakKeyDictionary[asyncio.AbstractEventLoop, dict[tuple[str, Channel], Listener]] = WeakKeyDictionary()


class Listener:
    """Wakes every waiter of whom PostgreSQL names on the channel; lives while somebody waits."""

    def __init__(self, url: str, channel: Channel) -> None:
        self._channel = channel
        self._dsn = make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
        self._waiters: dict[str, set[asyncio.Event]] = defaultdict(set)
        self._collectors: set[PostgresNames] = set()
        self._task: asyncio.Task[None] | None = None
        self._connected = False

    def add(self, execution_id: str, event: asyncio.Event) -> None:
        """Wake ``event`` from now on; at once when it was listened already, since something may have been told."""
        self._waiters[execution_id].add(event)
        if self._connected:
            event.set()
        self._begin()

    async def remove(self, execution_id: str, event: asyncio.Event) -> None:
        """Forget ``event``; the last one to leave closes the connection."""
        self._waiters[execution_id].discard(event)
        if not self._waiters[execution_id]:
            del self._waiters[execution_id]
        await self._end_if_alone()

    def collect(self, names: PostgresNames) -> None:
        """Tell ``names`` of every signal from now on."""
        self._collectors.add(names)
        if self._connected:
            names.tell(ANYTHING)
        self._begin()

    async def discard(self, names: PostgresNames) -> None:
        """Forget ``names``; the last one to leave closes the connection."""
        self._collectors.discard(names)
        await self._end_if_alone()

    def _begin(self) -> None:
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._listen())

    async def _end_if_alone(self) -> None:
        if not self._waiters and not self._collectors and self._task is not None:
            task, self._task = self._task, None
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def _listen(self) -> None:
        while True:
            try:
                await self._listen_once()
            except (psycopg.Error, OSError) as error:
                log.warning("listening for signals failed, trying again: %s", type(error).__name__)
            await asyncio.sleep(_RECONNECT_SECONDS)

    async def _listen_once(self) -> None:
        connection = await psycopg.AsyncConnection.connect(
            self._dsn,
            autocommit=True,
            connect_timeout=5,
            application_name=self._channel.listener,
            # who only listens says nothing, and would not notice for hours that the network has forgotten it
            keepalives_idle=30,
            keepalives_interval=10,
            keepalives_count=3,
        )
        async with connection:
            await connection.execute(f"LISTEN {self._channel.name}")
            self._connected = True
            self._wake(self._waiters)  # whatever was told before the LISTEN has to be looked up
            self._tell(ANYTHING)
            try:
                async for notice in connection.notifies():
                    self._wake([notice.payload, ANYTHING])
                    self._tell(notice.payload)
            finally:
                self._connected = False

    def _wake(self, execution_ids: object) -> None:
        for execution_id in list(execution_ids):  # type: ignore[call-overload]
            for event in self._waiters.get(execution_id, ()):
                event.set()

    def _tell(self, execution_id: str) -> None:
        for names in self._collectors:
            names.tell(execution_id)


class PostgresNames:
    """Who was named (port ``Names``): a set, so that it does not grow with what one of them does."""

    MOST = 1000
    "Names that are kept, if nothing else is said: beyond, it is ``ANYTHING``."

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self._told: set[str] = set()
        self._event = asyncio.Event()

    def tell(self, execution_id: str) -> None:
        """One more."""
        self._told.add(execution_id)
        if len(self._told) > self._most:
            self._told = {ANYTHING}
        self._event.set()

    def wake(self) -> None:
        """Let who waits go on."""
        self._event.set()

    async def wait(self, seconds: float) -> frozenset[str]:
        """What was told since the last call, at once when there is something."""
        with suppress(TimeoutError):
            async with asyncio.timeout(max(0.0, seconds)):
                await self._event.wait()
        self._event.clear()
        told, self._told = frozenset(self._told), set()
        return told


class PostgresWaiter:
    """Waits for one execution (port ``Waiter``); connects only when a wait is long enough to be worth it."""

    WORTHWHILE = 0.5
    "Seconds: shorter waits just sleep, whoever waits reads the rows again anyway."

    def __init__(self, listener: Listener, execution_id: str) -> None:
        self._listener = listener
        self._execution_id = execution_id
        self._event = asyncio.Event()
        self._listening = False

    async def wait(self, seconds: float) -> bool:
        """True when something was told, at once when told since the last wait."""
        if seconds <= self.WORTHWHILE and not self._listening:
            await asyncio.sleep(max(0.0, seconds))
            return False
        if not self._listening:
            self._listening = True
            self._listener.add(self._execution_id, self._event)
        with suppress(TimeoutError):
            async with asyncio.timeout(max(0.0, seconds)):
                await self._event.wait()
        told = self._event.is_set()
        self._event.clear()
        return told

    async def close(self) -> None:
        """Stop listening."""
        if self._listening:
            await self._listener.remove(self._execution_id, self._event)


class PostgresSignals:
    """Port ``Signals``; another channel carries signals about something else."""

    def __init__(self, url: str, channel: Channel = EVENTS) -> None:
        self._url = url
        self._channel = channel

    @asynccontextmanager
    async def of(self, execution_id: str) -> AsyncIterator[PostgresWaiter]:
        """A waiter for ``execution_id``."""
        waiter = PostgresWaiter(_listener_of(self._url, self._channel), execution_id)
        try:
            yield waiter
        finally:
            await waiter.close()

    @asynccontextmanager
    async def names(self, most: int = PostgresNames.MOST) -> AsyncIterator[PostgresNames]:
        """Collects from here on, up to ``most``."""
        listener, names = _listener_of(self._url, self._channel), PostgresNames(most)
        listener.collect(names)
        try:
            yield names
        finally:
            await listener.discard(names)


def _listener_of(url: str, channel: Channel) -> Listener:
    listeners = _listeners.setdefault(asyncio.get_running_loop(), {})
    if (url, channel) not in listeners:
        listeners[url, channel] = Listener(url, channel)
    return listeners[url, channel]
