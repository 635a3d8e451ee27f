"""A store in memory whose clock stands still until a test moves it."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial

import pytest

from tests.store_contract.fixtures import added
from tests.store_contract.stores import LEASE_SECONDS, Audit, Listens, PassTime, Store, fill
from tests.virtual_time import VirtualLoop
from upgrade_orchestrator.adapters.memory.engine.database import MemoryDatabase
from upgrade_orchestrator.adapters.memory.engine.tables import COMMAND
from upgrade_orchestrator.adapters.memory.events.cursors import MemoryEventCursors
from upgrade_orchestrator.adapters.memory.events.outbox import MemoryOutbox
from upgrade_orchestrator.adapters.memory.events.signals import MemorySignals
from upgrade_orchestrator.adapters.memory.idempotency import MemoryIdempotencyStore
from upgrade_orchestrator.adapters.memory.unit_of_work import MemoryUnitOfWork
from upgrade_orchestrator.service.ports.signals import Waiter

__all__ = ["added"]


def pytest_asyncio_loop_factories() -> dict[str, Callable[[], VirtualLoop]]:
    """To wait for what must not happen takes no time."""
    return {"virtual": VirtualLoop}


class Clock:
    def __init__(self) -> None:
        self.now = datetime(2031, 5, 17, 12, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def pass_time(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def database(clock: Clock) -> MemoryDatabase:
    return MemoryDatabase(clock)


@pytest.fixture
async def store(database: MemoryDatabase) -> Store:
    make = partial(MemoryUnitOfWork, database, LEASE_SECONDS)
    await fill(make)
    return make


@pytest.fixture
def pass_time(clock: Clock) -> PassTime:
    return clock.pass_time


@pytest.fixture
def audit(database: MemoryDatabase) -> Audit:
    def read() -> list[tuple[str, str, str, str, str | None]]:
        found = database.committed(COMMAND)
        return [(each.execution_id, each.command, each.actor, each.source, each.reason) for each in found]

    return read


@pytest.fixture
def signals(database: MemoryDatabase) -> MemorySignals:
    return MemorySignals(database)


@pytest.fixture
def listens() -> Listens:
    async def at_once(_: Waiter) -> None:
        """It does so from its beginning on."""

    return at_once


@pytest.fixture
def event_cursors(database: MemoryDatabase) -> MemoryEventCursors:
    return MemoryEventCursors(database)


@pytest.fixture
def outbox(database: MemoryDatabase) -> MemoryOutbox:
    return MemoryOutbox(database)


@pytest.fixture
def idempotency_store(database: MemoryDatabase) -> MemoryIdempotencyStore:
    return MemoryIdempotencyStore(database, LEASE_SECONDS)
