"""Executions: everything is read back, one is active for a tenant and component, no write is lost."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from tests.store_contract.stores import Added, Audit, Store, new_execution, rows
from tests.store_contract.waiting import waits
from tests.unit.domain.builders import NOW, after, make_instance, make_request, name, planned
from upgrade_orchestrator.domain.airflow.drift import ExecutionSummary
from upgrade_orchestrator.domain.checks.checks import CheckName, CheckResult, CheckStatus
from upgrade_orchestrator.domain.errors import ActiveUpgradeExists, AlreadyExists, ConcurrentChange, NotFound
from upgrade_orchestrator.domain.execution.attention import Attention
from upgrade_orchestrator.domain.execution.commands import Actor, Command, Source
from upgrade_orchestrator.domain.execution.execution import RollbackInfo, Strategy
from upgrade_orchestrator.domain.execution.states import ExecutionStatus
from upgrade_orchestrator.domain.instance.instance import ROLLBACK_BATCH, InstanceStatus
from upgrade_orchestrator.domain.plan.batch import Batch, Phase

S = ExecutionStatus


class ExecutionsContract:
    async def test_execution_is_read_back_as_it_was_written(self, store: Store) -> None:
        request = make_request(
            strategy=Strategy.STAGED, stage_percentages=(50, 100), installed_components={"a": "1"}, total_instances=3
        )
        execution = new_execution(
            request=request,
            status=S.ROLLING_BACK,
            started_at=after(1),
            paused_at=after(2),
            paused_from=S.IN_PROGRESS,
            paused_seconds=1.5,
            current_failures=2,
            accepted_failures=1,
            attention=Attention("FLEET_UNREACHABLE", after(4), "no answer", 2),
            version_scheme="debian",
            failure_phase="ROLLBACK",
            begins_in_worker=False,
            revert_of="e-other",
            further_targets=("3.5.0", "odd"),
            warnings=("one", "two"),
            rollback=RollbackInfo("why", after(3), "olga"),
        )
        plan = planned(3, strategy=Strategy.STAGED, stage_percentages=(50, 100))
        async with store() as work:
            await work.executions.add(execution, plan, rows())
            await work.commit()
        async with store() as work:
            assert await work.executions.get(execution.id) == execution
            assert await work.executions.plan(execution.id) == plan
            assert (await work.executions.plan(execution.id)).hash == plan.hash
            assert await work.executions.instances(execution.id) == rows()
            assert [each.number for each in await work.executions.batches(execution.id)] == [1, 2]
            pending = [CheckResult(each, CheckStatus.PENDING) for each in CheckName]
            assert await work.executions.checks(execution.id) == pending

    @pytest.mark.parametrize("version", [None, "v" * 128])
    async def test_instance_of_any_script_and_version_is_read_back(self, store: Store, version: str | None) -> None:
        execution, plan = new_execution(), planned(3)
        named = [replace(each, instance_id=f"узел-{each.position}", from_version=version) for each in rows()]
        async with store() as work:
            await work.executions.add(execution, plan, named)
            await work.commit()
        async with store() as work:
            assert await work.executions.instances(execution.id) == named

    async def test_saved_rows_are_read_back_with_every_field(self, store: Store, added: Added) -> None:
        execution = await added()
        instance = make_instance(
            name(1),
            InstanceStatus.COMPLETED,
            position=1,
            attempts=2,
            healthy=False,
            error="e",
            revert=InstanceStatus.DRAINING,
            step_seconds=1.5,
            healthy_seconds=0.5,
            **dict.fromkeys(("last_health_at", "started_at", "completed_at", "accepted_at"), NOW),
        )
        back = replace(instance, batch=ROLLBACK_BATCH, revert=None)
        batch = Batch(1, "BATCH", after(1), after(2), after(3), 4.5, Phase.SOAK, after(6), 7.5, 8.5)
        check = CheckResult(CheckName.HEALTH_ENDPOINTS, CheckStatus.WARNING, "m", after(1), after(2))
        async with store() as work:
            await work.executions.save_instances(execution.id, [instance, replace(rows()[2], attempts=1)])
            await work.executions.save_rollback_instances(execution.id, [back])
            await work.executions.save_rollback_instances(execution.id, [replace(back, attempts=1)])
            await work.executions.save_batch(execution.id, batch)
            await work.executions.save_checks(execution.id, [check])
            await work.commit()
        async with store() as work:
            saved = [rows()[0], instance, replace(rows()[2], attempts=1)]
            assert await work.executions.instances(execution.id) == saved
            assert await work.executions.rollback_instances(execution.id) == [replace(back, attempts=1)]
            assert (await work.executions.batches(execution.id))[0] == batch
            assert check in await work.executions.checks(execution.id)

    async def test_saving_an_instance_that_was_not_planned_adds_no_row(self, store: Store, added: Added) -> None:
        execution = await added()
        async with store() as work:
            await work.executions.save_instances(execution.id, [make_instance("stranger")])
            assert await work.executions.instances(execution.id) == rows()

    async def test_batches_are_read_from_a_given_number_and_a_new_one_is_added(
        self, store: Store, added: Added
    ) -> None:
        execution = await added()
        async with store() as work:
            await work.executions.save_batch(execution.id, Batch(0, "BATCH"))
            found = [await work.executions.batches(execution.id, *limits) for limits in ((0,), (2,), (0, 2), (3, 1))]
        assert [[each.number for each in batches] for batches in found] == [[0, 1, 2], [2], [0, 1], []]

    async def test_unknown_execution_is_not_found(self, store: Store) -> None:
        async with store() as work:
            for ask in (work.executions.get, work.executions.lock, work.executions.plan):
                with pytest.raises(NotFound, match="there is no execution unknown"):
                    await ask("unknown")

    async def test_execution_with_an_existing_id_is_refused(self, store: Store, added: Added) -> None:
        execution = await added()
        async with store() as work:
            with pytest.raises(AlreadyExists, match=f"there is an execution {execution.id}"):
                await work.executions.add(replace(execution, tenant_id="another"), planned(3), rows())

    async def test_execution_of_an_unknown_component_is_refused(self, store: Store) -> None:
        request = make_request(component_id="nothing", total_instances=3)
        async with store() as work:
            with pytest.raises(Exception, match="foreign key"):
                await work.executions.add(new_execution(request=request), planned(3), rows())

    async def test_second_of_two_concurrent_creations_is_refused(self, store: Store) -> None:
        both_inserted = asyncio.Barrier(2)

        async def create() -> object:
            async with store() as work:
                await work.executions.active("one", "aaa-111")  # the transaction of both has begun
                await both_inserted.wait()
                await work.executions.add(new_execution(tenant_id="one"), planned(3), rows())
                await work.commit()
                return "created"

        found = await asyncio.gather(create(), create(), return_exceptions=True)
        assert sorted(map(type, found), key=str) == sorted([str, ActiveUpgradeExists], key=str)

    async def test_creation_takes_the_active_slot_of_an_uncommitted_creation(self, store: Store) -> None:
        async with store() as work:
            await work.executions.add(new_execution(tenant_id="one"), planned(3), rows())
        second = new_execution(tenant_id="one")
        async with store() as work:
            await work.executions.add(second, planned(3), rows())
            await work.commit()
            assert await work.executions.active("one", "aaa-111") == second

    async def test_active_slot_is_held_until_a_terminal_execution_is_settled(self, store: Store, added: Added) -> None:
        first = await added(tenant_id="one")
        ended = replace(first, status=S.CANCELLED, completed_at=NOW)
        async with store() as work:
            ended = await work.executions.save(ended)
            await work.commit()
        with pytest.raises(ActiveUpgradeExists):
            await added(tenant_id="one")
        async with store() as work:
            assert await work.executions.active("one", "aaa-111") == ended
            await work.executions.save(replace(ended, settled_at=NOW))
            await work.commit()
        second = await added(tenant_id="one")
        async with store() as work:
            assert await work.executions.active("one", "aaa-111") == second

    async def test_unsettled_returns_started_executions_that_hold_their_active_slot(
        self, store: Store, added: Added
    ) -> None:
        await added()
        runs = await added(status=S.IN_PROGRESS, started_at=NOW, run_ref="run-1")
        stopped = await added(status=S.PAUSED, started_at=NOW, dag_paused=True)
        await added(status=S.COMPLETED, started_at=NOW, completed_at=NOW, settled_at=NOW)
        async with store() as work:
            noted = Attention("TASK_LOST", NOW, "no heartbeat", 3)
            await work.executions.note_attention(runs.id, noted)
            await work.commit()
        async with store() as work:
            every, paused = await work.executions.unsettled(), await work.executions.unsettled(S.PAUSED)
        assert sorted(every, key=lambda each: each.id) == [
            ExecutionSummary(runs.id, S.IN_PROGRESS, "run-1", attention=noted, started_at=NOW),
            ExecutionSummary(stopped.id, S.PAUSED, dag_paused=True, started_at=NOW),
        ]
        assert paused == [ExecutionSummary(stopped.id, S.PAUSED, dag_paused=True, started_at=NOW)]

    @pytest.mark.parametrize(
        ("other", "is_counted"),
        [
            ({}, True),
            ({"status": S.CANCELLED}, True),  # it still has something in flight
            ({"seconds_ago": 20}, False),
            ({"seconds_ago": -20}, False),  # the clock was set back
            ({"begins_in_worker": False}, False),
            ({"seconds_ago": None}, False),
            ({"status": S.COMPLETED, "settled_at": NOW}, False),
        ],
    )
    async def test_recent_starts_in_a_worker_count_against_its_limit(
        self, store: Store, added: Added, other: dict[str, Any], is_counted: bool
    ) -> None:
        async with store() as work:
            now = await work.now()
        fields: dict[str, Any] = {"status": S.VALIDATING, "seconds_ago": 1} | other
        ago = fields.pop("seconds_ago")
        started_at = None if ago is None else now - timedelta(seconds=ago)
        await added(started_at=started_at, **fields)
        async with store() as work:
            found = [await work.executions.may_begin_in_worker(places, 15) for places in (0, 1, 2)]
        assert found == [False, not is_counted, True]

    async def test_save_writes_changed_fields_and_keeps_the_request(self, store: Store, added: Added) -> None:
        execution = await added()
        changed: dict[str, Any] = {
            "status": S.VALIDATING,
            "run_ref": "run-1",
            "current_failures": 2,
            "warnings": ("w",),
        }
        forged = replace(execution, created_by="mallory", total_instances=9, **changed)
        async with store() as work:
            await work.executions.save(forged)
            await work.commit()
            assert await work.executions.get(execution.id) == replace(execution, version=2, **changed)

    async def test_second_writer_of_the_same_row_version_is_refused(self, store: Store, added: Added) -> None:
        execution = await added()
        async with store() as one, store() as two:
            mine, yours = await one.executions.get(execution.id), await two.executions.get(execution.id)
            saved = await one.executions.save(replace(mine, status_reason="mine"))
            waiting = asyncio.create_task(two.executions.save(replace(yours, status_reason="yours")))
            assert await waits(waiting)
            await one.commit()
            with pytest.raises(ConcurrentChange):
                await waiting
        async with store() as work:
            assert await work.executions.get(execution.id) == saved
            assert saved.version == execution.version + 1

    async def test_command_is_audited_with_actor_source_and_reason(
        self, store: Store, added: Added, audit: Audit
    ) -> None:
        execution = await added()
        async with store() as work:
            await work.executions.add_command(execution.id, Command.CANCEL, Actor("olga", Source.UI), "enough")
            await work.commit()
        assert audit() == [(execution.id, "cancel", "olga", "UI", "enough")]
