"""Signals: waiters for an execution are woken when its events are committed."""

import asyncio

import pytest

from tests.store_contract.stores import Added, Listens, Store, append, event
from tests.store_contract.waiting import QUIET_SECONDS, waits
from upgrade_orchestrator.domain.execution.commands import Actor
from upgrade_orchestrator.service.ports.outbox import Outbox
from upgrade_orchestrator.service.ports.signals import ANYTHING, Signals

LONG = 60.0


class SignalsContract:
    async def test_waiter_is_woken_while_it_waits_and_only_for_its_own_execution(
        self, store: Store, added: Added, signals: Signals, listens: Listens
    ) -> None:
        execution, other = await added(), await added()
        async with signals.of(execution.id) as waiter:
            await listens(waiter)
            waiting = asyncio.create_task(waiter.wait(LONG))
            await append(store, other, "not for us")
            assert await waits(waiting)
            await append(store, execution, "for us")
            assert await waiting is True
            assert await waiter.wait(QUIET_SECONDS) is False

    async def test_waiter_is_woken_for_events_committed_between_its_waits(
        self, store: Store, added: Added, signals: Signals, listens: Listens
    ) -> None:
        execution = await added()
        async with signals.of(execution.id) as waiter:
            await listens(waiter)
            await append(store, execution, "one", "and another")
            assert await waiter.wait(LONG) is True
            assert await waiter.wait(QUIET_SECONDS) is False

    async def test_waiter_is_not_woken_for_events_that_are_rolled_back(
        self, store: Store, added: Added, signals: Signals, listens: Listens
    ) -> None:
        execution = await added()
        async with signals.of(execution.id) as waiter:
            await listens(waiter)
            async with store() as work:
                await work.events.append(execution, [event()])
            assert await waiter.wait(QUIET_SECONDS) is False

    async def test_waiter_is_not_woken_for_a_change_without_an_event(
        self, store: Store, added: Added, signals: Signals, listens: Listens
    ) -> None:
        execution = await added()
        async with signals.of(execution.id) as waiter:
            await listens(waiter)
            async with store() as work:
                await work.executions.save(execution)
                await work.commit()
            assert await waiter.wait(QUIET_SECONDS) is False

    async def test_waiter_for_any_execution_is_woken_for_every_execution(
        self, store: Store, added: Added, signals: Signals, listens: Listens
    ) -> None:
        executions = [await added(), await added()]
        async with signals.of(ANYTHING) as waiter:
            await listens(waiter)
            for each in executions:
                assert not await waiter.wait(QUIET_SECONDS)
                await append(store, each, "something")
                assert await waiter.wait(LONG)

    async def test_every_waiter_of_an_execution_is_woken(
        self, store: Store, added: Added, signals: Signals, listens: Listens
    ) -> None:
        execution = await added()
        async with signals.of(execution.id) as one, signals.of(execution.id) as two:
            await listens(one)
            await listens(two)
            await append(store, execution, "for both")
            assert [await one.wait(LONG), await two.wait(LONG)] == [True, True]

    async def test_released_event_wakes_the_waiting_relay(
        self, store: Store, added: Added, signals: Signals, listens: Listens, outbox: Outbox
    ) -> None:
        await append(store, await added(), "parked")
        (parked,) = await outbox.pending(1)
        await outbox.park(parked, "why")
        async with signals.of(ANYTHING) as waiter:
            await listens(waiter)
            await outbox.release(parked.id, Actor("olga"))
            assert await waiter.wait(LONG)

    async def test_names_are_any_execution_first_and_then_the_changed_ones(
        self, store: Store, added: Added, signals: Signals
    ) -> None:
        one, two, _ = await added(), await added(), await added()
        async with signals.names() as names:
            assert ANYTHING in await names.wait(LONG)
            for each in (one, one, two):  # signalled in this order: after the last none is on its way
                await append(store, each, "something")
            found = set[str]()
            async with asyncio.timeout(LONG):
                while found < {one.id, two.id}:
                    found |= await names.wait(LONG)
            assert found == {one.id, two.id}
            assert await names.wait(0) == frozenset()

    async def test_wake_ends_a_wait_for_names(self, store: Store, signals: Signals) -> None:
        async with signals.names() as names:
            await names.wait(LONG)
            waiting = asyncio.create_task(names.wait(LONG))
            assert await waits(waiting)
            names.wake()
            assert await asyncio.wait_for(waiting, LONG / 2) == frozenset()  # sooner than by its own time

    @pytest.mark.parametrize("turns", range(4))
    async def test_wait_that_is_cancelled_as_it_is_woken_ends_cancelled_unless_it_had_ended(
        self, signals: Signals, turns: int
    ) -> None:
        async with signals.names() as names:
            await names.wait(LONG)
            waiting = asyncio.create_task(names.wait(LONG))
            await asyncio.sleep(0)
            names.wake()
            for _ in range(turns):
                await asyncio.sleep(0)
            had_ended = waiting.done()
            waiting.cancel()
            await asyncio.wait([waiting])
            assert waiting.cancelled() is not had_ended
