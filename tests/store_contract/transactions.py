"""Guarantees of a unit of work: all or nothing, locks until its end, one clock, no shared values."""

import asyncio
from contextlib import suppress
from dataclasses import replace
from typing import Any

import pytest

from tests.labs.any_event import any_event
from tests.store_contract.stores import Added, PassTime, Store, new_execution, rows
from tests.store_contract.waiting import waits
from tests.unit.domain.builders import make_instance, make_request, name, planned
from upgrade_orchestrator.domain.errors import AlreadyExists, Unavailable
from upgrade_orchestrator.domain.execution.events import EventType
from upgrade_orchestrator.domain.execution.states import ExecutionStatus
from upgrade_orchestrator.domain.registry.entries import Component
from upgrade_orchestrator.service.ports.stores.board import BoardFilter


class TransactionsContract:
    async def test_unit_of_work_without_commit_stores_nothing(self, store: Store, added: Added) -> None:
        execution = await added()
        async with store() as work:
            await work.executions.save(replace(execution, status_reason="never"))
            await work.executions.save_instances(execution.id, [make_instance(name(0), attempts=1)])
        with pytest.raises(RuntimeError, match="in the midst"):
            await _fail_in_the_midst(store, execution.id)
        async with store() as work:
            assert await work.executions.get(execution.id) == execution
            assert await work.executions.instances(execution.id) == rows()

    async def test_unit_of_work_sees_its_own_writes_and_others_only_committed_ones(
        self, store: Store, added: Added
    ) -> None:
        execution = await added()
        async with store() as work, store() as other:
            saved = await work.executions.save(replace(execution, status_reason="new"))
            assert await work.executions.get(execution.id) == saved
            assert await other.executions.get(execution.id) == execution
            await work.commit()
            assert await other.executions.get(execution.id) == saved

    async def test_unit_of_work_can_be_used_after_its_commit(self, store: Store, added: Added) -> None:
        execution = await added()
        async with store() as work:
            kept = await work.executions.save(replace(execution, status_reason="kept"))
            await work.commit()
            await work.executions.save(replace(kept, status_reason="lost"))
        async with store() as work:
            assert await work.executions.get(execution.id) == kept

    async def test_refused_addition_rolls_back_its_transaction(self, store: Store) -> None:
        async with store() as work:
            await work.registry.add(Component(id="new", name="n"))
            with pytest.raises(AlreadyExists):
                await work.registry.add(Component(id="aaa-111", name="again"))
            await work.commit()
        async with store() as work:
            assert await work.registry.component("new") is None

    async def test_transaction_cannot_be_used_after_a_refused_addition(self, store: Store) -> None:
        async with store() as work:
            with pytest.raises(AlreadyExists):
                await work.registry.add(Component(id="aaa-111", name="again"))
            with pytest.raises(Exception, match="current transaction is aborted"):
                await work.registry.component("aaa-111")

    async def test_lock_blocks_other_writers_until_its_transaction_ends(self, store: Store, added: Added) -> None:
        execution = await added()
        async with store() as one, store() as two:
            await one.executions.lock(execution.id)
            waiting = asyncio.create_task(two.executions.lock(execution.id))
            assert await waits(waiting)
            await one.executions.save(replace(execution, status_reason="written under the lock"))
            await one.commit()
            assert (await waiting).status_reason == "written under the lock"

    async def test_lock_ends_with_an_abandoned_unit_of_work(self, store: Store, added: Added) -> None:
        execution = await added()
        async with store() as two:
            async with store() as one:
                await one.executions.lock(execution.id)
                waiting = asyncio.create_task(two.executions.lock(execution.id))
                assert await waits(waiting)
            assert await waiting == execution

    async def test_lock_blocks_appending_but_not_reads(self, store: Store, added: Added) -> None:
        execution = await added()
        async with store() as one, store() as two, store() as reader:
            await one.executions.lock(execution.id)
            appending = asyncio.create_task(two.events.append(execution, [any_event()]))
            assert await reader.executions.get(execution.id) == execution
            assert await waits(appending)
            await one.commit()
            await appending

    async def test_locks_of_different_executions_are_independent(self, store: Store, added: Added) -> None:
        first, second = await added(), await added()
        async with store() as one, store() as two:
            await one.executions.lock(first.id)
            assert await two.executions.lock(second.id) == second

    async def test_cancelled_waiter_does_not_block_the_others(self, store: Store, added: Added) -> None:
        execution = await added()

        async def lock() -> str:
            async with store() as work:
                return (await work.executions.lock(execution.id)).id

        async with store() as work:
            await work.executions.lock(execution.id)
            cancelled, other = asyncio.create_task(lock()), asyncio.create_task(lock())
            assert await waits(cancelled, other)
            cancelled.cancel()
            with suppress(asyncio.CancelledError):
                await cancelled
            assert await waits(other)
        assert await asyncio.wait_for(other, 5) == execution.id

    async def test_deadlock_of_two_units_of_work_is_resolved(self, store: Store, added: Added) -> None:
        first, second = await added(), await added()
        both_hold_one = asyncio.Barrier(2)

        async def lock(one: str, two: str) -> str:
            async with store() as work:
                await work.executions.lock(one)
                await both_hold_one.wait()
                await work.executions.lock(two)
                return "got both"

        cross = (lock(first.id, second.id), lock(second.id, first.id))
        found = await asyncio.wait_for(asyncio.gather(*cross, return_exceptions=True), 10)
        assert sorted(map(type, found), key=str) == sorted([str, Unavailable], key=str)

    async def test_time_is_that_of_the_last_read_of_an_execution(
        self, store: Store, added: Added, pass_time: PassTime
    ) -> None:
        execution = await added()
        async with store() as work:
            before = await work.now()
            await work.executions.get(execution.id)
            read_at = await work.now()
            await asyncio.sleep(0.002)
            assert await work.now() == read_at >= before
            await work.executions.lock(execution.id)
            assert await work.now() >= read_at

    async def test_snapshot_read_does_not_see_later_commits(self, store: Store, added: Added) -> None:
        execution = await added(id="e-1")
        async with store() as work:
            await work.use_snapshot()
            before = await work.overviews.get(execution.id)
            await added(id="e-2", tenant_id="two")
            assert [each.execution.id for each in await work.board.page(BoardFilter())] == [before.execution.id]
        async with store() as work:
            assert len(await work.board.page(BoardFilter())) == 2

    async def test_snapshot_read_refuses_writes(self, store: Store, added: Added) -> None:
        execution = await added()
        async with store() as work:
            await work.use_snapshot()
            with pytest.raises(Exception, match="read-only transaction"):
                await work.executions.save(replace(execution, status=ExecutionStatus.VALIDATING))

    async def test_stored_values_are_not_shared_with_the_caller(self, store: Store) -> None:
        installed = {"a": "1"}
        data: dict[str, Any] = {"instances": ["i-00"]}
        execution = new_execution(request=make_request(installed_components=installed, total_instances=3))
        async with store() as work:
            await work.executions.add(execution, planned(3), rows())
            await work.events.append(execution, [any_event(EventType.PROGRESS, data)])
            await work.commit()
        installed["a"] = "2"
        data["instances"].append("i-01")
        for _ in range(2):
            async with store() as work:
                request = (await work.executions.get(execution.id)).request
                ((event,)) = await work.events.page(execution.id, 0, 1)
            assert (request.installed_components, event.data) == ({"a": "1"}, {"instances": ["i-00"]})
            dict.update(request.installed_components, a="3")  # type: ignore[arg-type]
            dict.update(event.data, instances=[])


async def _fail_in_the_midst(store: Store, execution_id: str) -> None:
    async with store() as work:
        await work.executions.save_instances(execution_id, [make_instance(name(0), attempts=1)])
        raise RuntimeError("in the midst")
