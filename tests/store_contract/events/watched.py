"""A store and its signals that count their use and can be made unavailable."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager

from tests.store_contract.stores import Store
from upgrade_orchestrator.domain.errors import Unavailable
from upgrade_orchestrator.service.ports.signals import Names, Signals, Waiter
from upgrade_orchestrator.service.ports.unit_of_work import UnitOfWork


class WatchedWork:
    """Makes units of work and counts them; can be made unavailable."""

    def __init__(self, store: Store) -> None:
        self._store, self.made, self.away = store, 0, False

    def __call__(self) -> UnitOfWork:
        self.made += 1
        if self.away:
            raise Unavailable("away")
        return self._store()


class WatchedSignals:
    """Port ``Signals`` that counts the waiters of an execution; while ``lost``, no signal arrives."""

    def __init__(self, signals: Signals) -> None:
        self._signals, self.waiters, self.lost = signals, 0, False

    @asynccontextmanager
    async def of(self, execution_id: str) -> AsyncIterator[Waiter]:
        async with self._signals.of(execution_id) as waiter:
            self.waiters += 1
            try:
                yield _WatchedWaiter(self, waiter)
            finally:
                self.waiters -= 1

    def names(self) -> AbstractAsyncContextManager[Names]:
        return self._signals.names()


class _WatchedWaiter:
    def __init__(self, signals: WatchedSignals, waiter: Waiter) -> None:
        self._signals, self._waiter = signals, waiter

    async def wait(self, seconds: float) -> bool:
        time = asyncio.get_running_loop().time
        end = time() + seconds
        signalled = await self._waiter.wait(seconds)
        if signalled and self._signals.lost:
            await asyncio.sleep(max(0.0, end - time()))
            return False
        return signalled
