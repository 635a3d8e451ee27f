"""The event log in memory (port ``Events``): written in the transaction of the change, published at commit."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from upgrade_orchestrator.adapters.memory.engine.tables import EVENT, EXECUTION, EventRow
from upgrade_orchestrator.adapters.memory.engine.transaction import Transaction
from upgrade_orchestrator.adapters.memory.engine.values import as_json
from upgrade_orchestrator.adapters.memory.executions.executions import row_of
from upgrade_orchestrator.domain.events.factory import data_of
from upgrade_orchestrator.domain.execution.events import Event, EventType
from upgrade_orchestrator.domain.execution.execution import Execution
from upgrade_orchestrator.service.ports.stores.events import StoredEvent, Tail


class MemoryEvents:
    """Appends under the execution's row lock, so that its sequence has no gaps."""

    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction

    async def append(self, execution: Execution, events: Sequence[Event]) -> None:
        """Number the events and insert them."""
        if not events:
            return
        transaction = self._transaction
        await transaction.statement()
        await transaction.lock(EXECUTION, execution.id)
        row, now = row_of(transaction, execution.id), transaction.database.now()
        last = row.last_sequence + len(events)
        await transaction.write(EXECUTION, replace(row, last_sequence=last), execution.id)
        for sequence, event in enumerate(events, row.last_sequence + 1):
            written = self._row(execution, sequence, now, event)
            await transaction.write(EVENT, written, execution.id, sequence)
        transaction.notify(execution.id)

    def _row(self, execution: Execution, sequence: int, now: datetime, event: Event) -> EventRow:
        return EventRow(
            id=self._transaction.database.new_id(),
            execution_id=execution.id,
            tenant_id=execution.tenant_id,
            sequence=sequence,
            what=event.what.value,
            time=now,
            data=as_json(data_of(event)),
        )

    async def page(self, execution_id: str, after: int, limit: int) -> list[StoredEvent]:
        """In ascending order."""
        await self._transaction.statement()
        row = self._transaction.get(EXECUTION, execution_id)
        last = min(row.last_sequence, after + limit) if row else 0
        found = (self._transaction.get(EVENT, execution_id, each) for each in range(max(after, 0) + 1, last + 1))
        return [event_from(each) for each in found if each]

    async def latest(self, execution_id: str, whats: Sequence[EventType], limit: int) -> list[StoredEvent]:
        """In descending order."""
        await self._transaction.statement()
        found = [each for each in self._transaction.rows(EVENT, execution_id) if each.what in whats]
        found.sort(key=lambda each: each.sequence, reverse=True)
        return [event_from(each) for each in found[:limit]]

    async def about(self, execution_id: str, instance_id: str, after: int, limit: int) -> list[StoredEvent]:
        """In ascending order."""
        await self._transaction.statement()
        rows = (each for each in self._transaction.rows(EVENT, execution_id) if each.sequence > after)
        found = [each for each in map(event_from, rows) if _is_about(each, instance_id)]
        return sorted(found, key=lambda each: each.sequence)[:limit]

    async def tail(self, execution_id: str) -> Tail:
        """Read from the execution's row, which has the number of its last event."""
        await self._transaction.statement()
        row = row_of(self._transaction, execution_id)
        return Tail(row.last_sequence, row.execution.status, row.execution.settled_at is not None)


def _is_about(event: StoredEvent, instance_id: str) -> bool:
    match event.what:
        case EventType.INSTANCE_CHANGED:
            return event.data["instanceId"] == instance_id
        case EventType.CANARY_POLLED:
            unhealthy = event.data["unhealthy"]
            return isinstance(unhealthy, dict) and instance_id in unhealthy
    return event.what is EventType.STATUS_CHANGED


def event_from(row: EventRow) -> StoredEvent:
    """The event in ``row``, with its own copy of the data."""
    return StoredEvent(
        id=row.id,
        execution_id=row.execution_id,
        tenant_id=row.tenant_id,
        sequence=row.sequence,
        time=row.time,
        what=EventType(row.what),
        data=json.loads(row.data),
    )
