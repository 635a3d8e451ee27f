"""The store on PostgreSQL, with the fixtures that tests/store_contract requires."""

from collections.abc import AsyncIterator, Iterator
from functools import partial
from typing import Any

import psycopg
import pytest
from psycopg import sql

from tests.store_contract.fixtures import added
from tests.store_contract.stores import LEASE_SECONDS, Added, Audit, Listens, PassTime, Store, fill, new_execution
from upgrade_orchestrator.adapters.postgres.events.cursors import PostgresEventCursors
from upgrade_orchestrator.adapters.postgres.events.outbox import PostgresOutbox
from upgrade_orchestrator.adapters.postgres.events.signals import PostgresSignals
from upgrade_orchestrator.adapters.postgres.idempotency import PostgresIdempotencyStore
from upgrade_orchestrator.adapters.postgres.unit_of_work import PostgresUnitOfWork
from upgrade_orchestrator.bootstrap import close_ports
from upgrade_orchestrator.service.ports.signals import Waiter

__all__ = ["Added", "Store", "added", "new_execution"]

_TIMES = """SELECT c.table_name, c.column_name FROM information_schema.columns c
    JOIN information_schema.tables t USING (table_schema, table_name)
    WHERE table_schema = 'public' AND data_type = 'timestamp with time zone' AND table_type = 'BASE TABLE'"""
LISTEN_SECONDS = 60.0


@pytest.fixture
async def store(postgres_url: str) -> AsyncIterator[Store]:
    """Makes units of work on a database that knows component aaa-111 with its two versions."""
    make = partial(PostgresUnitOfWork, postgres_url, LEASE_SECONDS)
    await fill(make)
    yield make
    await close_ports()


@pytest.fixture
def own_connection(postgres_url: str) -> "Iterator[psycopg.Connection[Any]]":
    """A separate connection for the test, with autocommit and a short lock time-out."""
    dsn = postgres_url.replace("+psycopg", "")
    with psycopg.connect(dsn, autocommit=True, options="-c lock_timeout=5000") as connection:
        yield connection


@pytest.fixture
def pass_time(own_connection: "psycopg.Connection[Any]") -> PassTime:
    """Make everything stored older."""

    def pass_(seconds: float) -> None:
        for table, column in own_connection.execute(_TIMES).fetchall():
            older = "UPDATE {table} SET {column} = {column} - make_interval(secs => %s)"
            statement = sql.SQL(older).format(table=sql.Identifier(table), column=sql.Identifier(column))
            own_connection.execute(statement, (seconds,))

    return pass_


@pytest.fixture
def audit(own_connection: "psycopg.Connection[Any]") -> Audit:
    query = "SELECT execution_id, command, actor, source, reason FROM command ORDER BY created_at"
    return lambda: own_connection.execute(query).fetchall()


@pytest.fixture
def signals(postgres_url: str) -> PostgresSignals:
    return PostgresSignals(postgres_url)


@pytest.fixture
def listens() -> Listens:
    async def connected(waiter: Waiter) -> None:
        """A waiter's first wait connects, which wakes it, because it may have missed a signal before."""
        assert await waiter.wait(LISTEN_SECONDS)

    return connected


@pytest.fixture
def event_cursors(postgres_url: str, store: Store) -> PostgresEventCursors:
    return PostgresEventCursors(postgres_url)


@pytest.fixture
def outbox(postgres_url: str, store: Store) -> PostgresOutbox:
    return PostgresOutbox(postgres_url)


@pytest.fixture
def idempotency_store(postgres_url: str, store: Store) -> PostgresIdempotencyStore:
    return PostgresIdempotencyStore(postgres_url, LEASE_SECONDS)
