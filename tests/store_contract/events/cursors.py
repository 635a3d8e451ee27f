"""Each follower gets every event once, also if two run at the same time or one takes over from a dead one."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import pytest

from tests.labs.any_event import any_event
from tests.store_contract.stores import Added, PassTime, Store
from upgrade_orchestrator.domain.approval.approval import ask
from upgrade_orchestrator.domain.execution.attention import Attention
from upgrade_orchestrator.domain.execution.commands import SYSTEM, Decision
from upgrade_orchestrator.domain.execution.events import EventType
from upgrade_orchestrator.domain.execution.execution import Execution, advance
from upgrade_orchestrator.domain.execution.states import ExecutionStatus
from upgrade_orchestrator.service.ports.event_cursors import EventCursors, Span, Waiting

S, ALL = ExecutionStatus, [each.value for each in EventType]


async def _append(store: Store, execution: Execution, count: int) -> None:
    async with store() as work:
        await work.executions.lock(execution.id)
        await work.events.append(execution, [any_event(EventType.PROGRESS, {"n": each}) for each in range(count)])
        await work.commit()


async def _take(event_cursors: EventCursors, name: str = "one", limit: int = 10) -> list[tuple[str, int]]:
    """All new events, read as the control loops do it."""
    ours = await event_cursors.mark(name, await event_cursors.spans(name, limit))
    return [(each.execution_id, each.sequence) for each in await event_cursors.events(ours, ALL)]


class EventCursorsContract:
    async def test_cursor_gets_every_event_once_and_in_order(
        self, store: Store, added: Added, event_cursors: EventCursors
    ) -> None:
        first, second = await added(), await added()
        await _append(store, first, 3)
        assert await _take(event_cursors) == [(first.id, each) for each in (1, 2, 3)]
        await _append(store, first, 2)
        await _append(store, second, 1)
        assert await _take(event_cursors) == [(first.id, 4), (first.id, 5), (second.id, 1)]
        assert await _take(event_cursors) == []

    async def test_cursors_of_different_readers_are_independent(
        self, store: Store, added: Added, event_cursors: EventCursors
    ) -> None:
        execution = await added()
        await _append(store, execution, 1)
        assert await _take(event_cursors, "one") == await _take(event_cursors, "two") == [(execution.id, 1)]

    async def test_only_one_of_two_readers_of_the_same_events_may_mark_them(
        self, store: Store, added: Added, event_cursors: EventCursors
    ) -> None:
        execution = await added()
        for before in (0, 5):
            await _append(store, execution, 5)
            spans = await event_cursors.spans("one", 10)
            assert spans == [Span(execution.id, before, before + 5)]
            won: Sequence[list[Span]] = await asyncio.gather(*(event_cursors.mark("one", spans) for _ in range(5)))
            assert sorted(won) == [[], [], [], [], spans]

    async def test_mark_based_on_an_outdated_read_is_ignored(
        self, store: Store, added: Added, event_cursors: EventCursors
    ) -> None:
        execution = await added()
        await _append(store, execution, 1)
        early = await event_cursors.spans("one", 10)
        await _append(store, execution, 1)
        late = await event_cursors.spans("one", 10)
        assert await event_cursors.mark("one", early) == early
        assert await event_cursors.mark("one", late) == []
        assert await _take(event_cursors) == [(execution.id, 2)]

    async def test_mark_that_begins_after_the_position_is_ignored(
        self, store: Store, added: Added, event_cursors: EventCursors
    ) -> None:
        execution = await added()
        await _append(store, execution, 3)
        assert await event_cursors.mark("one", [Span(execution.id, 1, 2)]) == []
        assert await _take(event_cursors) == [(execution.id, 1), (execution.id, 2), (execution.id, 3)]

    async def test_spans_are_read_in_pages(self, store: Store, added: Added, event_cursors: EventCursors) -> None:
        made = [await added() for _ in range(3)]
        for each in made:
            await _append(store, each, 1)
        taken = [
            await _take(event_cursors, limit=2),
            await _take(event_cursors, limit=2),
            await _take(event_cursors, limit=2),
        ]
        assert [len(each) for each in taken] == [2, 1, 0]

    @pytest.mark.parametrize(("minutes", "followed"), [(59, True), (61, False)])
    async def test_execution_that_ended_long_ago_is_not_read(
        self, store: Store, added: Added, event_cursors: EventCursors, minutes: int, followed: bool
    ) -> None:
        async with store() as work:
            ended = await work.now() - timedelta(minutes=minutes)
        execution = await added(status=S.COMPLETED, started_at=ended, completed_at=ended, settled_at=ended)
        await _append(store, execution, 1)
        assert bool(await _take(event_cursors)) is followed

    # fault 53
    @pytest.mark.parametrize(("days", "followed"), [(1, True), (8, False)])
    async def test_execution_that_ended_while_nobody_followed_is_read_afterwards(
        self, store: Store, added: Added, event_cursors: EventCursors, pass_time: PassTime, days: int, followed: bool
    ) -> None:
        assert await _take(event_cursors) == []  # everything has been read
        async with store() as work:
            ended = await work.now()
        execution = await added(status=S.FAILED, started_at=ended, completed_at=ended, settled_at=ended)
        await _append(store, execution, 1)
        pass_time(days * 86400)
        assert bool(await _take(event_cursors)) is followed
        assert await _take(event_cursors) == []

    # fault 53
    async def test_time_at_which_everything_was_read_counts_for_each_follower(
        self, store: Store, added: Added, event_cursors: EventCursors, pass_time: PassTime
    ) -> None:
        assert await _take(event_cursors, "one") == []
        async with store() as work:
            ended = await work.now()
        execution = await added(status=S.FAILED, started_at=ended, completed_at=ended, settled_at=ended)
        await _append(store, execution, 1)
        pass_time(86400)
        assert await _take(event_cursors, "two") == []  # a new one does not read what ended long ago
        assert await _take(event_cursors, "one") == [(execution.id, 1)]

    async def test_event_of_an_end_has_the_start_of_its_work(
        self, store: Store, added: Added, event_cursors: EventCursors
    ) -> None:
        execution = await added(status=S.VALIDATING)
        async with store() as work:
            locked = await work.executions.lock(execution.id)
            started = await work.now()
            moved, event = advance(replace(locked, started_at=started), S.FAILED, "why", SYSTEM, started)
            await work.events.append(moved, [event, any_event(EventType.BATCH_COMPLETED, {"batch": 1})])
            await work.executions.save(moved)
            (first, *_) = await work.executions.batches(execution.id)
            await work.executions.save_batch(execution.id, replace(first, started_at=started))
            await work.commit()
        spans = await event_cursors.mark("one", await event_cursors.spans("one", 10))
        events = await event_cursors.events(spans, ALL)
        assert [each.began_at for each in events] == [started, started]
        assert await event_cursors.events(spans, ["created"]) == []

    async def test_counts_include_only_executions_that_hold_their_active_slot(
        self, added: Added, event_cursors: EventCursors
    ) -> None:
        assert await event_cursors.counts() == {}
        execution = await added()
        await added(status=S.IN_PROGRESS, started_at=execution.created_at)
        await added(status=S.COMPLETED, completed_at=execution.created_at, settled_at=execution.created_at)
        assert await event_cursors.counts() == {("PENDING", "ROLLING"): 1, ("IN_PROGRESS", "ROLLING"): 1}

    async def test_attention_is_counted_by_its_code_while_the_execution_is_not_settled(
        self, store: Store, added: Added, event_cursors: EventCursors
    ) -> None:
        assert await event_cursors.attention() == {}
        one, other, third = [await added(status=S.IN_PROGRESS) for _ in range(3)]
        async with store() as work:
            now = await work.now()
            for each, code in ((one, "FLEET_BUSY"), (other, "FLEET_BUSY"), (third, "TASK_LOST")):
                await work.executions.note_attention(each.id, Attention(code, now, "x", 2))
            await work.commit()
        assert await event_cursors.attention() == {"FLEET_BUSY": 2, "TASK_LOST": 1}
        async with store() as work:
            await work.executions.note_attention(one.id, None)
            await work.commit()
        assert await event_cursors.attention() == {"FLEET_BUSY": 1, "TASK_LOST": 1}

    async def test_approvals_are_counted_as_waiting_until_they_are_decided(
        self, store: Store, added: Added, event_cursors: EventCursors, pass_time: PassTime
    ) -> None:
        assert await event_cursors.waiting() == Waiting(0, 0.0)
        execution = await added(status=S.IN_PROGRESS)
        await added(status=S.CANCELLED, completed_at=execution.created_at)
        async with store() as work:
            approval, _ = ask(await work.executions.get(execution.id), 2, await work.now())
            await work.approvals.save(approval)
            await work.commit()
        pass_time(100)
        found = await event_cursors.waiting()
        assert (found.approvals, 100 <= found.oldest_seconds < 130) == (1, True)
        async with store() as work:
            await work.approvals.save(replace(approval, decision=Decision.APPROVED))
            await work.commit()
        assert await event_cursors.waiting() == Waiting(0, 0.0)
