"""Reading every event once, in memory (port ``EventCursors``): one row for each consumer and execution."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Collection, Sequence
from datetime import datetime, timedelta

from upgrade_orchestrator.adapters.memory.engine.database import MemoryDatabase
from upgrade_orchestrator.adapters.memory.engine.tables import (
    APPROVAL,
    BATCH,
    EVENT,
    EXECUTION,
    FOLLOWED,
    FOLLOWER,
    INSTANCE,
    EventRow,
    ExecutionRow,
)
from upgrade_orchestrator.adapters.memory.engine.transaction import Transaction
from upgrade_orchestrator.adapters.memory.events.events import event_from
from upgrade_orchestrator.domain.events.event_metrics import RecordedEvent
from upgrade_orchestrator.domain.execution.events import EventType
from upgrade_orchestrator.domain.execution.states import ExecutionStatus
from upgrade_orchestrator.service.ports.event_cursors import LONGEST_ABSENCE, Span, Waiting

_FOLLOWED_FOR = timedelta(hours=1)
"How long an execution is followed after its end, and longer while nobody follows."


class MemoryEventCursors:
    """Every call is its own transaction."""

    def __init__(self, database: MemoryDatabase) -> None:
        self._database = database

    async def spans(self, consumer: str, limit: int) -> list[Span]:
        """Ordered by execution id."""
        found, now = list[Span](), self._database.now()
        async with self._database.statement() as transaction:
            caught_up = transaction.get(FOLLOWER, consumer) or now
            since = max(caught_up - _FOLLOWED_FOR, now - LONGEST_ABSENCE)
            for row in transaction.rows(EXECUTION):
                seen = transaction.get(FOLLOWED, row.execution.id, consumer) or 0
                if row.last_sequence > seen and _is_followed(row, since):
                    found.append(Span(row.execution.id, seen, row.last_sequence))
            if not found:
                await transaction.write(FOLLOWER, now, consumer)
                await transaction.commit()
        return sorted(found, key=lambda each: each.execution_id)[:limit]

    async def mark(self, consumer: str, spans: Sequence[Span]) -> list[Span]:
        """Advance only from the expected position: of two readers of the same span, one gets it."""
        marked = list[Span]()
        async with self._database.statement() as transaction:
            for each in spans:
                await transaction.lock(FOLLOWED, each.execution_id, consumer)
                if (transaction.get(FOLLOWED, each.execution_id, consumer) or 0) == each.after:
                    await transaction.write(FOLLOWED, each.last, each.execution_id, consumer)
                    marked.append(each)
            await transaction.commit()
        return marked

    async def events(self, spans: Sequence[Span], what: Collection[str]) -> list[RecordedEvent]:
        """Ordered by execution and sequence."""
        found = list[RecordedEvent]()
        async with self._database.statement() as transaction:
            for span in sorted(spans, key=lambda each: each.execution_id):
                row = transaction.get(EXECUTION, span.execution_id)
                for sequence in range(span.after + 1, span.last + 1):
                    event = transaction.get(EVENT, span.execution_id, sequence)
                    if row and event and event.what in what:
                        found.append(_recorded(transaction, row, event))
        return found

    async def counts(self) -> dict[tuple[str, str], int]:
        """Of executions that hold their active slot."""
        async with self._database.statement() as transaction:
            every = [row.execution for row in transaction.rows(EXECUTION)]
        held = (each for each in every if each.settled_at is None)
        return dict(Counter((each.status.value, each.request.strategy.value) for each in held))

    async def attention(self) -> dict[str, int]:
        """Of executions that hold their active slot."""
        async with self._database.statement() as transaction:
            every = [row.execution for row in transaction.rows(EXECUTION)]
        return dict(Counter(each.attention.code for each in every if each.attention and each.settled_at is None))

    async def waiting(self) -> Waiting:
        """Of executions that hold their active slot: once one has ended, its question needs no response."""
        async with self._database.statement() as transaction:
            asked = [each for each in transaction.rows(APPROVAL) if each.decision is None]
            open_ones = [each for each in asked if _is_open(transaction.get(EXECUTION, each.execution_id))]
        now = self._database.now()
        oldest = min((each.requested_at for each in open_ones), default=now)
        return Waiting(len(open_ones), max(0.0, (now - oldest).total_seconds()))


def _is_followed(row: ExecutionRow, since: datetime) -> bool:
    each = row.execution
    if each.settled_at is None:
        return True
    return each.status is not ExecutionStatus.PENDING and each.completed_at is not None and each.completed_at > since


def _is_open(row: ExecutionRow | None) -> bool:
    return row is not None and row.execution.settled_at is None and row.execution.completed_at is None


def _recorded(transaction: Transaction, row: ExecutionRow, event: EventRow) -> RecordedEvent:
    began = _began_at(transaction, row, event)
    strategy = row.execution.request.strategy.value
    read = event_from(event)
    return RecordedEvent(read.execution_id, read.sequence, read.what, read.data, read.time, strategy, began)


def _began_at(transaction: Transaction, row: ExecutionRow, event: EventRow) -> datetime | None:
    """The start of the work whose end the event reports."""
    data, of = json.loads(event.data), event.execution_id
    match event.what:
        case EventType.STATUS_CHANGED:
            return row.execution.started_at
        case EventType.BATCH_COMPLETED if batch := transaction.get(BATCH, of, data["batch"]):
            return batch.started_at
        case EventType.INSTANCE_CHANGED if instance := transaction.get(INSTANCE, of, data["instanceId"]):
            return instance.started_at
        case EventType.APPROVAL_DECIDED if approval := transaction.get(APPROVAL, of, data["stage"]):
            return approval.requested_at
    return None
