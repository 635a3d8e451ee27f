"""The responses to calls with an Idempotency-Key, in PostgreSQL (port ``IdempotencyStore``); docs/adr/0014 and 0035."""

from __future__ import annotations

import asyncio
import logging
from asyncio import get_running_loop
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, nullcontext, suppress
from datetime import timedelta
from typing import Any
from weakref import WeakValueDictionary

from sqlalchemy import ColumnElement, RowMapping, delete, func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.ext.asyncio import AsyncConnection

from upgrade_orchestrator.adapters.ids import new_id
from upgrade_orchestrator.adapters.postgres.schema.tables import idempotency_key
from upgrade_orchestrator.adapters.postgres.unit_of_work import (
    JoinedUnitOfWork,
    PostgresUnitOfWork,
    SharedTransaction,
    connected,
)
from upgrade_orchestrator.domain.errors import IdempotencyConflict, Unavailable
from upgrade_orchestrator.service.ports.idempotency import RETENTION_HOURS, Key, KeyedCall, StoredResponse

log = logging.getLogger(__name__)

K = idempotency_key.c
WAIT_SECONDS = 10.0
"How long a repeated call waits for the first one."
POLL_SECONDS = 0.05, 0.5
"Its first and its longest pause between two looks whether the first one, in another process, has ended."
CLAIM_SECONDS = 20.0
"A claim that was not renewed for this long is one of a process that is gone: the next call takes it over."
RENEW_SECONDS = 5.0
_BUSY = "the first call with this Idempotency-Key has not ended yet"


class PostgresIdempotencyStore:
    """One row for each key: committed as a claim before the call, and with the response together with its writes."""

    def __init__(self, url: str, lease_seconds: float) -> None:
        self._url = url
        self._lease_seconds = lease_seconds
        self._gates: WeakValueDictionary[tuple[str, str], asyncio.Lock] = WeakValueDictionary()

    @asynccontextmanager
    async def call(self, key: Key) -> AsyncIterator[KeyedCall]:
        """Calls of this process with the same key wait on a lock, those of others look again and again.

        No connection is held until the call writes something.
        """
        gate = self._gates.setdefault((key.actor, key.key), asyncio.Lock())
        await _enter(gate)
        try:
            claim = _Claim(self._url, key)
            first = await claim.take()
            async with claim.held() if first is None else nullcontext():
                call = PostgresKeyedCall(claim, self._lease_seconds, first)
                try:
                    yield call
                finally:
                    await call.close()
        finally:
            gate.release()

    async def forget_old(self) -> None:
        """Delete the keys that have expired."""
        async with connected(self._url) as connection:
            await connection.execute(delete(idempotency_key).where(_is_old()))
            await connection.commit()


class PostgresKeyedCall:
    """A call whose writes are one transaction, of which its units of work are savepoints."""

    def __init__(self, claim: _Claim, lease_seconds: float, first: StoredResponse | None) -> None:
        self._claim = claim
        self._shared = SharedTransaction(claim.url)
        self._lease_seconds = lease_seconds
        self.first = first

    def work(self) -> PostgresUnitOfWork:
        """Units of work one after the other or nested, never in parallel."""
        return JoinedUnitOfWork(self._shared, self._lease_seconds)

    async def keep(self, response: StoredResponse) -> None:
        """Store the response and commit.

        :raises Unavailable: another call has taken over meanwhile, or the database is away; nothing is written.
        """
        connection = await self._shared.enter()
        try:
            await self._claim.answer(connection, response)
        except (OperationalError, InterfaceError) as error:
            raise Unavailable("the database did not answer in time, or the connection to it was lost") from error
        finally:
            await self.close()

    async def close(self) -> None:
        """Discard what ``keep`` has not committed."""
        await self._shared.close()


