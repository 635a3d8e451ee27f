"""What only the store in memory has: clock and ids as arguments, access to committed rows, a short time-out."""

import asyncio
from datetime import UTC, datetime, timedelta
from itertools import count

import pytest

from tests.labs.any_event import any_event
from tests.store_contract.stores import LEASE_SECONDS, fill, new_execution, rows
from tests.unit.domain.builders import planned
from upgrade_orchestrator.adapters.memory import idempotency as idempotency_store
from upgrade_orchestrator.adapters.memory.engine.database import MemoryDatabase
from upgrade_orchestrator.adapters.memory.engine.tables import EVENT, LEASE
from upgrade_orchestrator.adapters.memory.idempotency import MemoryIdempotencyStore
from upgrade_orchestrator.adapters.memory.unit_of_work import MemoryUnitOfWork
from upgrade_orchestrator.domain.errors import Unavailable
from upgrade_orchestrator.service.ports.idempotency import Key, StoredResponse

NOON = datetime(2031, 5, 17, 12, 0, tzinfo=UTC)
KEY = Key("olga", "k-1", "f" * 64)


async def test_memory_database_uses_the_given_clock_and_ids() -> None:
    numbers = count(1)
    database = MemoryDatabase(lambda: NOON, lambda: f"id-{next(numbers)}")
    await fill(lambda: MemoryUnitOfWork(database, LEASE_SECONDS))
    execution = new_execution()
    async with MemoryUnitOfWork(database, LEASE_SECONDS) as work:
        await work.executions.add(execution, planned(3), rows())
        await work.events.append(execution, [any_event()] * 2)
        await work.commit()
    assert [(each.id, each.time) for each in database.committed(EVENT)] == [("id-1", NOON), ("id-2", NOON)]


async def test_memory_database_uses_the_system_clock_without_a_given_one() -> None:
    async with MemoryUnitOfWork(MemoryDatabase(), LEASE_SECONDS) as work:
        now = await work.now()
    assert now.utcoffset() == timedelta()
    assert abs(datetime.now(UTC) - now) < timedelta(minutes=1)


async def test_snapshot_of_the_memory_database_shows_committed_rows() -> None:
    database = MemoryDatabase(lambda: NOON)
    async with MemoryUnitOfWork(database, LEASE_SECONDS) as work:
        await work.leases.take("agent", "kafka", "one")
        assert database.committed(LEASE) == []
        await work.commit()
    ((lease,)) = database.committed(LEASE)
    assert (lease.owner, lease.expires_at) == ("one", NOON + timedelta(seconds=LEASE_SECONDS))


async def test_repeated_call_waits_for_the_first_no_longer_than_its_timeout(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(idempotency_store, "WAIT_SECONDS", 0.05)
    answers, answer = MemoryIdempotencyStore(MemoryDatabase(), LEASE_SECONDS), StoredResponse(200, {}, "")
    async with answers.call(KEY) as call:
        with pytest.raises(Unavailable, match="has not ended yet"):
            async with answers.call(KEY):
                pass
        await call.keep(answer)
    async with asyncio.timeout(1), answers.call(KEY) as call:
        assert call.first == answer
