"""The outbox: waiting events in an order in which none overtakes another of its execution."""

import pytest

from tests.labs.any_event import any_event
from tests.store_contract.stores import Added, Audit, PassTime, Store
from upgrade_orchestrator.domain.errors import NotFound
from upgrade_orchestrator.domain.execution.commands import Actor
from upgrade_orchestrator.domain.execution.execution import Execution
from upgrade_orchestrator.service.ports.outbox import Outbox, RelayState, StoredRelayState


async def _tell(store: Store, execution: Execution, count: int = 1) -> None:
    async with store() as work:
        await work.events.append(execution, [any_event()] * count)
        await work.commit()


async def _waiting(outbox: Outbox, limit: int = 100) -> list[tuple[str, int]]:
    return [(each.execution_id, each.sequence) for each in await outbox.pending(limit)]


class OutboxContract:
    async def test_pending_events_are_in_order_and_limited_without_a_gap(
        self, outbox: Outbox, store: Store, added: Added
    ) -> None:
        one, two = await added(), await added()
        for each in (two, one, two, one):
            await _tell(store, each, 2)
        everything = [(each.id, number) for each in (one, two) for number in range(1, 5)]
        assert await _waiting(outbox) == everything
        assert await _waiting(outbox, 3) == everything[:3]

    async def test_pending_events_keep_their_order_when_the_clock_is_set_back(
        self, outbox: Outbox, store: Store, added: Added, pass_time: PassTime
    ) -> None:
        execution = await added()
        for _ in range(3):
            await _tell(store, execution)
            pass_time(-3600)
        assert await _waiting(outbox, 2) == [(execution.id, 1), (execution.id, 2)]

    async def test_published_and_parked_events_are_no_longer_pending(
        self, outbox: Outbox, store: Store, added: Added
    ) -> None:
        execution = await added()
        await _tell(store, execution, 4)
        events = await outbox.pending(10)
        await outbox.mark_published(events[:2])
        await outbox.park(events[2], "why")
        assert await _waiting(outbox) == [(execution.id, 4)]
        lag = await outbox.lag()
        assert (lag.rows, lag.parked) == (1, 1)

    async def test_published_event_cannot_be_parked_afterwards(
        self, outbox: Outbox, store: Store, added: Added
    ) -> None:
        await _tell(store, await added())
        (event,) = await outbox.pending(1)
        await outbox.mark_published([event])
        await outbox.park(event, "too late")
        assert (await outbox.lag()).parked == 0

    async def test_parked_event_is_no_longer_parked_once_published(
        self, outbox: Outbox, store: Store, added: Added
    ) -> None:
        await _tell(store, await added())
        (event,) = await outbox.pending(1)
        await outbox.park(event, "why")
        await outbox.mark_published([event])
        lag = await outbox.lag()
        assert (lag.rows, lag.parked) == (0, 0)

    async def test_lag_is_the_age_of_the_oldest_pending_event(
        self, outbox: Outbox, store: Store, added: Added, pass_time: PassTime
    ) -> None:
        assert (await outbox.lag()).seconds == 0
        await _tell(store, await added())
        pass_time(100)
        await _tell(store, await added())
        lag = await outbox.lag()
        assert (lag.rows, 100 <= lag.seconds < 130) == (2, True)

    async def test_parked_events_are_listed_in_pages_the_oldest_first(
        self, outbox: Outbox, store: Store, added: Added, pass_time: PassTime
    ) -> None:
        execution = await added()
        await _tell(store, execution, 3)
        events = await outbox.pending(10)
        for each in (events[2], events[0], events[1]):
            await outbox.park(each, f"why {each.sequence}")
            pass_time(1)
        first = await outbox.parked(None, 2)
        rest = await outbox.parked((first[-1].parked_at, first[-1].id), 2)
        assert [(each.sequence, each.reason) for each in (*first, *rest)] == [(3, "why 3"), (1, "why 1"), (2, "why 2")]
        assert (first[0].id, first[0].execution_id, first[0].tenant_id, first[0].what) == (
            events[2].id,
            execution.id,
            execution.tenant_id,
            "progress",
        )

    async def test_released_event_is_pending_again_and_its_release_is_audited_with_the_actor(
        self, outbox: Outbox, store: Store, added: Added, audit: Audit
    ) -> None:
        execution = await added()
        await _tell(store, execution)
        (event,) = await outbox.pending(1)
        await outbox.park(event, "why")
        released = await outbox.release(event.id, Actor("olga"))
        assert (released.id, released.reason) == (event.id, "why")
        assert await _waiting(outbox) == [(execution.id, 1)]
        assert audit() == [(execution.id, "release-event", "olga", "API", None)]
        with pytest.raises(NotFound, match=f"no event {event.id} is parked"):
            await outbox.release(event.id, Actor("olga"))

    async def test_relay_state_is_the_last_saved_one_with_its_age(self, outbox: Outbox, pass_time: PassTime) -> None:
        assert await outbox.state() is None
        await outbox.save_state(RelayState.WAITING, "no broker")
        await outbox.save_state(RelayState.RUNNING, "")
        pass_time(100)
        noted = await outbox.state()
        assert noted is not None
        assert noted == StoredRelayState(RelayState.RUNNING, "", noted.age_seconds)
        assert 100 <= noted.age_seconds < 130
