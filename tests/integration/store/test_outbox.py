"""The outbox: the first events that wait, in an order in which none overtakes another, however much is stored."""

import asyncio
from typing import Any

import psycopg
import pytest
from sqlalchemy.engine import make_url

from include.upgrades.adapters.postgres.leader import CONTROL_LOOPS, RELAY, PostgresLeadership
from include.upgrades.adapters.postgres.migrate import migrate
from include.upgrades.adapters.postgres.outbox import PostgresOutbox
from include.upgrades.adapters.postgres.signals import PostgresSignals
from include.upgrades.domain.errors import Unavailable
from include.upgrades.domain.events import Event, EventType
from include.upgrades.domain.execution import Execution
from include.upgrades.service.signal_ports import ANYTHING
from local.ports import free_port
from tests.integration.store.conftest import Added, Store


@pytest.fixture
def outbox(postgres_url: str, store: Store) -> PostgresOutbox:
    return PostgresOutbox(postgres_url)


def _connect(url: str) -> "psycopg.Connection[tuple[Any, ...]]":
    dsn = make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
    return psycopg.connect(dsn, autocommit=True)


async def _tell(store: Store, execution: Execution, count: int = 1) -> None:
    async with store() as work:
        await work.events.append(execution, [Event(EventType.PROGRESS, {})] * count)
        await work.commit()


async def _waiting(outbox: PostgresOutbox, limit: int = 100) -> list[tuple[str, int]]:
    return [(each.execution_id, each.sequence) for each in await outbox.pending(limit)]


async def test_what_waits_is_told_in_order_and_cut_without_a_gap(
    outbox: PostgresOutbox, store: Store, added: Added
) -> None:
    one, two = await added(), await added()
    for each in (two, one, two, one):
        await _tell(store, each, 2)
    everything = [(each.id, number) for each in (one, two) for number in range(1, 5)]
    assert await _waiting(outbox) == everything
    assert await _waiting(outbox, 3) == everything[:3]


async def test_clock_that_is_set_back_changes_no_order(
    outbox: PostgresOutbox, store: Store, added: Added, postgres_url: str
) -> None:
    execution = await added()
    await _tell(store, execution, 3)
    with _connect(postgres_url) as connection:
        connection.execute("UPDATE event SET time = time - sequence * interval '1 h'")
    assert await _waiting(outbox, 2) == [(execution.id, 1), (execution.id, 2)]


async def test_published_and_parked_ones_wait_no_more(outbox: PostgresOutbox, store: Store, added: Added) -> None:
    execution = await added()
    await _tell(store, execution, 4)
    events = await outbox.pending(10)
    await outbox.mark_published(events[:2])
    await outbox.park(events[2], "why")
    assert await _waiting(outbox) == [(execution.id, 4)]
    lag = await outbox.lag()
    assert (lag.rows, lag.parked) == (1, 1)


async def test_event_that_was_published_is_not_parked_afterwards(
    outbox: PostgresOutbox, store: Store, added: Added
) -> None:
    await _tell(store, await added())
    (event,) = await outbox.pending(1)
    await outbox.mark_published([event])
    await outbox.park(event, "too late")
    assert (await outbox.lag()).parked == 0


async def test_reading_what_waits_uses_the_small_index(
    outbox: PostgresOutbox, store: Store, added: Added, postgres_url: str
) -> None:
    execution = await added()
    await _tell(store, execution, 3)
    fill = """INSERT INTO event (execution_id, sequence, id, tenant_id, what, time, data, published_at)
        SELECT %s, 1000 + n, 'filled-' || n, 't', 'progress', now(), '{}', now() FROM generate_series(1, 20000) AS n"""
    asked = """EXPLAIN SELECT * FROM event WHERE published_at IS NULL AND parked_at IS NULL
        ORDER BY execution_id, sequence LIMIT 1000"""
    with _connect(postgres_url) as connection:
        connection.execute(fill, (execution.id,))
        connection.execute("ANALYZE event")
        plan = "\n".join(row[0] for row in connection.execute(asked).fetchall())
    assert "ix_event_outbox" in plan
    assert "Sort" not in plan


async def test_outbox_is_unavailable_when_the_database_is_away(postgres_url: str, store: Store) -> None:
    away = make_url(postgres_url).set(port=free_port()).render_as_string(hide_password=False)
    with pytest.raises(Unavailable):
        await PostgresOutbox(away).pending(1)


async def test_waiter_for_anything_is_told_of_every_execution(store: Store, added: Added, postgres_url: str) -> None:
    executions = [await added(), await added()]
    async with PostgresSignals(postgres_url).of(ANYTHING) as waiter:
        await waiter.wait(5)  # its connection woke it
        for each in executions:
            assert not await waiter.wait(0.2)
            await _tell(store, each)
            assert await waiter.wait(5)


async def test_two_kinds_of_leaders_do_not_wait_for_each_other_nor_for_a_migration(postgres_url: str) -> None:
    loops, relay = PostgresLeadership(postgres_url, CONTROL_LOOPS), PostgresLeadership(postgres_url, RELAY)
    assert [await loops.lead(), await relay.lead()] == [True, True]
    await asyncio.wait_for(asyncio.to_thread(migrate, postgres_url), 30)
    await loops.resign()
    await relay.resign()
