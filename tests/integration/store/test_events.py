"""The event log: numbered without a gap under concurrency, written with its change, told to whoever waits."""

import asyncio
import time

import psycopg

from include.upgrades.adapters.postgres.signals import PostgresSignals
from include.upgrades.domain.events import Event, EventType
from include.upgrades.domain.execution import Execution
from tests.integration.store.conftest import Added, Store

WRITERS, EACH = 8, 5


def _event(text: str = "") -> Event:
    return Event(EventType.PROGRESS, {"text": text})


async def _append(store: Store, execution: Execution, *texts: str) -> None:
    async with store() as work:
        await work.events.append(execution, [_event(text) for text in texts])
        await work.commit()


async def test_sequence_has_no_gap_under_eight_writers(store: Store, added: Added) -> None:
    execution, other = await added(), await added()

    async def write(writer: int) -> None:
        for number in range(EACH):
            await _append(store, execution, f"{writer}.{number}", f"{writer}.{number}+")
            await _append(store, other, "x")

    await asyncio.gather(*(write(each) for each in range(WRITERS)))
    async with store() as work:
        found = await work.events.page(execution.id, 0, 1000)
        others = await work.events.page(other.id, 0, 1000)
    assert [each.sequence for each in found] == list(range(1, WRITERS * EACH * 2 + 1))
    assert [each.sequence for each in others] == list(range(1, WRITERS * EACH + 1))
    assert len({each.id for each in (*found, *others)}) == WRITERS * EACH * 3
    assert [each.time for each in found] == sorted(each.time for each in found)
    for one, two in zip(found[::2], found[1::2], strict=True):  # what is appended together stays together
        assert two.event.data["text"] == f"{one.event.data['text']}+"


async def test_event_is_gone_with_its_change_when_that_is_not_committed(store: Store, added: Added) -> None:
    execution = await added()
    await _append(store, execution, "kept")
    async with store() as work:
        await work.events.append(execution, [_event("lost"), _event("lost")])
    await _append(store, execution, "kept too")
    async with store() as work:
        found = await work.events.page(execution.id, 0, 10)
    assert [(each.sequence, each.event.data["text"]) for each in found] == [(1, "kept"), (2, "kept too")]


async def test_page_goes_on_after_a_sequence(store: Store, added: Added) -> None:
    execution = await added()
    await _append(store, execution, *"abcde")
    async with store() as work:
        found = await work.events.page(execution.id, 2, 2)
    assert [each.event.data["text"] for each in found] == ["c", "d"]
    assert (found[0].execution_id, found[0].tenant_id) == (execution.id, execution.tenant_id)


async def test_nothing_is_appended_when_there_is_nothing_to_tell(store: Store, added: Added) -> None:
    execution = await added()
    await _append(store, execution)
    async with store() as work:
        assert await work.events.page(execution.id, 0, 10) == []


async def _listens(connection: "psycopg.Connection[tuple[object, ...]]", than: int | None = None) -> int:
    """The backend that listens for signals, another one than ``than``."""
    query = "SELECT pid FROM pg_stat_activity WHERE application_name = 'upgrades-signals' AND query LIKE 'LISTEN%'"
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        for (pid,) in connection.execute(query).fetchall():
            if pid != than:
                return int(str(pid))
        await asyncio.sleep(0.02)
    raise AssertionError("nobody listens")


async def test_waiter_is_told_within_a_second_and_only_of_its_own(
    store: Store, added: Added, postgres_url: str
) -> None:
    execution, other = await added(), await added()
    signals = PostgresSignals(postgres_url)
    with psycopg.connect(postgres_url.replace("+psycopg", ""), autocommit=True) as connection:
        async with signals.of(execution.id) as waiter:
            first = asyncio.create_task(waiter.wait(10))
            await _listens(connection)
            await first  # its connection woke it: something may have happened before
            waiting = asyncio.create_task(waiter.wait(10))
            await _append(store, other, "not for us")
            assert not (await asyncio.wait([waiting], timeout=0.2))[0]
            began = time.monotonic()
            await _append(store, execution, "for us")
            assert await waiting is True
            assert time.monotonic() - began < 1
            assert await waiter.wait(0.2) is False


async def test_waiter_is_not_told_of_what_is_rolled_back(store: Store, added: Added, postgres_url: str) -> None:
    execution = await added()
    async with PostgresSignals(postgres_url).of(execution.id) as waiter:
        await waiter.wait(2)
        async with store() as work:
            await work.events.append(execution, [_event()])
        assert await waiter.wait(0.6) is False


async def test_waiter_listens_again_after_its_connection_was_cut(store: Store, added: Added, postgres_url: str) -> None:
    execution = await added()
    with psycopg.connect(postgres_url.replace("+psycopg", ""), autocommit=True) as connection:
        async with PostgresSignals(postgres_url).of(execution.id) as waiter:
            await waiter.wait(5)
            pid = await _listens(connection)
            connection.execute("SELECT pg_terminate_backend(%s)", (pid,))
            assert await waiter.wait(10) is True  # the new connection: what was told in between must be looked up
            await _listens(connection, than=pid)
            waiting = asyncio.create_task(waiter.wait(10))
            await _append(store, execution, "after the cut")
            assert await asyncio.wait_for(waiting, 1) is True


async def test_waiter_beside_others_misses_nothing_from_its_beginning_on(
    store: Store, added: Added, postgres_url: str
) -> None:
    execution, other = await added(), await added()
    signals = PostgresSignals(postgres_url)
    with psycopg.connect(postgres_url.replace("+psycopg", ""), autocommit=True) as connection:
        async with signals.of(other.id) as beside, signals.of(execution.id) as waiter:
            await beside.wait(5)
            await _listens(connection)
            await _append(store, execution, "before the first wait")
            await _append(store, other, "told after it")
            assert await beside.wait(5) is True
            began = time.monotonic()
            assert await waiter.wait(10) is True
            assert time.monotonic() - began < 1


async def test_last_waiter_to_leave_closes_the_connection(added: Added, postgres_url: str) -> None:
    execution = await added()
    with psycopg.connect(postgres_url.replace("+psycopg", ""), autocommit=True) as connection:
        async with PostgresSignals(postgres_url).of(execution.id) as waiter:
            await waiter.wait(5)
            pid = await _listens(connection)
        deadline = time.monotonic() + 5
        while connection.execute("SELECT 1 FROM pg_stat_activity WHERE pid = %s", (pid,)).fetchone():
            assert time.monotonic() < deadline
            await asyncio.sleep(0.02)
