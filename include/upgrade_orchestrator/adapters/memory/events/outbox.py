"""The outbox in memory (port ``Outbox``): the events that are neither published nor parked."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime

from upgrade_orchestrator.adapters.memory.engine.database import MemoryDatabase
from upgrade_orchestrator.adapters.memory.engine.tables import EVENT, RELAY, EventRow, RelayRow
from upgrade_orchestrator.adapters.memory.engine.transaction import Transaction
from upgrade_orchestrator.adapters.memory.events.events import event_from
from upgrade_orchestrator.adapters.memory.executions import audit
from upgrade_orchestrator.domain.errors import NotFound
from upgrade_orchestrator.domain.execution.commands import Actor
from upgrade_orchestrator.service.ports.outbox import Lag, ParkedEvent, RelayState, StoredRelayState
from upgrade_orchestrator.service.ports.stores.events import StoredEvent

RELEASE = "release-event"
"The command's name in the audit."
_ONLY_ROW = 1


class MemoryOutbox:
    """Every call is its own transaction."""

    def __init__(self, database: MemoryDatabase) -> None:
        self._database = database

    async def pending(self, limit: int) -> list[StoredEvent]:
        """Ordered by execution and sequence."""
        async with self._database.statement() as transaction:
            waiting = [each for each in transaction.rows(EVENT) if each.waits]
            waiting.sort(key=lambda each: (each.execution_id, each.sequence))
            return [event_from(each) for each in waiting[:limit]]

    async def mark_published(self, events: Sequence[StoredEvent]) -> None:
        """Events that do not exist are skipped."""
        async with self._database.statement() as transaction:
            now = self._database.now()
            for row in await _locked(transaction, events):
                await _write(transaction, replace(row, published_at=now, parked_at=None, parked_reason=None))
            await transaction.commit()

    async def park(self, event: StoredEvent, reason: str) -> None:
        """Does nothing if the event was published in the meantime."""
        async with self._database.statement() as transaction:
            for row in await _locked(transaction, [event]):
                if row.published_at is None:
                    await _write(transaction, replace(row, parked_at=self._database.now(), parked_reason=reason))
            await transaction.commit()

    async def parked(self, after: tuple[datetime, str] | None, limit: int) -> list[ParkedEvent]:
        """Pages by keyset (parked_at, id)."""
        async with self._database.statement() as transaction:
            found = _parked(transaction.rows(EVENT))
            found.sort(key=lambda each: (each.parked_at, each.id))
            return [each for each in found if after is None or (each.parked_at, each.id) > after][:limit]

    async def release(self, event_id: str, actor: Actor) -> ParkedEvent:
        """Also wakes the relay."""
        async with self._database.statement() as transaction:
            rows = [each for each in transaction.rows(EVENT) if each.id == event_id]
            rows = await _locked(transaction, rows)
            for found in _parked(rows):
                await _write(transaction, replace(rows[0], parked_at=None, parked_reason=None))
                what = {"eventId": found.id, "sequence": found.sequence, "parkedBecause": found.reason}
                await audit.add(transaction, found.execution_id, RELEASE, actor, None, **what)
                transaction.notify(found.execution_id)
                await transaction.commit()
                return found
        raise NotFound(f"no event {event_id} is parked")

    async def lag(self) -> Lag:
        """Counts all rows."""
        async with self._database.statement() as transaction:
            rows, now = transaction.rows(EVENT), self._database.now()
            waiting = [each.time for each in rows if each.waits]
            oldest = max(0.0, (now - min(waiting, default=now)).total_seconds())
            return Lag(len(waiting), oldest, len(_parked(rows)))

    async def save_state(self, state: RelayState, detail: str) -> None:
        """Replaces the previous note."""
        async with self._database.statement() as transaction:
            await transaction.write(RELAY, RelayRow(state, detail, self._database.now()), _ONLY_ROW)
            await transaction.commit()

    async def state(self) -> StoredRelayState | None:
        """With its age by the database's clock."""
        async with self._database.statement() as transaction:
            row = transaction.get(RELAY, _ONLY_ROW)
            if row is None:
                return None
            age = self._database.now() - row.noted_at
            return StoredRelayState(row.state, row.detail, age.total_seconds())


async def _locked(transaction: Transaction, events: Sequence[StoredEvent] | Sequence[EventRow]) -> list[EventRow]:
    found = []
    for each in events:
        await transaction.lock(EVENT, each.execution_id, each.sequence)
        if row := transaction.get(EVENT, each.execution_id, each.sequence):
            found.append(row)
    return found


async def _write(transaction: Transaction, row: EventRow) -> None:
    await transaction.write(EVENT, row, row.execution_id, row.sequence)


def _parked(rows: Iterable[EventRow]) -> list[ParkedEvent]:
    return [
        ParkedEvent(
            row.id, row.execution_id, row.tenant_id, row.sequence, row.what, row.parked_at, row.parked_reason or ""
        )
        for row in rows
        if row.parked_at is not None
    ]
