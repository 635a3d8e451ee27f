"""Responses to calls with an Idempotency-Key: stored together with the call's writes, or not at all."""

import asyncio
from dataclasses import replace

import pytest

from tests.store_contract.stores import Added, Listens, PassTime, Store, append, event
from tests.store_contract.waiting import QUIET_SECONDS, waits
from upgrade_orchestrator.domain.errors import AlreadyExists, IdempotencyConflict
from upgrade_orchestrator.domain.registry.entries import Component
from upgrade_orchestrator.service.ports.idempotency import (
    RETENTION_HOURS,
    IdempotencyStore,
    Key,
    KeyedCall,
    StoredResponse,
)
from upgrade_orchestrator.service.ports.signals import Signals

KEY = Key("olga", "k-1", "f" * 64)
ANSWER = StoredResponse(201, {"Location": "/x"}, '{"id": "x"}')
A_DAY = RETENTION_HOURS * 3600


async def carry_out(idempotency_store: IdempotencyStore, key: Key = KEY) -> StoredResponse | None:
    """Make a call that writes nothing; return the stored response."""
    async with idempotency_store.call(key) as call:
        if call.first is None:
            await call.keep(ANSWER)
        return call.first


async def add(call: KeyedCall, name: str, commit: bool = True) -> None:
    async with call.work() as work:
        await work.registry.add(Component(id=name, name="n"))
        if commit:
            await work.commit()


async def there_are(store: Store, *names: str) -> list[str]:
    async with store() as work:
        return [each for each in names if await work.registry.component(each)]


class IdempotencyStoreContract:
    async def test_repeated_call_gets_the_first_response(self, idempotency_store: IdempotencyStore) -> None:
        assert [await carry_out(idempotency_store) for _ in range(3)] == [None, ANSWER, ANSWER]

    async def test_keys_of_different_actors_are_independent(self, idempotency_store: IdempotencyStore) -> None:
        await carry_out(idempotency_store)
        assert await carry_out(idempotency_store, replace(KEY, actor="anna")) is None

    async def test_key_for_another_request_is_refused(self, idempotency_store: IdempotencyStore) -> None:
        await carry_out(idempotency_store)
        with pytest.raises(IdempotencyConflict):
            await carry_out(idempotency_store, replace(KEY, fingerprint="0" * 64))

    async def test_call_that_fails_stores_nothing_and_frees_the_key(
        self, idempotency_store: IdempotencyStore, store: Store
    ) -> None:
        async with idempotency_store.call(KEY) as call:
            await add(call, "written")
        assert await there_are(store, "written") == []
        assert await carry_out(idempotency_store) is None

    async def test_units_of_work_are_committed_with_the_stored_response(
        self, idempotency_store: IdempotencyStore, store: Store
    ) -> None:
        async with idempotency_store.call(KEY) as call:
            await add(call, "kept")
            await add(call, "left", commit=False)
            assert await there_are(store, "kept") == []
            await call.keep(ANSWER)
        assert await there_are(store, "kept", "left") == ["kept"]

    async def test_unit_of_work_sees_what_those_before_it_wrote(self, idempotency_store: IdempotencyStore) -> None:
        async with idempotency_store.call(KEY) as call:
            await add(call, "kept")
            async with call.work() as work:
                assert await work.registry.component("kept") is not None

    async def test_refused_unit_of_work_does_not_affect_the_others_of_its_call(
        self, idempotency_store: IdempotencyStore, store: Store
    ) -> None:
        async with idempotency_store.call(KEY) as call:
            await add(call, "kept")
            with pytest.raises(AlreadyExists):
                await add(call, "aaa-111")
            await call.keep(ANSWER)
        assert await there_are(store, "kept") == ["kept"]

    async def test_lock_of_an_abandoned_unit_of_work_is_released_before_the_call_ends(
        self, idempotency_store: IdempotencyStore, store: Store, added: Added
    ) -> None:
        execution = await added()
        async with idempotency_store.call(KEY) as call:
            async with call.work() as work:
                await work.executions.lock(execution.id)
            await asyncio.wait_for(append(store, execution, "meanwhile"), 5)

    async def test_second_call_waits_for_the_first_and_gets_its_response(
        self, idempotency_store: IdempotencyStore
    ) -> None:
        async with idempotency_store.call(KEY) as call:
            second = asyncio.create_task(carry_out(idempotency_store))
            assert await waits(second)
            await call.keep(ANSWER)
        assert await second == ANSWER

    async def test_second_call_is_carried_out_when_the_first_fails(self, idempotency_store: IdempotencyStore) -> None:
        async with idempotency_store.call(KEY):
            second = asyncio.create_task(carry_out(idempotency_store))
            assert await waits(second)
        assert await second is None

    async def test_listeners_are_notified_once_the_response_is_stored(
        self, idempotency_store: IdempotencyStore, added: Added, signals: Signals, listens: Listens
    ) -> None:
        execution = await added()
        async with signals.of(execution.id) as waiter:
            await listens(waiter)
            async with idempotency_store.call(KEY) as call:
                async with call.work() as work:
                    await work.events.append(execution, [event()])
                    await work.commit()
                assert not await waiter.wait(QUIET_SECONDS)
                await call.keep(ANSWER)
            assert await waiter.wait(60)

    async def test_response_is_kept_for_a_day(self, idempotency_store: IdempotencyStore, pass_time: PassTime) -> None:
        await carry_out(idempotency_store)
        pass_time(A_DAY - 60)
        await idempotency_store.forget_old()
        assert await carry_out(idempotency_store) == ANSWER
        pass_time(120)
        assert await carry_out(idempotency_store, replace(KEY, fingerprint="0" * 64)) is None

    async def test_old_responses_are_deleted(self, idempotency_store: IdempotencyStore, pass_time: PassTime) -> None:
        await carry_out(idempotency_store)
        pass_time(A_DAY + 60)
        await carry_out(idempotency_store, replace(KEY, key="k-2"))
        await idempotency_store.forget_old()
        pass_time(-A_DAY)
        assert await carry_out(idempotency_store) is None
        assert await carry_out(idempotency_store, replace(KEY, key="k-2")) == ANSWER
