"""The outbox on PostgreSQL: reads use the index, outages are reported, and the relay's lock is its own."""

import asyncio
from typing import Any

import psycopg
import pytest
from sqlalchemy.engine import make_url

from local.ports import free_port
from tests.labs.any_event import any_event
from tests.store_contract.events.outbox import OutboxContract
from tests.store_contract.stores import Added, Store
from upgrade_orchestrator.adapters.postgres.engine.leader import CONTROL_LOOPS, RELAY, PostgresLeadership
from upgrade_orchestrator.adapters.postgres.events.outbox import PostgresOutbox
from upgrade_orchestrator.adapters.postgres.migrate import migrate
from upgrade_orchestrator.domain.errors import Unavailable
from upgrade_orchestrator.domain.execution.execution import Execution


class TestOutbox(OutboxContract):
    """On PostgreSQL."""


def _connect(url: str) -> "psycopg.Connection[tuple[Any, ...]]":
    dsn = make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
    return psycopg.connect(dsn, autocommit=True)


async def _tell(store: Store, execution: Execution, count: int = 1) -> None:
    async with store() as work:
        await work.events.append(execution, [any_event()] * count)
        await work.commit()


async def test_pending_events_are_read_from_the_partial_index(
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


async def test_outbox_is_unavailable_when_the_database_is_unreachable(postgres_url: str, store: Store) -> None:
    away = make_url(postgres_url).set(port=free_port()).render_as_string(hide_password=False)
    with pytest.raises(Unavailable):
        await PostgresOutbox(away).pending(1)


async def test_locks_of_different_leaders_and_of_a_migration_are_independent(postgres_url: str) -> None:
    loops, relay = PostgresLeadership(postgres_url, CONTROL_LOOPS), PostgresLeadership(postgres_url, RELAY)
    assert [await loops.lead(), await relay.lead()] == [True, True]
    await asyncio.wait_for(asyncio.to_thread(migrate, postgres_url), 30)
    await loops.resign()
    await relay.resign()
