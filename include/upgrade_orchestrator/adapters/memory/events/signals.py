"""Signals in memory (port ``Signals``): the database tells them at every commit of an event."""

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

    def tell(self, execution_id: str) -> None:
        """Something was committed."""
        if self._execution_id in (ANYTHING, execution_id):
            self._event.set()

    async def wait(self, seconds: float) -> bool:
        """True when something was told, at once when told since the last wait."""
        with suppress(TimeoutError):
            async with asyncio.timeout(max(0.0, seconds)):
                await self._event.wait()
        told = self._event.is_set()
        self._event.clear()
        return told


class MemoryNames:
    """Whose events were committed (port ``Names``)."""

    def __init__(self) -> None:
        self._told = {ANYTHING}
        self._event = asyncio.Event()
        self._event.set()

    def tell(self, execution_id: str) -> None:
        """One more."""
        self._told.add(execution_id)
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


class MemorySignals:
    """Of one database."""

    def __init__(self, database: MemoryDatabase) -> None:
        self._listeners = database.listeners

    @asynccontextmanager
    async def of(self, execution_id: str) -> AsyncIterator[MemoryWaiter]:
        """A waiter that notices everything from here on."""
        waiter = MemoryWaiter(execution_id)
        self._listeners.add(waiter.tell)
        try:
            yield waiter
        finally:
            self._listeners.discard(waiter.tell)

    @asynccontextmanager
    async def names(self) -> AsyncIterator[MemoryNames]:
        """Collects from here on."""
        names = MemoryNames()
        self._listeners.add(names.tell)
        try:
            yield names
        finally:
            self._listeners.discard(names.tell)
