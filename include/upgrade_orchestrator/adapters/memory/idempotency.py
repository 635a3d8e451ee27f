"""The responses to calls with an Idempotency-Key, in memory (port ``IdempotencyStore``)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta

from upgrade_orchestrator.adapters.memory.engine.database import MemoryDatabase
from upgrade_orchestrator.adapters.memory.engine.tables import IDEMPOTENCY_KEY, KeyRow
from upgrade_orchestrator.adapters.memory.engine.transaction import Transaction
from upgrade_orchestrator.adapters.memory.unit_of_work import JoinedUnitOfWork
from upgrade_orchestrator.domain.errors import IdempotencyConflict, Unavailable
from upgrade_orchestrator.service.ports.idempotency import RETENTION_HOURS, Key, KeyedCall, StoredResponse
from upgrade_orchestrator.service.ports.unit_of_work import UnitOfWork

WAIT_SECONDS = 10.0
"How long a repeated call waits for the first one."


class MemoryIdempotencyStore:
    """One row for each key, locked by its call's transaction, so that no other call runs with that key."""

    def __init__(self, database: MemoryDatabase, lease_seconds: float) -> None:
        self._database = database
        self._lease_seconds = lease_seconds

    @asynccontextmanager
    async def call(self, key: Key) -> AsyncIterator[KeyedCall]:
        """Calls with the same key wait here for each other."""
        transaction = self._database.begin()
        try:
            yield MemoryKeyedCall(transaction, self._lease_seconds, key, await _take(transaction, key))
        finally:
            transaction.rollback()

    async def forget_old(self) -> None:
        """Delete the keys that have expired."""
        async with self._database.statement() as transaction:
            old = [each for each in transaction.rows(IDEMPOTENCY_KEY) if _is_old(transaction, each)]
            for each in old:
                await transaction.write(IDEMPOTENCY_KEY, None, each.actor, each.key)
            await transaction.commit()


class MemoryKeyedCall:
    """A call in one transaction, of which its units of work are savepoints."""

    def __init__(self, transaction: Transaction, lease_seconds: float, key: Key, first: StoredResponse | None) -> None:
        self._transaction = transaction
        self._lease_seconds = lease_seconds
        self._key = key
        self.first = first

    def work(self) -> UnitOfWork:
        """Units of work one after the other or nested, never in parallel."""
        return JoinedUnitOfWork(self._transaction, self._lease_seconds)

    async def keep(self, response: StoredResponse) -> None:
        """Store the response and commit."""
        await self._transaction.statement()
        row = self._transaction.get(IDEMPOTENCY_KEY, self._key.actor, self._key.key)
        assert row is not None  # written when the key was taken
        kept = replace(row, answer=replace(response, headers=dict(response.headers)))
        await self._transaction.write(IDEMPOTENCY_KEY, kept, row.actor, row.key)
        await self._transaction.commit()


async def _take(transaction: Transaction, key: Key) -> StoredResponse | None:
    """The response to the first call, or None if this is the first call."""
    await _enter(transaction, key)
    row = transaction.get(IDEMPOTENCY_KEY, key.actor, key.key)
    if row is None or _is_old(transaction, row):
        taken = KeyRow(key.actor, key.key, key.fingerprint, transaction.database.now())
        await transaction.write(IDEMPOTENCY_KEY, taken, key.actor, key.key)
        return None
    if row.fingerprint != key.fingerprint:
        raise IdempotencyConflict("the Idempotency-Key was used for another request: take a new one for a new request")
    assert row.answer is not None  # committed together with the key
    return replace(row.answer, headers=dict(row.answer.headers))


async def _enter(transaction: Transaction, key: Key) -> None:
    await transaction.statement()
    try:
        async with asyncio.timeout(WAIT_SECONDS):
            await transaction.lock(IDEMPOTENCY_KEY, key.actor, key.key)
    except TimeoutError:
        raise Unavailable("the first call with this Idempotency-Key has not ended yet") from None


def _is_old(transaction: Transaction, row: KeyRow) -> bool:
    return row.created_at < transaction.database.now() - timedelta(hours=RETENTION_HOURS)
