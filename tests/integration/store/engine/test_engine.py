"""How many connections a process keeps, and that a connection closed by PostgreSQL is replaced."""

import asyncio
import time
from collections.abc import Callable, Iterator
from contextlib import AsyncExitStack
from typing import Any

import psycopg
import pytest

from tests.store_contract.stores import Store
from upgrade_orchestrator.adapters.postgres.engine import engine

BURST = 6
DEADLINE_SECONDS = 60.0
_OURS = (
    "SELECT pid FROM pg_stat_activity"
    " WHERE datname = current_database() AND application_name = 'upgrades' ORDER BY backend_start"
)


@pytest.fixture(autouse=True)
def short_rest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "PING_AFTER_SECONDS", 0.2)
    monkeypatch.setattr(engine, "IDLE_SECONDS", 1.0)


@pytest.fixture
def ours(postgres_url: str) -> Iterator[Callable[[], list[int]]]:
    """PostgreSQL's processes behind the pool's connections, as another session sees them."""
    with psycopg.connect(postgres_url.replace("+psycopg", ""), autocommit=True) as watcher:
        yield lambda: [pid for (pid,) in watcher.execute(_OURS)]


async def test_idle_connections_after_a_burst_are_closed_but_for_the_one_in_use(
    store: Store, ours: Callable[[], list[int]]
) -> None:
    await _burst(store)
    await _until(lambda: len(ours()) == engine.POOL_SIZE)  # those above the pool's size are closed as they come back
    deadline = time.monotonic() + DEADLINE_SECONDS
    while len(ours()) > 1:
        assert time.monotonic() < deadline, f"still {len(ours())} connections"
        await _use(store)
        await asyncio.sleep(0.1)
    (last,) = ours()
    await _use(store)
    assert ours() == [last]


async def test_closed_connections_are_opened_again_on_demand(store: Store, ours: Callable[[], list[int]]) -> None:
    await _burst(store)
    before = set(ours())
    await _until(lambda: not ours())
    await _burst(store)
    assert len(ours()) >= engine.POOL_SIZE
    assert not before & set(ours())


async def test_connection_that_waits_in_a_transaction_is_not_closed(store: Store) -> None:
    async with store() as work:
        began = await _now(work)
        await asyncio.sleep(2 * engine.IDLE_SECONDS)  # the time that must pass is what is tested
        assert await _now(work) > began


async def _burst(store: Store) -> None:
    async with AsyncExitStack() as stack:
        for _ in range(BURST):
            await _now(await stack.enter_async_context(store()))


async def _use(store: Store) -> None:
    async with store() as work:
        await _now(work)


async def _now(work: Any) -> Any:
    return await work.now()


async def _until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + DEADLINE_SECONDS
    while not holds():
        assert time.monotonic() < deadline
        await asyncio.sleep(0.05)