class _Claim:
    """The claim of one call on its key."""

    def __init__(self, url: str, key: Key) -> None:
        self.url = url
        self._key = key
        self._owner = new_id()
        self._answered = False

    async def take(self) -> StoredResponse | None:
        """The response to the first call, or None if this is the first call.

        :raises IdempotencyConflict: the key was used for another request.
        :raises Unavailable: another process works on the first call for longer than this one waits.
        """
        end, (pause, longest) = get_running_loop().time() + WAIT_SECONDS, POLL_SECONDS
        while True:
            async with connected(self.url) as connection:
                taken = await connection.scalar(self._taking())
                await connection.commit()
                if taken is not None:
                    return None
                row = (await connection.execute(select(idempotency_key).where(_is(self._key)))).mappings().first()
            if row is not None and (answer := _answer(row, self._key)) is not None:
                return answer
            if get_running_loop().time() >= end:
                raise Unavailable(_BUSY)
            await asyncio.sleep(pause)
            pause = min(2 * pause, longest)

    def _taking(self) -> Any:
        """Insert the row, or take it over when it is old or its process is gone."""
        own = {"fingerprint": self._key.fingerprint, "owner": self._owner, "claimed_until": _until()}
        new = {**own, "created_at": func.clock_timestamp(), "status": None, "headers": None, "body": None}
        inserting = insert(idempotency_key).values(actor=self._key.actor, key=self._key.key, **own)
        is_gone = K.status.is_(None) & (K.claimed_until < func.clock_timestamp())
        return inserting.on_conflict_do_update(
            index_elements=["actor", "key"], set_=new, where=_is_old() | is_gone
        ).returning(K.key)

    @asynccontextmanager
    async def held(self) -> AsyncIterator[None]:
        """Renewed while the context is open; given up at its end unless it is answered."""
        renewing = asyncio.create_task(self._renew())
        try:
            yield
        finally:
            renewing.cancel()
            await asyncio.gather(renewing, return_exceptions=True)
            if not self._answered:
                await self._give_up()

    async def _renew(self) -> None:
        while True:
            await asyncio.sleep(RENEW_SECONDS)
            with suppress(Unavailable):
                await self._execute(update(idempotency_key).where(self._is_ours()).values(claimed_until=_until()))

    async def _give_up(self) -> None:
        try:
            await self._execute(delete(idempotency_key).where(self._is_ours()))
        except Unavailable as error:
            log.warning("an Idempotency-Key stays claimed for %g s: %s", CLAIM_SECONDS, error)

    async def _execute(self, statement: Any) -> None:
        async with connected(self.url) as connection:
            await connection.execute(statement)
            await connection.commit()

    async def answer(self, connection: AsyncConnection, response: StoredResponse) -> None:
        """Commit the response with what the connection's transaction has written.

        :raises Unavailable: the claim is not ours any more.
        """
        values = {"status": response.status, "headers": dict(response.headers), "body": response.body}
        stored = await connection.execute(update(idempotency_key).where(self._is_ours()).values(**values))
        if stored.rowcount != 1:
            raise Unavailable("another call with this Idempotency-Key has taken over: send the call again")
        await connection.commit()
        self._answered = True

    def _is_ours(self) -> ColumnElement[bool]:
        return _is(self._key) & (K.owner == self._owner) & K.status.is_(None)


async def _enter(gate: asyncio.Lock) -> None:
    try:
        async with asyncio.timeout(WAIT_SECONDS):
            await gate.acquire()
    except TimeoutError:
        raise Unavailable(_BUSY) from None


def _answer(row: RowMapping, key: Key) -> StoredResponse | None:
    """The stored response; None while there is none."""
    if row["fingerprint"] != key.fingerprint:
        raise IdempotencyConflict("the Idempotency-Key was used for another request: take a new one for a new request")
    return None if row["status"] is None else StoredResponse(row["status"], row["headers"], row["body"])


def _is(key: Key) -> ColumnElement[bool]:
    return (K.actor == key.actor) & (K.key == key.key)


def _is_old() -> ColumnElement[bool]:
    return K.created_at < func.clock_timestamp() - timedelta(hours=RETENTION_HOURS)


def _until() -> Any:
    return func.clock_timestamp() + timedelta(seconds=CLAIM_SECONDS)
