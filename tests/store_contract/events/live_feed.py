"""The live feed: each reader gets every event once and in order; the store is read once for all of them."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from tests.labs.any_event import any_event
from tests.store_contract.events.watched import WatchedSignals, WatchedWork
from tests.store_contract.stores import Added, Store
from tests.store_contract.waiting import QUIET_SECONDS
from upgrade_orchestrator.domain.errors import NotFound, Unavailable
from upgrade_orchestrator.domain.execution.events import EventType
from upgrade_orchestrator.domain.execution.execution import Execution
from upgrade_orchestrator.domain.execution.states import ExecutionStatus
from upgrade_orchestrator.service.events import feed as live_feed
from upgrade_orchestrator.service.events import reader as live_reader
from upgrade_orchestrator.service.events.feed import LiveFeed, StreamReader
from upgrade_orchestrator.service.ports.signals import ANYTHING, Signals

SECONDS = 60


async def append(store: Store, execution: Execution, count: int) -> None:
    async with store() as work:
        await work.events.append(execution, [any_event(EventType.PROGRESS, {"total": 1})] * count)
        await work.commit()


async def end(store: Store, execution: Execution, *, settled: bool) -> None:
    async with store() as work:
        stored = await work.executions.lock(execution.id)
        ended = replace(stored, status=ExecutionStatus.CANCELLED, settled_at=datetime.now(UTC) if settled else None)
        await work.executions.save(ended)
        await work.commit()


async def take(reader: StreamReader, count: int) -> list[int]:
    found: list[int] = []
    async with asyncio.timeout(SECONDS):
        while len(found) < count:
            found += [each.sequence for each in await reader.next(SECONDS)]
    return found


async def until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + SECONDS
    while not holds():
        assert time.monotonic() < deadline
        await asyncio.sleep(0.01)


class LiveFeedContract:
    @pytest.fixture
    def work(self, store: Store) -> WatchedWork:
        return WatchedWork(store)

    @pytest.fixture
    def watched(self, signals: Signals) -> WatchedSignals:
        return WatchedSignals(signals)

    @pytest.fixture
    async def feed(self, work: WatchedWork, watched: WatchedSignals) -> AsyncIterator[LiveFeed]:
        """A live feed; afterwards, no waiter for signals may be left."""
        made = LiveFeed(work, watched)
        yield made
        await until(lambda: not watched.waiters)
        assert not made.readers

    async def test_reader_gets_past_and_new_events_in_order(
        self, store: Store, added: Added, feed: LiveFeed, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(live_reader, "POLL_SECONDS", 3600.0)  # new events are found by signals, not by polling
        execution = await added()
        await append(store, execution, 3)
        async with feed.following(execution.id) as reader:
            assert await take(reader, 3) == [1, 2, 3]
            await append(store, execution, 2)
            assert await take(reader, 2) == [4, 5]

    async def test_reader_gets_only_events_after_its_sequence(self, store: Store, added: Added, feed: LiveFeed) -> None:
        execution, other = await added(), await added()
        await append(store, execution, 3)
        async with feed.following(execution.id, 2) as reader, feed.following(execution.id, 99) as ahead:
            assert await take(reader, 1) == [3]
            await append(store, other, 1)
            assert await reader.next(QUIET_SECONDS) == []
            assert await ahead.next(0) == []

    async def test_reader_that_joins_later_at_an_earlier_sequence_gets_every_event(
        self, store: Store, added: Added, feed: LiveFeed
    ) -> None:
        execution = await added()
        await append(store, execution, 4)
        async with feed.following(execution.id, 4) as first:
            assert await first.next(QUIET_SECONDS) == []
            async with feed.following(execution.id, 1) as second:
                assert await take(second, 3) == [2, 3, 4]

    async def test_reader_that_fell_behind_reads_from_the_database_and_keeps_no_events_in_memory(
        self, store: Store, added: Added, feed: LiveFeed, work: WatchedWork, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(live_reader, "MAX_BUFFERED", 10)
        monkeypatch.setattr(live_reader, "PAGE", 7)
        execution = await added()
        async with feed.following(execution.id) as slow, feed.following(execution.id) as quick:
            for _ in range(5):
                await append(store, execution, 20)
                assert len(await take(quick, 20)) == 20
            before = work.made
            assert await take(slow, 100) == list(range(1, 101))
        assert (
            work.made - before >= 13
        )  # only the last ten were buffered: the ninety before are read again, 7 at a time

    async def test_two_hundred_readers_share_one_database_read_per_signal(
        self, store: Store, added: Added, feed: LiveFeed, work: WatchedWork
    ) -> None:
        execution = await added()
        async with AsyncExitStack() as stack:
            readers = [await stack.enter_async_context(feed.following(execution.id)) for _ in range(200)]
            waiting = asyncio.gather(*(take(each, 5) for each in readers))
            for _ in range(5):
                before = readers[0].after
                await append(store, execution, 1)
                await until(lambda seen=before: readers[0].after > seen)  # type: ignore[misc]
            assert await waiting == [[1, 2, 3, 4, 5]] * 200
            assert feed.readers == 200
        assert work.made <= 12  # the first look, that of the new connection, and one for each of the five; not 200

    async def test_reader_ends_once_nothing_is_in_flight(
        self, store: Store, added: Added, feed: LiveFeed, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(live_reader, "SETTLING_SECONDS", QUIET_SECONDS)
        execution = await added()
        await append(store, execution, 2)
        await end(store, execution, settled=False)
        async with feed.following(execution.id) as reader:
            assert await take(reader, 2) == [1, 2]
            assert (await reader.next(QUIET_SECONDS), reader.over) == ([], False)
            await end(store, execution, settled=True)
            assert (await reader.next(SECONDS), reader.over) == ([], True)
        assert [each.sequence async for each in feed.follow(execution.id, 1)] == [2]

    async def test_reader_of_an_unknown_execution_gets_an_error(self, store: Store, feed: LiveFeed) -> None:
        with pytest.raises(NotFound, match="there is no execution none"):
            async for _ in feed.follow("none"):
                pass

    async def test_reader_polls_slowly_while_the_database_is_unreachable(
        self, store: Store, added: Added, feed: LiveFeed, work: WatchedWork, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(live_reader, "RETRY_SECONDS", 0.3)
        execution = await added()
        async with feed.following(execution.id) as reader:
            await append(store, execution, 1)
            assert await take(reader, 1) == [1]
            work.away, before, began = True, work.made, time.monotonic()
            await append(store, execution, 1)
            assert await reader.next(0.5) == []
            await until(lambda: work.made > before)
            assert work.made - before <= 2 + (time.monotonic() - began) / 0.3
            work.away = False
            assert await take(reader, 1) == [2]

    async def test_event_arrives_even_if_its_signal_is_lost(
        self, store: Store, added: Added, feed: LiveFeed, watched: WatchedSignals, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(live_reader, "POLL_SECONDS", 0.3)
        execution = await added()
        async with feed.following(execution.id) as reader:
            await append(store, execution, 1)
            assert await take(reader, 1) == [1]
            watched.lost = True
            await append(store, execution, 1)
            assert await take(reader, 1) == [2]

    async def test_closed_feed_ends_all_readers(self, added: Added, feed: LiveFeed) -> None:
        execution = await added()

        async def follow() -> None:
            async for _ in feed.follow(execution.id):
                raise AssertionError

        async def watch() -> None:
            async for _ in feed.changes():
                pass

        tasks = [asyncio.create_task(follow()), asyncio.create_task(watch())]
        assert not (await asyncio.wait(tasks, timeout=QUIET_SECONDS))[0]
        feed.close()
        async with asyncio.timeout(SECONDS):
            await asyncio.gather(*tasks)

    async def test_readers_beyond_the_maximum_are_refused(
        self, added: Added, feed: LiveFeed, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        execution = await added()
        monkeypatch.setattr(live_feed, "MAX_STREAMS", 2)
        async with feed.following(execution.id), feed.watching():
            with pytest.raises(Unavailable, match="2 live streams"):
                feed.require_room()
        feed.require_room()

    async def test_changes_name_the_changed_executions_a_few_times_a_second(
        self, store: Store, added: Added, feed: LiveFeed
    ) -> None:
        one, two, _ = await added(), await added(), await added()
        found: list[frozenset[str]] = []

        async def watch() -> None:
            async for each in feed.changes():
                found.append(each)

        task = asyncio.create_task(watch())
        await until(lambda: bool(found))
        assert found == [frozenset({ANYTHING})]
        began = time.monotonic()
        for _ in range(40):
            await append(store, one, 1)
            await append(store, two, 1)
        await until(lambda: {one.id, two.id} <= frozenset().union(*found[1:]))
        took = time.monotonic() - began
        task.cancel()
        assert {name for each in found[1:] for name in each} == {one.id, two.id}
        assert len(found) - 1 <= took * 4 + 3

    async def test_changes_name_any_execution_after_a_time_without_signals(
        self, store: Store, feed: LiveFeed, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(live_feed, "CHANGES_GAP_SECONDS", 0.05)
        async with feed.watching() as watcher:
            assert await watcher.next(SECONDS) == {ANYTHING}
            assert await watcher.next(QUIET_SECONDS) == frozenset()
            monkeypatch.setattr(live_feed, "CHANGES_SLOWEST_SECONDS", QUIET_SECONDS * 1.5)
            assert await watcher.next(QUIET_SECONDS) == {ANYTHING}
