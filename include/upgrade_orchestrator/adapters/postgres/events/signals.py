"""Signals through LISTEN/NOTIFY: one listening connection per event loop and channel, shared by all waiters."""

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

from upgrade_orchestrator.adapters.postgres.engine.limits import (
    AnsweringConnection,
    connection_arguments,
    open_answering,
)
from upgrade_orchestrator.adapters.postgres.events.events import CHANNEL
from upgrade_orchestrator.service.ports.signals import ANYTHING

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Channel:
    """A NOTIFY channel, and the application name of its listeners in ``pg_stat_activity``."""

    name: str
    listener: str


EVENTS = Channel(CHANNEL, "upgrades-signals")
_RECONNECT_SECONDS = 1.0
PROBE_SECONDS, ANSWER_SECONDS = 15.0, 5.0
"How often a listener asks whether its connection is still there, and how long it waits for the answer."
_listeners: WeakKeyDictionary[asyncio.AbstractEventLoop, dict[tuple[str, Channel], Listener]] = WeakKeyDictionary()


class Listener:
    """Wakes the waiters of each execution that is notified on the channel; connected while there are waiters."""

    def __init__(self, url: str, channel: Channel) -> None:
        self._channel = channel
        self._dsn = make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
        self._waiters: dict[str, set[asyncio.Event]] = defaultdict(set)
        self._collectors: set[PostgresNames] = set()
        self._task: asyncio.Task[None] | None = None
        self._connected = False

    def add(self, execution_id: str, event: asyncio.Event) -> None:
        """Set ``event`` on signals from now on; at once if already connected, since a signal may just have passed."""
        self._waiters[execution_id].add(event)
        if self._connected:
            event.set()
        self._begin()

    async def remove(self, execution_id: str, event: asyncio.Event) -> None:
        """Remove ``event``; the connection closes with the last waiter."""
        self._waiters[execution_id].discard(event)
        if not self._waiters[execution_id]:
            del self._waiters[execution_id]
        await self._end_if_unused()

    def collect(self, names: PostgresNames) -> None:
        """Add the id of every signal to ``names`` from now on."""
        self._collectors.add(names)
        if self._connected:
            names.notify(ANYTHING)
        self._begin()

    async def discard(self, names: PostgresNames) -> None:
        """Remove ``names``; the connection closes with the last waiter."""
        self._collectors.discard(names)
        await self._end_if_unused()

    def _begin(self) -> None:
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._listen())

    async def _end_if_unused(self) -> None:
        if not self._waiters and not self._collectors and self._task is not None:
            task, self._task = self._task, None
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def _listen(self) -> None:
        while True:
            try:
                await self._listen_once()
            except (psycopg.Error, OSError) as error:
                log.warning("listening for signals failed, reconnecting: %s", type(error).__name__)
            await asyncio.sleep(_RECONNECT_SECONDS)

    async def _listen_once(self) -> None:
        arguments = connection_arguments(self._dsn) | {"application_name": self._channel.listener}
        connection = await open_answering(ANSWER_SECONDS, self._dsn, autocommit=True, **arguments)
        async with connection:
            await connection.execute(f"LISTEN {self._channel.name}")
            self._connected = True
            self._wake(self._waiters)  # signals sent before the LISTEN were missed: let every waiter read its rows
            self._notify(ANYTHING)
            try:
                while True:
                    await self._hear(connection)
                    await connection.execute("SELECT 1")  # a connection that only listens would not notice its loss
            finally:
                self._connected = False

    async def _hear(self, connection: AnsweringConnection) -> None:
        connection.answer_seconds = None
        async for notice in connection.notifies(timeout=PROBE_SECONDS):
            self._wake([notice.payload, ANYTHING])
            self._notify(notice.payload)
        connection.answer_seconds = ANSWER_SECONDS

    def _wake(self, execution_ids: object) -> None:
        for execution_id in list(execution_ids):  # type: ignore[call-overload]
            for event in self._waiters.get(execution_id, ()):
                event.set()

    def _notify(self, execution_id: str) -> None:
        for names in self._collectors:
            names.notify(execution_id)


class PostgresNames:
    """Collects execution ids (port ``Names``) in a set, so that the events of a busy execution need no more memory."""

    MAX_NAMES = 1000
    "Default maximum of ids kept; beyond it they are replaced by ``ANYTHING``."

    def __init__(self, most: int = MAX_NAMES) -> None:
        self._most = most
        self._collected: set[str] = set()
        self._event = asyncio.Event()

    def notify(self, execution_id: str) -> None:
        """Add an execution's id."""
        self._collected.add(execution_id)
        if len(self._collected) > self._most:
            self._collected = {ANYTHING}
        self._event.set()

    def wake(self) -> None:
        """End a wait early."""
        self._event.set()

    async def wait(self, seconds: float) -> frozenset[str]:
        """The ids collected since the last call; returns at once if there are any."""
        with suppress(TimeoutError):
            async with asyncio.timeout(max(0.0, seconds)):
                await self._event.wait()
        self._event.clear()
        signalled, self._collected = frozenset(self._collected), set()
        return signalled


class PostgresWaiter:
    """Waits for one execution (port ``Waiter``); listens only for waits that are long enough to be worth it."""

    WORTHWHILE = 0.5
    "Seconds. Shorter waits just sleep: the caller reads the rows again anyway."

    def __init__(self, listener: Listener, execution_id: str) -> None:
        self._listener = listener
        self._execution_id = execution_id
        self._event = asyncio.Event()
        self._listening = False

    async def wait(self, seconds: float) -> bool:
        """True on a signal; at once if there was one since the last wait."""
        if seconds <= self.WORTHWHILE and not self._listening:
            await asyncio.sleep(max(0.0, seconds))
            return False
        if not self._listening:
            self._listening = True
            self._listener.add(self._execution_id, self._event)
        with suppress(TimeoutError):
            async with asyncio.timeout(max(0.0, seconds)):
                await self._event.wait()
        signalled = self._event.is_set()
        self._event.clear()
        return signalled

    async def close(self) -> None:
        """Stop listening."""
        if self._listening:
            await self._listener.remove(self._execution_id, self._event)


class PostgresSignals:
    """Port ``Signals``, on the channel of events unless another one is given."""

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
    async def names(self, most: int = PostgresNames.MAX_NAMES) -> AsyncIterator[PostgresNames]:
        """Collects ids from here on, up to ``most``."""
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
