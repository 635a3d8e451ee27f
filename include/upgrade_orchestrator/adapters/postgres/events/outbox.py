"""The outbox in PostgreSQL (port ``Outbox``): the events that are neither published nor parked."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any

from sqlalchemy import Select, func, insert, select, text, tuple_, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncConnection

from upgrade_orchestrator.adapters.postgres.engine.engine import engine_of
from upgrade_orchestrator.adapters.postgres.events.events import CHANNEL, event_from
from upgrade_orchestrator.adapters.postgres.schema import tables
from upgrade_orchestrator.adapters.postgres.schema.rows import command_values, pick
from upgrade_orchestrator.domain.errors import NotFound, Unavailable
from upgrade_orchestrator.domain.execution.commands import Actor
from upgrade_orchestrator.service.ports.outbox import Lag, ParkedEvent, RelayState, StoredRelayState
from upgrade_orchestrator.service.ports.stores.events import StoredEvent

E = tables.event.c
_OPEN = (E.published_at.is_(None), E.parked_at.is_(None))
_MARK = text(
    "UPDATE event SET published_at = clock_timestamp(), parked_at = NULL, parked_reason = NULL "
    "FROM unnest(CAST(:executions AS text[]), CAST(:sequences AS bigint[])) AS sent (execution_id, sequence) "
    "WHERE event.execution_id = sent.execution_id AND event.sequence = sent.sequence"
)
RELEASE = "release-event"
"The command's name in the audit."


class PostgresOutbox:
    """Every call is its own transaction."""

    def __init__(self, url: str) -> None:
        self._url = url

    async def pending(self, limit: int) -> list[StoredEvent]:
        """In the index's order, so that the time does not grow with stored history."""
        query = select(tables.event).where(*_OPEN).order_by(E.execution_id, E.sequence).limit(limit)
        async with self._transaction() as connection:
            return await _readable(connection, query)

    async def mark_published(self, events: Sequence[StoredEvent]) -> None:
        """Update all of them in one statement."""
        keys = {"executions": [each.execution_id for each in events], "sequences": [each.sequence for each in events]}
        async with self._transaction() as connection:
            await connection.execute(_MARK, keys)

    async def park(self, event: StoredEvent, reason: str) -> None:
        """Sends no signal: no one waits for a parked event."""
        async with self._transaction() as connection:
            await _park(connection, event.id, reason)

    async def parked(self, after: tuple[datetime, str] | None, limit: int) -> list[ParkedEvent]:
        """Pages by keyset (parked_at, id)."""
        query = _parked().order_by(E.parked_at, E.id).limit(limit)
        if after is not None:
            query = query.where(tuple_(E.parked_at, E.id) > tuple_(*after))
        async with self._transaction() as connection:
            return [_parked_from(row) for row in (await connection.execute(query)).mappings()]

    async def release(self, event_id: str, actor: Actor) -> ParkedEvent:
        """Also wakes the relay."""
        async with self._transaction() as connection:
            query = _parked().where(E.id == event_id).with_for_update()
            row = (await connection.execute(query)).mappings().first()
            if row is None:
                raise NotFound(f"no event {event_id} is parked")
            found = _parked_from(row)
            cleared = update(tables.event).where(E.id == event_id).values(parked_at=None, parked_reason=None)
            await connection.execute(cleared)
            await connection.execute(insert(tables.command).values(**_audit(found, actor)))
            await connection.execute(select(func.pg_notify(CHANNEL, found.execution_id)))
            return found

    async def lag(self) -> Lag:
        """Counts over the two small indexes."""
        age = func.extract("epoch", func.clock_timestamp() - func.min(E.time))
        parked = select(func.count()).where(E.parked_at.is_not(None)).scalar_subquery()
        query = select(func.count(), func.coalesce(func.greatest(age, 0), 0), parked).where(*_OPEN)
        async with self._transaction() as connection:
            rows, seconds, parked_rows = (await connection.execute(query)).one()
        return Lag(rows, float(seconds), parked_rows)

    async def save_state(self, state: RelayState, detail: str) -> None:
        """Writes the only row of the table ``relay``."""
        values = {"state": state.value, "detail": detail, "noted_at": func.clock_timestamp()}
        statement = upsert(tables.relay).values(id=1, **values)
        async with self._transaction() as connection:
            await connection.execute(statement.on_conflict_do_update(index_elements=["id"], set_=values))

    async def state(self) -> StoredRelayState | None:
        """With its age by the database's clock."""
        age = func.extract("epoch", func.clock_timestamp() - tables.relay.c.noted_at)
        async with self._transaction() as connection:
            row = (await connection.execute(select(tables.relay.c.state, tables.relay.c.detail, age))).first()
        return StoredRelayState(RelayState(row[0]), row[1], float(row[2])) if row else None

    @asynccontextmanager
    async def _transaction(self) -> AsyncIterator[AsyncConnection]:
        try:
            async with engine_of(self._url).begin() as connection:
                yield connection
        except (OperationalError, InterfaceError, PoolTimeout, OSError) as error:
            raise Unavailable("the database does not answer") from error


async def _readable(connection: AsyncConnection, query: Select[Any]) -> list[StoredEvent]:
    """Park events whose type this version of the code does not know: a newer version can publish them later."""
    found: list[StoredEvent] = []
    for row in (await connection.execute(query)).mappings():
        try:
            found.append(event_from(row))
        except ValueError as error:
            await _park(connection, row["id"], f"it cannot be read: {error}")
    return found


async def _park(connection: AsyncConnection, event_id: str, reason: str) -> None:
    values = {"parked_at": func.clock_timestamp(), "parked_reason": reason}
    await connection.execute(update(tables.event).where(E.id == event_id, E.published_at.is_(None)).values(values))


def _parked() -> Select[Any]:
    columns = (E.id, E.execution_id, E.tenant_id, E.sequence, E.what, E.parked_at, E.parked_reason.label("reason"))
    return select(*columns).where(E.parked_at.is_not(None))


def _parked_from(row: Any) -> ParkedEvent:
    return ParkedEvent(**pick(ParkedEvent, row))


def _audit(event: ParkedEvent, actor: Actor) -> dict[str, object]:
    what = {"eventId": event.id, "sequence": event.sequence, "parkedBecause": event.reason}
    return command_values(event.execution_id, RELEASE, actor, None, **what)
