"""Overviews of executions, single and in lists."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from tests.labs.any_event import any_event
from tests.store_contract.stores import Added, Store, new_execution, rows
from tests.unit.domain.builders import NOW, after, make_request, planned
from upgrade_orchestrator.domain.checks.checks import CheckName
from upgrade_orchestrator.domain.errors import NotFound
from upgrade_orchestrator.domain.execution.attention import Attention
from upgrade_orchestrator.domain.execution.execution import Strategy
from upgrade_orchestrator.domain.execution.states import ExecutionStatus
from upgrade_orchestrator.domain.instance.instance import ROLLBACK_BATCH, InstanceStatus
from upgrade_orchestrator.domain.plan.batch import Batch
from upgrade_orchestrator.service.ports.stores.overviews import ExecutionFilter


class OverviewsContract:
    async def test_overview_counts_only_rows_of_its_execution(self, store: Store, added: Added) -> None:
        execution = await added()
        first, second, third = rows()
        moved = [
            replace(first, status=InstanceStatus.ROLLED_BACK),
            replace(second, status=InstanceStatus.COMPLETED, revert=InstanceStatus.UPGRADING),
        ]
        async with store() as work:
            await work.executions.save_instances(execution.id, moved)
            await work.executions.save_batch(execution.id, Batch(1, "BATCH", started_at=NOW))
            await work.executions.save_batch(execution.id, Batch(ROLLBACK_BATCH, "ROLLBACK", started_at=NOW))
            await work.commit()
            found = await work.overviews.get(execution.id)
        assert (found.execution, found.rolled_back) == (execution, [first.instance_id])
        assert (found.tally.in_flight, found.tally.current_batch, found.tally.total_batches) == (1, 1, 2)
        assert found.tally.counts[InstanceStatus.PENDING] == 1
        assert [each.status for each in found.checks] == ["PENDING"] * 5

    async def test_overviews_are_newest_first_and_paged_across_equal_times_without_loss(
        self, store: Store, added: Added
    ) -> None:
        ended = {"tenant_id": "one", "settled_at": NOW, "completed_at": NOW, "status": ExecutionStatus.COMPLETED}
        times = [after(0), after(0), after(0), after(5), after(5)]
        made = [await added(**ended, created_at=each) for each in times]
        wanted = [each.id for each in sorted(made, key=lambda each: (each.created_at, each.id), reverse=True)]
        found, position = list[str](), None
        async with store() as work:
            for _ in range(3):
                page = await work.overviews.page(ExecutionFilter("one", after=position, limit=2))
                found += [each.execution.id for each in page]
                position = (page[-1].execution.created_at, page[-1].execution.id)
            assert await work.overviews.page(ExecutionFilter("one", after=position, limit=2)) == []
        assert found == wanted

    async def test_overviews_are_narrowed_by_every_filter_and_never_of_another_tenant(
        self, store: Store, added: Added
    ) -> None:
        ended: dict[str, Any] = {"tenant_id": "one", "settled_at": NOW}
        failed = await added(**ended, status=ExecutionStatus.FAILED, created_at=after(0))
        staged = await added(
            **ended, request=make_request(strategy=Strategy.STAGED, total_instances=3), created_at=after(9)
        )
        await added(created_at=after(9))
        async with store() as work:

            async def ids(**narrowed: Any) -> list[str]:
                return [each.execution.id for each in await work.overviews.page(ExecutionFilter("one", **narrowed))]

            assert await ids() == [staged.id, failed.id]
            assert await ids(status="FAILED") == [failed.id]
            assert await ids(strategy="STAGED") == [staged.id]
            assert await ids(since=after(9)) == [staged.id]
            assert await ids(since=after(9) + timedelta(microseconds=1)) == []
            assert await ids(component_id="aaa-111", limit=1) == [staged.id]
            assert await ids(component_id="another") == []

    async def test_overview_has_the_plan_and_the_last_events(self, store: Store) -> None:
        plan = planned(3, strategy=Strategy.CANARY, batch_size=1)
        execution = new_execution(request=make_request(strategy=Strategy.CANARY, total_instances=3))
        async with store() as work:
            await work.executions.add(execution, plan, rows())
            await work.events.append(execution, [any_event()] * 2)
            await work.commit()
            found = await work.overviews.get(execution.id)
        assert (found.canary, found.estimated_seconds) == (list(plan.canary), plan.estimated_seconds)
        assert (found.sequence, found.read_at.utcoffset()) == (2, timedelta())
        assert [each.name for each in found.checks] == list(CheckName)

    async def test_overview_of_an_unknown_execution_is_not_found(self, store: Store) -> None:
        async with store() as work:
            with pytest.raises(NotFound, match="there is no execution unknown"):
                await work.overviews.get("unknown")

    async def test_active_returns_the_execution_that_holds_the_active_slot(self, store: Store, added: Added) -> None:
        await added(tenant_id="one", status=ExecutionStatus.COMPLETED, settled_at=NOW)
        second = await added(tenant_id="one")
        async with store() as work:
            found = await work.overviews.active("one", "aaa-111")
            assert found is not None
            assert found.execution == second
            assert await work.overviews.active("one", "another") is None
            assert await work.overviews.active("unknown", "aaa-111") is None

    async def test_attention_is_noted_and_cleared_without_a_new_version_until_it_is_settled(
        self, store: Store, added: Added
    ) -> None:
        execution, noted = await added(), Attention("FLEET_BUSY", after(5), "ask again", 3)
        for each in (noted, None, noted):
            async with store() as work:
                await work.executions.note_attention(execution.id, each)
                await work.commit()
            async with store() as work:
                found = await work.executions.get(execution.id)
                assert (found.attention, found.version) == (each, execution.version)
        async with store() as work:
            await work.executions.save(replace(found, attention=None, settled_at=NOW))
            await work.executions.note_attention(execution.id, noted)
            await work.commit()
        async with store() as work:
            assert (await work.executions.get(execution.id)).attention is None
