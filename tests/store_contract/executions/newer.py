"""Whether a later execution has changed what a deployment runs since an earlier one."""

from dataclasses import replace
from typing import Any

import pytest

from tests.store_contract.stores import Added, Store, rows
from tests.unit.domain.builders import after, make_request
from upgrade_orchestrator.domain.execution.execution import Execution, Strategy
from upgrade_orchestrator.domain.execution.states import ExecutionStatus
from upgrade_orchestrator.domain.instance.instance import InstanceStatus
from upgrade_orchestrator.domain.plan.batch import Batch, Phase
from upgrade_orchestrator.service.ports.stores.executions import Follower

S = ExecutionStatus


class NewerContract:
    async def _ended(self, store: Store, added: Added, second: int, *, touched: bool = True, **of: Any) -> Execution:
        """One of the tenant "t" that ended at once, and touched one of its instances."""
        fields = {"tenant_id": "t", "status": S.COMPLETED, "created_at": after(second), "settled_at": after(second)}
        execution = await added(**(fields | of))
        async with store() as work:
            status = InstanceStatus.COMPLETED if touched else InstanceStatus.PENDING
            await work.executions.save_instances(execution.id, [replace(rows()[0], status=status)])
            await work.commit()
        return execution

    async def _newer(self, store: Store, execution: Execution, before: Execution | None = None) -> str | None:
        async with store() as work:
            return await work.executions.newer(execution, before)

    async def test_newest_later_execution_that_touched_an_instance_is_found(self, store: Store, added: Added) -> None:
        first, second, third = [await self._ended(store, added, each) for each in (1, 2, 3)]
        assert await self._newer(store, first) == third.id
        assert await self._newer(store, second) == third.id
        assert await self._newer(store, first, before=third) == second.id
        assert await self._newer(store, third) is None
        assert await self._newer(store, second, before=third) is None

    @pytest.mark.parametrize(
        "of",
        [{"touched": False}, {"status": S.ROLLED_BACK}, {"tenant_id": "another"}],
        ids=["touched nothing", "rolled back", "of another tenant"],
    )
    async def test_execution_that_left_all_as_it_was_is_not_found(
        self, store: Store, added: Added, of: dict[str, Any]
    ) -> None:
        first = await self._ended(store, added, 1)
        await self._ended(store, added, 2, **of)
        assert await self._newer(store, first) is None

    async def test_revert_of_the_execution_itself_is_not_found_but_that_of_another_is(
        self, store: Store, added: Added
    ) -> None:
        first = await self._ended(store, added, 1)
        await self._ended(store, added, 2, revert_of=first.id)
        assert await self._newer(store, first) is None
        other = await self._ended(store, added, 3, revert_of="e-other")
        assert await self._newer(store, first) == other.id

    async def test_followers_are_those_that_retry_or_revert_it_newest_first(self, store: Store, added: Added) -> None:
        first = await self._ended(store, added, 1)
        retry = await self._ended(store, added, 2, retry_of=first.id, status=S.FAILED)
        await self._ended(store, added, 3)
        await self._ended(store, added, 4, revert_of=retry.id)
        revert = await self._ended(store, added, 5, revert_of=first.id)
        async with store() as work:
            found = await work.executions.followers(first)
            assert await work.executions.followers(revert) == []
        assert found == [Follower(revert.id, S.COMPLETED, True), Follower(retry.id, S.FAILED, False)]

    @pytest.mark.parametrize(("phase", "counts"), [(Phase.SWITCH, False), (Phase.SOAK, True), (Phase.DONE, True)])
    async def test_new_pool_counts_once_it_has_the_traffic(
        self, store: Store, added: Added, phase: Phase, counts: bool
    ) -> None:
        first = await self._ended(store, added, 1)
        request = make_request(strategy=Strategy.BLUE_GREEN, total_instances=3)
        green = await self._ended(store, added, 2, request=request)
        async with store() as work:
            await work.executions.save_batch(green.id, Batch(1, "GREEN", phase=phase))
            await work.commit()
        assert await self._newer(store, first) == (green.id if counts else None)
