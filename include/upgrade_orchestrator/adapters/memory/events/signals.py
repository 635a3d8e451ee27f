"""Signals in memory (port ``Signals``): sent by the database at every commit of an event."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from upgrade_orchestrator.adapters.memory.engine.database import MemoryDatabase
from upgrade_orchestrator.service.ports.signals import ANYTHING


class MemoryWaiter:
    """Waits for one execution, or for any (port ``Waiter``)."""

    def __init__(self, execution_id: str) -> None:
        self._execution_id = execution_id
        self._event = asyncio.Event()

    def notify(self, execution_id: str) -> None:
        """A change to the execution was committed."""
        if self._execution_id in (ANYTHING, execution_id):
            self._event.set()

    async def wait(self, seconds: float) -> bool:
        """True on a signal; at once if there was one since the last wait."""
        with suppress(TimeoutError):
            async with asyncio.timeout(max(0.0, seconds)):
                await self._event.wait()
        signalled = self._event.is_set()
        self._event.clear()
        return signalled


class MemoryNames:
    """Collects the ids of executions with new events (port ``Names``)."""

    def __init__(self) -> None:
        self._collected = {ANYTHING}
        self._event = asyncio.Event()
        self._event.set()

    def notify(self, execution_id: str) -> None:
        """Add an execution's id."""
        self._collected.add(execution_id)
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


class MemorySignals:
    """Signals of one database."""

    def __init__(self, database: MemoryDatabase) -> None:
        self._listeners = database.listeners

    @asynccontextmanager
    async def of(self, execution_id: str) -> AsyncIterator[MemoryWaiter]:
        """A waiter that notices every signal from here on."""
        waiter = MemoryWaiter(execution_id)
        self._listeners.add(waiter.notify)
        try:
            yield waiter
        finally:
            self._listeners.discard(waiter.notify)

    @asynccontextmanager
    async def names(self) -> AsyncIterator[MemoryNames]:
        """Collects from here on."""
        names = MemoryNames()
        self._listeners.add(names.notify)
        try:
            yield names
        finally:
            self._listeners.discard(names.notify)
