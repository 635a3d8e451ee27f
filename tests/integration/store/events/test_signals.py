"""Signals through NOTIFY: the connection that listens is made again when cut, and closed with the last waiter."""

import asyncio
import time

import psycopg

from tests.store_contract.events.signals import SignalsContract
from tests.store_contract.stores import Added, Store, append
from upgrade_orchestrator.adapters.postgres.events.signals import PostgresSignals


class TestSignals(SignalsContract):
    """On PostgreSQL."""


async def _listens(connection: "psycopg.Connection[tuple[object, ...]]", than: int | None = None) -> int:
    """The backend that listens for signals, other than ``than``."""
    query = "SELECT pid FROM pg_stat_activity WHERE application_name = 'upgrades-signals' AND query LIKE 'LISTEN%'"
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        for (pid,) in connection.execute(query).fetchall():
            if pid != than:
                return int(str(pid))
        await asyncio.sleep(0.02)
    raise AssertionError("no process listens")


async def test_waiter_listens_again_after_its_connection_was_cut(store: Store, added: Added, postgres_url: str) -> None:
    execution = await added()
    with psycopg.connect(postgres_url.replace("+psycopg", ""), autocommit=True) as connection:
        async with PostgresSignals(postgres_url).of(execution.id) as waiter:
            await waiter.wait(60)
            pid = await _listens(connection)
            connection.execute("SELECT pg_terminate_backend(%s)", (pid,))
            assert (
                await waiter.wait(60) is True
            )  # the new connection wakes it, because a signal may have been missed in between
            await _listens(connection, than=pid)
            waiting = asyncio.create_task(waiter.wait(60))
            await append(store, execution, "after the cut")
            assert await waiting is True


async def test_waiter_that_joins_others_misses_no_signal_from_its_start(
    store: Store, added: Added, postgres_url: str
) -> None:
    execution, other = await added(), await added()
    signals = PostgresSignals(postgres_url)
    with psycopg.connect(postgres_url.replace("+psycopg", ""), autocommit=True) as connection:
        async with signals.of(other.id) as beside, signals.of(execution.id) as waiter:
            await beside.wait(60)
            await _listens(connection)
            await append(store, execution, "before the first wait")
            await append(store, other, "signalled after it")
            assert await beside.wait(60) is True
            assert await waiter.wait(60) is True


async def test_last_waiter_to_leave_closes_the_connection(added: Added, postgres_url: str) -> None:
    execution = await added()
    with psycopg.connect(postgres_url.replace("+psycopg", ""), autocommit=True) as connection:
        async with PostgresSignals(postgres_url).of(execution.id) as waiter:
            await waiter.wait(60)
            pid = await _listens(connection)
        deadline = time.monotonic() + 60
        while connection.execute("SELECT 1 FROM pg_stat_activity WHERE pid = %s", (pid,)).fetchone():
            assert time.monotonic() < deadline
            await asyncio.sleep(0.02)
