"""The responses to calls with an Idempotency-Key, in PostgreSQL (port ``IdempotencyStore``); docs/adr/0014."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any
from weakref import WeakValueDictionary

from sqlalchemy import ColumnElement, RowMapping, delete, func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.ext.asyncio import AsyncConnection

from upgrade_orchestrator.adapters.postgres.schema.tables import idempotency_key
from upgrade_orchestrator.adapters.postgres.unit_of_work import JoinedUnitOfWork, PostgresUnitOfWork, connected
from upgrade_orchestrator.domain.errors import IdempotencyConflict, Unavailable
from upgrade_orchestrator.service.ports.idempotency import RETENTION_HOURS, Key, KeyedCall, StoredResponse

K = idempotency_key.c
WAIT_SECONDS = 10.0
"How long a repeated call waits for the first one."
IDLE_SECONDS = 120.0
"The database ends a transaction that is idle for this long: its process's machine may have failed."


class PostgresIdempotencyStore:
    """One row for each key, inserted when the call's transaction begins; the unique index makes other calls wait."""

    def __init__(self, url: str, lease_seconds: float) -> None:
        self._url = url
        self._lease_seconds = lease_seconds
        self._gates: WeakValueDictionary[tuple[str, str], asyncio.Lock] = WeakValueDictionary()

    @asynccontextmanager
    async def call(self, key: Key) -> AsyncIterator[KeyedCall]:
        """Calls of this process with the same key wait on a lock, so that waiting does not use up the connections."""
        gate = self._gates.setdefault((key.actor, key.key), asyncio.Lock())
        await _enter(gate)
        try:
            async with connected(self._url) as connection:
                yield PostgresKeyedCall(connection, self._lease_seconds, key, await _take(connection, key))
        finally:
            gate.release()

    async def forget_old(self) -> None:
        """Delete the keys that have expired."""
        async with connected(self._url) as connection:
            await connection.execute(delete(idempotency_key).where(_is_old()))
            await connection.commit()


class PostgresKeyedCall:
    """A call in one transaction, of which its units of work are savepoints."""

    def __init__(
        self, connection: AsyncConnection, lease_seconds: float, key: Key, first: StoredResponse | None
    ) -> None:
        self._connection = connection
        self._lease_seconds = lease_seconds
        self._key = key
        self.first = first

    def work(self) -> PostgresUnitOfWork:
        """Units of work one after the other or nested, never in parallel."""
        return JoinedUnitOfWork(self._connection, self._lease_seconds)

    async def keep(self, response: StoredResponse) -> None:
        """Store the response and commit."""
        values = {"status": response.status, "headers": dict(response.headers), "body": response.body}
        await self._connection.execute(update(idempotency_key).where(_is(self._key)).values(**values))
        await self._connection.commit()


async def _enter(gate: asyncio.Lock) -> None:
    try:
        async with asyncio.timeout(WAIT_SECONDS):
            await gate.acquire()
    except TimeoutError:
        raise Unavailable("the first call with this Idempotency-Key has not ended yet") from None


async def _take(connection: AsyncConnection, key: Key) -> StoredResponse | None:
    """The response to the first call, or None if this is the first call."""
    await connection.execute(_settings(lock_timeout=WAIT_SECONDS, idle_in_transaction_session_timeout=IDLE_SECONDS))
    await connection.execute(delete(idempotency_key).where(_is(key), _is_old()))
    values = {"actor": key.actor, "key": key.key, "fingerprint": key.fingerprint}
    taking = insert(idempotency_key).values(**values).on_conflict_do_nothing().returning(K.key)
    if await _is_taken(connection, taking):
        await connection.execute(_settings(lock_timeout=0))
        return None
    found = (await connection.execute(select(idempotency_key).where(_is(key)))).mappings().first()
    if found is None:
        raise Unavailable("the Idempotency-Key has just expired: send the call again")
    if found["fingerprint"] != key.fingerprint:
        raise IdempotencyConflict("the Idempotency-Key was used for another request: take a new one for a new request")
    return _answer(found)


async def _is_taken(connection: AsyncConnection, taking: Any) -> bool:
    try:
        return await connection.scalar(taking) is not None
    except (OperationalError, InterfaceError) as error:
        raise Unavailable("the first call with this Idempotency-Key has not ended yet") from error


def _answer(row: RowMapping) -> StoredResponse:
    return StoredResponse(row["status"], row["headers"], row["body"])


def _is(key: Key) -> ColumnElement[bool]:
    return (K.actor == key.actor) & (K.key == key.key)


def _is_old() -> ColumnElement[bool]:
    return K.created_at < func.clock_timestamp() - timedelta(hours=RETENTION_HOURS)


def _settings(**seconds: float) -> Any:
    """Set time-outs in seconds, for this transaction only."""
    return select(*(func.set_config(name, f"{round(each * 1000)}", True) for name, each in seconds.items()))
