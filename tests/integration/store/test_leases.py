"""Leases on PostgreSQL: the database's clock counts, not those of the processes."""

import asyncio
import time
from functools import partial
from typing import Any

import psycopg

from tests.store_contract.leases import LeasesContract
from tests.store_contract.stores import Store
from upgrade_orchestrator.adapters.postgres.unit_of_work import PostgresUnitOfWork
from upgrade_orchestrator.service.ports.stores.leases import Lease

SHORT_SECONDS = 0.3
DEADLINE_SECONDS = 60.0


class TestLeases(LeasesContract):
    """On PostgreSQL."""


async def _take(store: Store, owner: str) -> Lease | None:
    async with store() as work:
        lease = await work.leases.take("agent", "kafka", owner)
        await work.commit()
        return lease


async def test_lease_uses_the_clock_of_the_database(store: Store, own_connection: "psycopg.Connection[Any]") -> None:
    assert await _take(store, "one") is not None
    own_connection.execute("UPDATE lease SET expires_at = clock_timestamp() + interval '30 s'")
    assert await _take(store, "two") is None
    own_connection.execute("UPDATE lease SET expires_at = clock_timestamp()")
    assert await _take(store, "two") is not None


async def test_lease_expires_after_its_seconds(store: Store, postgres_url: str) -> None:
    short = partial(PostgresUnitOfWork, postgres_url, SHORT_SECONDS)
    began = time.monotonic()
    assert await _take(short, "one") is not None
    while await _take(short, "two") is None:
        assert time.monotonic() - began < DEADLINE_SECONDS
        await asyncio.sleep(0.02)
    assert time.monotonic() - began >= SHORT_SECONDS
