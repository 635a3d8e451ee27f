"""Signals through LISTEN/NOTIFY: one listening connection per event loop, shared by all that wait in it."""

from __future__ import annotations

import asyncio
import logging
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from weakref import WeakKeyDictionary

import psycopg
from sqlalchemy.engine import make_url

from include.upgrades.adapters.postgres.events import CHANNEL
from include.upgrades.service.ports import ANYTHING

log = logging.getLogger(__name__)

_RECONNECT_SECONDS = 1.0
_listeners: WeakKeyDictionary[asyncio.AbstractEventLoop, dict[str, Listener]] = WeakKeyDictionary()


class Listener:
    """Wakes every waiter of an execution that PostgreSQL names; lives while somebody waits."""

    def __init__(self, url: str) -> None:
        self._dsn = make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
        self._waiters: dict[str, set[asyncio.Event]] = defaultdict(set)
        self._task: asyncio.Task[None] | None = None
        self._connected = False

    def add(self, execution_id: str, event: asyncio.Event) -> None:
        """Wake ``event`` from now on; at once when it was listened already, since something may have been told."""
        self._waiters[execution_id].add(event)
        if self._connected:
            event.set()
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._listen())

    async def remove(self, execution_id: str, event: asyncio.Event) -> None:
        """Forget ``event``; the last one to leave closes the connection."""
        self._waiters[execution_id].discard(event)
        if not self._waiters[execution_id]:
            del self._waiters[execution_id]
        if not self._waiters and self._task is not None:
            task, self._task = self._task, None
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task

    async def _listen(self) -> None:
        while True:
            try:
                await self._listen_once()
            except (psycopg.Error, OSError) as error:
                log.warning("listening for signals failed, trying again: %s", type(error).__name__)
            await asyncio.sleep(_RECONNECT_SECONDS)

    async def _listen_once(self) -> None:
        connection = await psycopg.AsyncConnection.connect(
            self._dsn, autocommit=True, connect_timeout=5, application_name="upgrades-signals"
        )
        async with connection:
            await connection.execute(f"LISTEN {CHANNEL}")
            self._connected = True
            self._wake(self._waiters)  # whatever was told before the LISTEN has to be looked up
            try:
                async for notice in connection.notifies():
                    self._wake([notice.payload, ANYTHING])
            finally:
                self._connected = False

    def _wake(self, execution_ids: object) -> None:
        for execution_id in list(execution_ids):  # type: ignore[call-overload]
            for event in self._waiters.get(execution_id, ()):
                event.set()


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
            await asyncio.wait_for(self._event.wait(), max(0.0, seconds))
        told = self._event.is_set()
        self._event.clear()
        return told

    async def close(self) -> None:
        """Stop listening."""
        if self._listening:
            await self._listener.remove(self._execution_id, self._event)


class PostgresSignals:
    """Port ``Signals``."""

    def __init__(self, url: str) -> None:
        self._url = url

    @asynccontextmanager
    async def of(self, execution_id: str) -> AsyncIterator[PostgresWaiter]:
        """A waiter for ``execution_id``."""
        listeners = _listeners.setdefault(asyncio.get_running_loop(), {})
        if self._url not in listeners:
            listeners[self._url] = Listener(self._url)
        waiter = PostgresWaiter(listeners[self._url], execution_id)
        try:
            yield waiter
        finally:
            await waiter.close()
