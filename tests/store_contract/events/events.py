"""The event log: numbered without gaps under concurrency, written in the transaction of the change."""

import asyncio
from enum import StrEnum

import pytest

from tests.labs.any_event import any_event
from tests.store_contract.stores import Added, Store, append, event
from tests.unit.domain.builders import NOW, make_instance
from upgrade_orchestrator.domain.errors import NotFound
from upgrade_orchestrator.domain.events.factory import instance_changed
from upgrade_orchestrator.domain.events.listing_payloads import CanaryPolled
from upgrade_orchestrator.domain.execution.commands import Source
from upgrade_orchestrator.domain.execution.events import Event, EventType, StatusChanged
from upgrade_orchestrator.domain.execution.states import ExecutionStatus
from upgrade_orchestrator.service.ports.stores.events import Tail

WRITERS, EACH = 8, 5


class Colour(StrEnum):
    RED = "red"


def canary_polled(unhealthy: dict[str, str]) -> Event:
    return CanaryPolled(healthy=False, unhealthy=unhealthy, not_asked=[], polls=1, current_failures=1)


def status_changed() -> Event:
    statuses = {"from_": ExecutionStatus.PENDING, "to": ExecutionStatus.VALIDATING}
    return StatusChanged(**statuses, reason="started", actor="olga", source=Source.API)


class EventsContract:
    async def test_sequence_has_no_gap_under_eight_writers(self, store: Store, added: Added) -> None:
        execution, other = await added(), await added()

        async def write(writer: int) -> None:
            for number in range(EACH):
                await append(store, execution, f"{writer}.{number}", f"{writer}.{number}+")
                await append(store, other, "x")

        await asyncio.gather(*(write(each) for each in range(WRITERS)))
        async with store() as work:
            found = await work.events.page(execution.id, 0, 1000)
            others = await work.events.page(other.id, 0, 1000)
        assert [each.sequence for each in found] == list(range(1, WRITERS * EACH * 2 + 1))
        assert [each.sequence for each in others] == list(range(1, WRITERS * EACH + 1))
        assert len({each.id for each in (*found, *others)}) == WRITERS * EACH * 3
        assert [each.time for each in found] == sorted(each.time for each in found)
        for one, two in zip(found[::2], found[1::2], strict=True):  # what is appended together stays together
            assert two.data["text"] == f"{one.data['text']}+"

    async def test_event_is_not_stored_when_its_change_is_not_committed(self, store: Store, added: Added) -> None:
        execution = await added()
        await append(store, execution, "kept")
        async with store() as work:
            await work.events.append(execution, [event("lost"), event("lost")])
        await append(store, execution, "kept too")
        async with store() as work:
            found = await work.events.page(execution.id, 0, 10)
        assert [(each.sequence, each.data["text"]) for each in found] == [(1, "kept"), (2, "kept too")]

    async def test_events_about_an_instance_are_its_changes_the_polls_that_name_it_and_the_changes_of_the_status(
        self, store: Store, added: Added
    ) -> None:
        execution, other = await added(), await added()
        name = "i/1 ø?"
        own, its_twin = (instance_changed(row, row) for row in (make_instance(name), make_instance("i")))
        ill, well = (canary_polled({each: "no answer"}) for each in (name, "i"))
        moved = status_changed()
        async with store() as work:
            await work.events.append(execution, [its_twin, own, event(name), well, ill, moved, own])
            await work.events.append(other, [own])
            await work.commit()
        async with store() as work:
            found = await work.events.about(execution.id, name, 0, 10)
            assert await work.events.about(execution.id, name, 2, 2) == found[1:3]
            assert [each.sequence for each in await work.events.about(execution.id, "none", 0, 10)] == [6]
        assert [each.sequence for each in found] == [2, 5, 6, 7]

    async def test_page_of_events_continues_after_a_sequence(self, store: Store, added: Added) -> None:
        execution = await added()
        await append(store, execution, *"abcde")
        async with store() as work:
            found = await work.events.page(execution.id, 2, 2)
            assert await work.events.page(execution.id, 5, 2) == []
            assert await work.events.page("unknown", 0, 2) == []
        assert [each.data["text"] for each in found] == ["c", "d"]
        assert (found[0].execution_id, found[0].tenant_id) == (execution.id, execution.tenant_id)

    async def test_nothing_is_appended_when_there_are_no_events(self, store: Store, added: Added) -> None:
        execution = await added()
        await append(store, execution)
        async with store() as work:
            assert await work.events.page(execution.id, 0, 10) == []

    async def test_latest_returns_the_newest_event_of_each_type(self, store: Store, added: Added) -> None:
        execution = await added()
        kinds = [EventType.CREATED, EventType.PROGRESS, EventType.BATCH_STARTED, EventType.PROGRESS, EventType.PROGRESS]
        async with store() as work:
            await work.events.append(execution, [any_event(each) for each in kinds])
            found = await work.events.latest(execution.id, [EventType.CREATED, EventType.PROGRESS], 3)
        assert [each.sequence for each in found] == [5, 4, 2]

    async def test_tail_returns_last_sequence_and_status_of_the_execution(self, store: Store, added: Added) -> None:
        execution = await added(status=ExecutionStatus.CANCELLED, settled_at=NOW)
        await append(store, execution, "a", "b")
        async with store() as work:
            assert await work.events.tail(execution.id) == Tail(2, ExecutionStatus.CANCELLED, True)
            with pytest.raises(NotFound, match="there is no execution unknown"):
                await work.events.tail("unknown")

    async def test_event_data_is_read_back_as_json_represents_it(self, store: Store, added: Added) -> None:
        execution = await added()
        data = {"list": ("a", Colour.RED), "enum": Colour.RED, "deep": {"n": None, "f": 1.5, "b": True}, "ü": "ß"}
        async with store() as work:
            await work.events.append(execution, [any_event(EventType.PROGRESS, data)])
            await work.commit()
            ((found,)) = await work.events.page(execution.id, 0, 1)
        assert found.data == {
            "list": ["a", "red"],
            "enum": "red",
            "deep": {"n": None, "f": 1.5, "b": True},
            "ü": "ß",
        }
        assert type(found.data["enum"]) is str
