"""Executions in PostgreSQL: transactions, the one-active rule, lost writes, lists."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from typing import Any

import psycopg
import pytest

from include.upgrades.domain.batch import Batch
from include.upgrades.domain.checks import CheckName, CheckResult, CheckStatus
from include.upgrades.domain.commands import Actor, Command, Source
from include.upgrades.domain.errors import ActiveUpgradeExists, ConcurrentChange, NotFound, Unavailable
from include.upgrades.domain.execution import RollbackInfo, Strategy
from include.upgrades.domain.instance import InstanceStatus
from include.upgrades.domain.states import ExecutionStatus
from include.upgrades.service.overview_ports import ExecutionFilter
from tests.integration.store.conftest import Added, Store, new_execution, rows
from tests.unit.domain.builders import NOW, after, make_instance, make_request, name, planned


async def test_everything_of_an_execution_comes_back_as_it_was_written(store: Store) -> None:
    request = make_request(
        strategy=Strategy.STAGED, stage_percentages=(50, 100), installed_components={"a": "1"}, total_instances=3
    )
    execution = new_execution(
        request=request,
        status=ExecutionStatus.ROLLING_BACK,
        started_at=after(1),
        paused_at=after(2),
        paused_from=ExecutionStatus.IN_PROGRESS,
        paused_seconds=1.5,
        current_failures=2,
        failure_phase="ROLLBACK",
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


async def test_rows_that_are_saved_come_back_with_every_field(store: Store, added: Added) -> None:
    execution = await added()
    instance = make_instance(
        name(1),
        InstanceStatus.COMPLETED,
        position=1,
        attempts=2,
        healthy=False,
        error="e",
        revert=InstanceStatus.DRAINING,
        revert_attempts=1,
        **dict.fromkeys(("last_health_at", "started_at", "completed_at", "step_started_at", "accepted_at"), NOW),
    )
    batch = Batch(1, "BATCH", after(1), after(2), after(3), after(4))
    check = CheckResult(CheckName.HEALTH_ENDPOINTS, CheckStatus.WARNING, "m", after(1), after(2))
    async with store() as work:
        await work.executions.save_instances(execution.id, [instance, replace(rows()[2], attempts=1)])
        await work.executions.save_batch(execution.id, batch)
        await work.executions.save_check(execution.id, check)
        await work.commit()
    async with store() as work:
        assert await work.executions.instances(execution.id) == [rows()[0], instance, replace(rows()[2], attempts=1)]
        assert (await work.executions.batches(execution.id))[0] == batch
        assert check in await work.executions.checks(execution.id)


async def test_unit_of_work_left_without_commit_leaves_everything_as_it_was(store: Store, added: Added) -> None:
    execution = await added()
    async with store() as work:
        await work.executions.save(replace(execution, status_reason="never"))
        await work.executions.save_instances(execution.id, [make_instance(name(0), attempts=1)])
    with pytest.raises(RuntimeError, match="in the midst"):
        await _fail_in_the_midst(store, execution.id)
    async with store() as work:
        assert await work.executions.get(execution.id) == execution
        assert await work.executions.instances(execution.id) == rows()


async def _fail_in_the_midst(store: Store, execution_id: str) -> None:
    async with store() as work:
        await work.executions.save_instances(execution_id, [make_instance(name(0), attempts=1)])
        raise RuntimeError("in the midst")


async def test_unknown_execution_is_not_found(store: Store) -> None:
    async with store() as work:
        for ask in (work.executions.get, work.executions.lock, work.executions.plan):
            with pytest.raises(NotFound, match="there is no execution nobody"):
                await ask("nobody")


async def test_of_two_creations_at_the_same_time_one_is_refused(store: Store) -> None:
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


async def test_place_is_held_until_a_terminal_execution_is_settled(store: Store, added: Added) -> None:
    first = await added(tenant_id="one")
    ended = replace(first, status=ExecutionStatus.CANCELLED, completed_at=NOW)
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


async def test_second_writer_of_what_was_read_together_is_refused(store: Store, added: Added) -> None:
    execution = await added()
    async with store() as one, store() as two:
        mine, yours = await one.executions.get(execution.id), await two.executions.get(execution.id)
        saved = await one.executions.save(replace(mine, status_reason="mine"))
        waiting = asyncio.create_task(two.executions.save(replace(yours, status_reason="yours")))
        await one.commit()
        with pytest.raises(ConcurrentChange):
            await waiting
    async with store() as work:
        assert await work.executions.get(execution.id) == saved
        assert saved.version == execution.version + 1


async def test_lock_keeps_other_writers_out_until_the_end(store: Store, added: Added) -> None:
    execution = await added()
    async with store() as one, store() as two:
        await one.executions.lock(execution.id)
        waiting = asyncio.create_task(two.executions.lock(execution.id))
        done, _ = await asyncio.wait([waiting], timeout=0.1)
        assert not done
        await one.executions.save(replace(execution, status_reason="written under the lock"))
        await one.commit()
        assert (await waiting).status_reason == "written under the lock"


async def test_list_is_newest_first_and_pages_across_equal_times_without_loss(store: Store, added: Added) -> None:
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


async def test_list_is_narrowed_by_every_filter_and_never_shows_another_tenant(store: Store, added: Added) -> None:
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


async def test_command_is_kept_with_who_from_where_and_why(store: Store, added: Added, postgres_url: str) -> None:
    execution = await added()
    async with store() as work:
        await work.executions.add_command(execution.id, Command.CANCEL, Actor("olga", Source.UI), "enough")
        await work.commit()
    with psycopg.connect(postgres_url.replace("+psycopg", "")) as connection:
        row = connection.execute("SELECT execution_id, command, actor, source, reason FROM command").fetchone()
    assert row == (execution.id, "cancel", "olga", "UI", "enough")


async def test_cut_connection_is_unavailable_and_the_next_unit_of_work_is_fine(
    store: Store, added: Added, postgres_url: str
) -> None:
    execution = await added()
    own = psycopg.connect(postgres_url.replace("+psycopg", ""), autocommit=True)
    with own as connection, pytest.raises(Unavailable):
        await _cut(store, connection)
    async with store() as work:
        assert await work.executions.get(execution.id) == execution


async def _cut(store: Store, connection: Any) -> None:
    async with store() as work:
        await work.now()
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND application_name = 'upgrades'"
        )
        await work.now()
