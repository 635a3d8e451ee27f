"""The event log in PostgreSQL (port ``Events``): written in the transaction of the change, published later."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import and_, bindparam, or_, select, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.asyncio import AsyncConnection

from upgrade_orchestrator.adapters.ids import new_id
from upgrade_orchestrator.adapters.postgres.schema import tables
from upgrade_orchestrator.domain.errors import NotFound
from upgrade_orchestrator.domain.events.factory import data_of
from upgrade_orchestrator.domain.execution.events import Event, EventType
from upgrade_orchestrator.domain.execution.execution import Execution
from upgrade_orchestrator.domain.execution.states import ExecutionStatus
from upgrade_orchestrator.service.ports.stores.events import StoredEvent, Tail

CHANNEL = "upgrades"
"NOTIFY channel. A trigger on the event table sends the execution's id here when an event is committed."

_APPEND = text(
    """
    WITH reserved AS (
        UPDATE execution SET last_sequence = last_sequence + :number WHERE id = :execution
        RETURNING last_sequence - :number AS before, clock_timestamp() AS now
    )
    INSERT INTO event (execution_id, tenant_id, sequence, id, what, time, data)
    SELECT :execution, :tenant, reserved.before + given.position, given.id, given.what, reserved.now, given.data
    FROM reserved, jsonb_to_recordset(:given) AS given (position integer, id varchar, what varchar, data jsonb)
    """
).bindparams(bindparam("given", type_=JSONB))
"Numbers and inserts events in one statement, since every change of an upgrade writes events."


class PostgresEvents:
    """Appends under the execution's row lock, so that its sequence has no gaps."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def append(self, execution: Execution, events: Sequence[Event]) -> None:
        """Number the events and insert them."""
        if not events:
            return
        given = [
            {"position": position, "id": new_id(), "what": event.what.value, "data": data_of(event)}
            for position, event in enumerate(events, start=1)
        ]
        values = {"execution": execution.id, "tenant": execution.tenant_id, "number": len(given), "given": given}
        written = await self._connection.execute(_APPEND, values)
        if written.rowcount != len(given):
            raise NotFound(f"there is no execution {execution.id}")

    async def page(self, execution_id: str, after: int, limit: int) -> list[StoredEvent]:
        """In ascending order."""
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
        """Reads the primary key in descending order."""
        table = tables.event
        query = (
            select(table)
            .where(table.c.execution_id == execution_id, table.c.what.in_([each.value for each in whats]))
            .order_by(table.c.sequence.desc())
            .limit(limit)
        )
        found = (await self._connection.execute(query)).mappings()
        return [event_from(row) for row in found]

    async def about(self, execution_id: str, instance_id: str, after: int, limit: int) -> list[StoredEvent]:
        """Reads the execution's part of the primary key; there is no index on instances, since each event would pay."""
        table, what = tables.event, tables.event.c.what
        own = and_(what == EventType.INSTANCE_CHANGED.value, table.c.data["instanceId"].astext == instance_id)
        ill = and_(what == EventType.CANARY_POLLED.value, table.c.data["unhealthy"].has_key(instance_id))
        query = (
            select(table)
            .where(table.c.execution_id == execution_id, table.c.sequence > after)
            .where(or_(own, ill, what == EventType.STATUS_CHANGED.value))
            .order_by(table.c.sequence)
            .limit(limit)
        )
        found = (await self._connection.execute(query)).mappings()
        return [event_from(row) for row in found]

    async def tail(self, execution_id: str) -> Tail:
        """Read from the execution's row, which has the number of its last event."""
        table = tables.execution.c
        query = select(table.last_sequence, table.status, table.settled_at).where(table.id == execution_id)
        row = (await self._connection.execute(query)).first()
        if row is None:
            raise NotFound(f"there is no execution {execution_id}")
        return Tail(row.last_sequence, ExecutionStatus(row.status), row.settled_at is not None)


def event_from(row: Any) -> StoredEvent:
    """The event in ``row``.

    :raises ValueError: this version of the code does not know its type.
    """
    return StoredEvent(
        id=row["id"],
        execution_id=row["execution_id"],
        tenant_id=row["tenant_id"],
        sequence=row["sequence"],
        time=row["time"],
        what=EventType(row["what"]),
        data=row["data"],
    )
