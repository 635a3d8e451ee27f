"""The live feed on the real store: every event once and in order for each follower, read once for all of them."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack
from dataclasses import replace
from datetime import UTC, datetime

import psycopg
import pytest

from include.upgrades.adapters.postgres.signals import PostgresNames, PostgresSignals
from include.upgrades.domain.errors import NotFound, Unavailable
from include.upgrades.domain.events import Event, EventType
from include.upgrades.domain.execution import Execution
from include.upgrades.domain.states import ExecutionStatus
from include.upgrades.service import live_feed, live_reader
from include.upgrades.service.live_feed import Follower, LiveFeed
from include.upgrades.service.ports import UnitOfWork
from include.upgrades.service.signal_ports import ANYTHING
from tests.integration.store.conftest import Added, Store

SECONDS = 10


class CountedWork:
    """Makes units of work and counts them; can be away."""

    def __init__(self, store: Store) -> None:
        self._store, self.made, self.away = store, 0, False

    def __call__(self) -> UnitOfWork:
        self.made += 1
        if self.away:
            raise Unavailable("away")
        return self._store()


@pytest.fixture
def work(store: Store) -> CountedWork:
    return CountedWork(store)


@pytest.fixture
async def feed(work: CountedWork, postgres_url: str) -> AsyncIterator[LiveFeed]:
    made = LiveFeed(work, PostgresSignals(postgres_url))
    yield made
    await _until(lambda: not made._leaving)
    assert not made.followers


async def _append(store: Store, execution: Execution, count: int) -> None:
    async with store() as work:
        await work.events.append(execution, [Event(EventType.PROGRESS, {"total": 1})] * count)
        await work.commit()


async def _end(store: Store, execution: Execution, *, settled: bool) -> None:
    async with store() as work:
        stored = await work.executions.lock(execution.id)
        ended = replace(stored, status=ExecutionStatus.CANCELLED, settled_at=datetime.now(UTC) if settled else None)
        await work.executions.save(ended)
        await work.commit()


async def _take(follower: Follower, count: int) -> list[int]:
    found: list[int] = []
    async with asyncio.timeout(SECONDS):
        while len(found) < count:
            found += [each.sequence for each in await follower.next(SECONDS)]
    return found


async def _until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + SECONDS
    while not holds():
        assert time.monotonic() < deadline
        await asyncio.sleep(0.01)


async def test_follower_gets_what_was_and_what_comes_in_order(store: Store, added: Added, feed: LiveFeed) -> None:
    execution = await added()
    await _append(store, execution, 3)
    async with feed.following(execution.id) as follower:
        assert await _take(follower, 3) == [1, 2, 3]
        began = time.monotonic()
        await _append(store, execution, 2)
        assert await _take(follower, 2) == [4, 5]
        assert time.monotonic() - began < 1


async def test_follower_gets_only_what_is_behind_its_sequence(store: Store, added: Added, feed: LiveFeed) -> None:
    execution, other = await added(), await added()
    await _append(store, execution, 3)
    async with feed.following(execution.id, 2) as follower, feed.following(execution.id, 99) as ahead:
        assert await _take(follower, 1) == [3]
        await _append(store, other, 1)
        assert await follower.next(0.3) == []
        assert await ahead.next(0) == []


async def test_follower_that_begins_later_and_further_back_lacks_nothing(
    store: Store, added: Added, feed: LiveFeed
) -> None:
    execution = await added()
    await _append(store, execution, 4)
    async with feed.following(execution.id, 4) as first:
        assert await first.next(0.3) == []
        async with feed.following(execution.id, 1) as second:
            assert await _take(second, 3) == [2, 3, 4]


async def test_follower_that_fell_behind_reads_again_and_keeps_nothing(
    store: Store, added: Added, feed: LiveFeed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live_reader, "KEPT", 10)
    monkeypatch.setattr(live_reader, "PAGE", 7)
    execution = await added()
    async with feed.following(execution.id) as slow, feed.following(execution.id) as quick:
        for _ in range(5):
            await _append(store, execution, 20)
            assert len(await _take(quick, 20)) == 20
        assert len(feed._readings[execution.id].reader.kept) == 10
        assert await _take(slow, 100) == list(range(1, 101))


async def test_two_hundred_followers_cost_one_read_a_wake_up(
    store: Store, added: Added, feed: LiveFeed, work: CountedWork
) -> None:
    execution = await added()
    async with AsyncExitStack() as stack:
        followers = [await stack.enter_async_context(feed.following(execution.id)) for _ in range(200)]
        waiting = asyncio.gather(*(_take(each, 5) for each in followers))
        for _ in range(5):
            before = followers[0].after
            await _append(store, execution, 1)
            await _until(lambda seen=before: followers[0].after > seen)  # type: ignore[misc]
        assert await waiting == [[1, 2, 3, 4, 5]] * 200
        assert feed.followers == 200
    assert work.made <= 12  # the first look, that of the new connection, and one for each of the five; not 200


async def test_follower_is_over_once_nothing_is_in_flight(store: Store, added: Added, feed: LiveFeed) -> None:
    execution = await added()
    await _append(store, execution, 2)
    await _end(store, execution, settled=False)
    async with feed.following(execution.id) as follower:
        assert await _take(follower, 2) == [1, 2]
        assert (await follower.next(0.2), follower.over) == ([], False)
        await _end(store, execution, settled=True)
        assert (await follower.next(SECONDS), follower.over) == ([], True)
    assert [each.sequence async for each in feed.follow(execution.id, 1)] == [2]


async def test_follower_of_nothing_hears_that_there_is_none(added: Added, feed: LiveFeed) -> None:
    with pytest.raises(NotFound, match="there is no execution none"):
        async for _ in feed.follow("none"):
            pass


async def test_follower_waits_without_haste_while_the_database_is_away(
    store: Store, added: Added, feed: LiveFeed, work: CountedWork, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live_reader, "AWAY_SECONDS", 0.6)
    execution = await added()
    async with feed.following(execution.id) as follower:
        await _append(store, execution, 1)
        assert await _take(follower, 1) == [1]
        work.away, before = True, work.made
        await _append(store, execution, 1)
        assert await follower.next(1.0) == []
        assert 1 <= work.made - before <= 3
        work.away = False
        assert await _take(follower, 1) == [2]


async def test_event_arrives_though_its_signal_is_lost(
    store: Store, added: Added, feed: LiveFeed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live_reader, "POLL_SECONDS", 0.6)
    execution = await added()
    async with feed.following(execution.id) as follower:
        await _append(store, execution, 1)
        assert await _take(follower, 1) == [1]
        async with store() as work:
            connection = work.events._connection  # type: ignore[attr-defined]
            await connection.exec_driver_sql("SET LOCAL session_replication_role = replica")  # no trigger, no NOTIFY
            await work.events.append(execution, [Event(EventType.PROGRESS, {})])
            await work.commit()
        assert await _take(follower, 1) == [2]


async def test_closed_feed_lets_everybody_go(added: Added, feed: LiveFeed) -> None:
    execution = await added()

    async def follow() -> None:
        async for _ in feed.follow(execution.id):
            raise AssertionError

    async def watch() -> None:
        async for _ in feed.changes():
            pass

    tasks = [asyncio.create_task(follow()), asyncio.create_task(watch())]
    assert not (await asyncio.wait(tasks, timeout=0.5))[0]
    feed.close()
    async with asyncio.timeout(1):
        await asyncio.gather(*tasks)


async def test_last_to_leave_ends_the_reader_and_the_connection(
    store: Store, added: Added, feed: LiveFeed, listening: Callable[[], int]
) -> None:
    execution = await added()
    await _append(store, execution, 1)
    async with feed.following(execution.id) as one, feed.watching() as watcher:
        assert await _take(one, 1) == [1]
        async with feed.following(execution.id, 1) as two:
            await two.next(0.1)
        assert ANYTHING in await watcher.next(SECONDS)
        assert (feed.followers, listening()) == (1, 1)
    await _until(lambda: not listening())
    assert (feed.followers, feed._readings) == (0, {})


async def test_too_many_followers_are_refused(added: Added, feed: LiveFeed, monkeypatch: pytest.MonkeyPatch) -> None:
    execution = await added()
    monkeypatch.setattr(live_feed, "MOST_STREAMS", 2)
    async with feed.following(execution.id), feed.watching():
        with pytest.raises(Unavailable, match="2 live streams"):
            feed.require_room()
    feed.require_room()


async def test_changes_name_who_changed_a_few_times_a_second(store: Store, added: Added, feed: LiveFeed) -> None:
    one, two, silent = await added(), await added(), await added()
    found: list[frozenset[str]] = []

    async def watch() -> None:
        async for each in feed.changes():
            found.append(each)

    task = asyncio.create_task(watch())
    await _until(lambda: bool(found))
    assert found == [frozenset({ANYTHING})]
    began = time.monotonic()
    for _ in range(40):
        await _append(store, one, 1)
        await _append(store, two, 1)
    took = time.monotonic() - began
    await asyncio.sleep(0.5)
    task.cancel()
    assert {name for each in found[1:] for name in each} == {one.id, two.id}
    assert silent.id not in {name for each in found for name in each}
    assert len(found) - 1 <= took * 4 + 3


async def test_changes_say_that_anything_may_have_changed_after_silence(
    added: Added, feed: LiveFeed, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with feed.watching() as watcher:
        assert await watcher.next(SECONDS) == {ANYTHING}
        assert await watcher.next(0.3) == frozenset()
        monkeypatch.setattr(live_feed, "CHANGES_SLOWEST_SECONDS", 0.5)
        assert await watcher.next(0.3) == {ANYTHING}


async def test_names_beyond_the_most_become_anything() -> None:
    names = PostgresNames()
    for number in range(PostgresNames.MOST):
        names.tell(str(number))
    assert len(await names.wait(0)) == PostgresNames.MOST
    for number in range(PostgresNames.MOST + 1):
        names.tell(str(number))
    assert await names.wait(0) == {ANYTHING}


@pytest.fixture
def listening(postgres_url: str) -> Iterator[Callable[[], int]]:
    """How many connections listen."""
    query = (
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() "
        "AND application_name = 'upgrades-signals'"
    )
    with psycopg.connect(postgres_url.replace("+psycopg", ""), autocommit=True) as connection:
        yield lambda: int(str((connection.execute(query).fetchone() or [0])[0]))
