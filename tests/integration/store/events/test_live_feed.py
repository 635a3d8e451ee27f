"""The live feed on PostgreSQL: one connection listens for all, and is closed with the last to leave."""

import asyncio
import time
from collections.abc import Callable
from typing import Any

import psycopg
import pytest

from tests.labs.any_event import any_event
from tests.store_contract.events.live_feed import LiveFeedContract
from tests.store_contract.stores import Added, Store
from upgrade_orchestrator.adapters.postgres.events.signals import PostgresNames, PostgresSignals
from upgrade_orchestrator.service.events.feed import LiveFeed
from upgrade_orchestrator.service.ports.signals import ANYTHING

SECONDS = 60


class TestLiveFeed(LiveFeedContract):
    """On PostgreSQL."""


@pytest.fixture
def listening(own_connection: "psycopg.Connection[Any]") -> Callable[[], int]:
    """How many connections listen."""
    query = (
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() "
        "AND application_name = 'upgrades-signals'"
    )
    return lambda: int(str((own_connection.execute(query).fetchone() or [0])[0]))


async def test_feed_ends_reader_and_connection_when_its_last_stream_reader_leaves(
    store: Store, added: Added, signals: PostgresSignals, listening: Callable[[], int]
) -> None:
    execution, feed = await added(), LiveFeed(store, signals)
    async with store() as work:
        await work.events.append(execution, [any_event()])
        await work.commit()
    async with feed.following(execution.id) as one, feed.watching() as watcher:
        assert [each.sequence for each in await one.next(SECONDS)] == [1]
        async with feed.following(execution.id, 1) as two:
            await two.next(0.1)
        assert ANYTHING in await watcher.next(SECONDS)
        assert (feed.readers, listening()) == (1, 1)
    assert feed.readers == 0
    deadline = time.monotonic() + SECONDS
    while listening():
        assert time.monotonic() < deadline
        await asyncio.sleep(0.02)


async def test_changed_executions_beyond_the_maximum_are_reported_as_any_execution() -> None:
    names = PostgresNames()
    for number in range(PostgresNames.MAX_NAMES):
        names.notify(str(number))
    assert len(await names.wait(0)) == PostgresNames.MAX_NAMES
    for number in range(PostgresNames.MAX_NAMES + 1):
        names.notify(str(number))
    assert await names.wait(0) == {ANYTHING}
