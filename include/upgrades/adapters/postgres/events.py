"""The event log in PostgreSQL (port ``Events``): written with the change it tells of, published later."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from include.upgrades.adapters.ids import new_id
from include.upgrades.adapters.postgres import tables
from include.upgrades.domain.errors import NotFound
from include.upgrades.domain.events import Event, EventType
from include.upgrades.domain.execution import Execution
from include.upgrades.domain.states import ExecutionStatus
from include.upgrades.service.live_ports import Tail
from include.upgrades.service.ports import StoredEvent

CHANNEL = "upgrades"
"NOTIFY tells the execution's id here whenever an event is committed (a trigger of the event table does it)."


class PostgresEvents:
    """Appends under the execution's row lock, so that its sequence has no gap."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def append(self, execution: Execution, events: Sequence[Event]) -> None:
        """Number and insert."""
        if not events:
            return
        table = tables.execution
        reserve = (
            update(table)
            .where(table.c.id == execution.id)
            .values(last_sequence=table.c.last_sequence + len(events))
            .returning(table.c.last_sequence, func.clock_timestamp().label("now"))
        )
        last, now = (await self._connection.execute(reserve)).one()
        first = last - len(events) + 1
        values = [
            {
                "id": new_id(),
                "execution_id": execution.id,
                "tenant_id": execution.tenant_id,
                "sequence": first + offset,
                "what": event.what.value,
                "time": now,
                "data": dict(event.data),
            }
            for offset, event in enumerate(events)
        ]
        await self._connection.execute(insert(tables.event), values)

    async def page(self, execution_id: str, after: int, limit: int) -> list[StoredEvent]:
        """In order."""
        table = tables.event
        query = (
            select(table)
            .where(table.c.execution_id == execution_id, table.c.sequence > after)
            .order_by(table.c.sequence)
            .limit(limit)
        )
        found = (await self._connection.execute(query)).mappings()
        return [event_from(row) for row in found]

    async def latest(self, execution_id: str, whats: Sequence[EventType], limit: int) -> list[StoredEvent]:
        """By the primary key, downwards."""
        table = tables.event
        query = (
            select(table)
            .where(table.c.execution_id == execution_id, table.c.what.in_([each.value for each in whats]))
            .order_by(table.c.sequence.desc())
            .limit(limit)
        )
        found = (await self._connection.execute(query)).mappings()
        return [event_from(row) for row in found]

    async def tail(self, execution_id: str) -> Tail:
        """From the execution's row, which counts its events."""
        table = tables.execution.c
        query = select(table.last_sequence, table.status, table.settled_at).where(table.id == execution_id)
        row = (await self._connection.execute(query)).first()
        if row is None:
            raise NotFound(f"there is no execution {execution_id}")
        return Tail(row.last_sequence, ExecutionStatus(row.status), row.settled_at is not None)


def event_from(row: Any) -> StoredEvent:
    """The event in ``row``. :raises ValueError: when its type is not known here."""
    return StoredEvent(
        id=row["id"],
        execution_id=row["execution_id"],
        tenant_id=row["tenant_id"],
        sequence=row["sequence"],
        time=row["time"],
        event=Event(EventType(row["what"]), row["data"]),
    )
