"""Batches with a short delay between them are run by one task, under one lease."""

import asyncio
from asyncio import get_running_loop
from collections.abc import Awaitable, Callable
from itertools import pairwise
from typing import Any

import pytest

from tests.labs.lab import FOREVER, OLGA, Lab, seconds_between
from tests.labs.memory.lab import MakeLab, MemoryLab
from tests.labs.seed import NEW_VERSION, OLD_VERSION
from tests.labs.steps.first_step import all_tasks, step
from upgrade_orchestrator.domain.execution.states import ExecutionStatus
from upgrade_orchestrator.domain.plan.steps import TASK_START_SECONDS, Step, StepKind
from upgrade_orchestrator.service.rollout.batch import run_batch
from upgrade_orchestrator.service.rollout.batch_store import BatchStore
from upgrade_orchestrator.service.runner.lease import LeaseKeeper
from upgrade_orchestrator.service.runner.loop import LEASE_WORTH_KEEPING_SECONDS
from upgrade_orchestrator.service.runner.outcome import Ending, Outcome
from upgrade_orchestrator.service.steps.work import run_following_steps
from upgrade_orchestrator.service.upgrade.commands import (
    cancel_upgrade,
    pause_upgrade,
    resume_upgrade,
    roll_back_upgrade,
)

S = ExecutionStatus
E = Ending
ONE_BY_ONE: dict[str, Any] = {"batch_size": 1, "max_unavailable_percentage": 25}


async def chain(lab: Lab, execution_id: str, first: int = 1, last: int = 4, seconds: float | None = None) -> Outcome:
    """These batches, and nothing that follows them."""
    return await asyncio.wait_for(
        run_batch(lab.world.ports, await lab.context(execution_id), first, seconds, last), 10 * FOREVER
    )


async def admitted(make_lab: MakeLab, delay: int = 0, upgrade_seconds: float = 0.05) -> tuple[MemoryLab, str]:
    """Four instances, each a batch of its own."""
    lab = await make_lab(upgrade_seconds=upgrade_seconds)
    timing = {"batch_delay_seconds": delay, "health_check_timeout_seconds": 60}
    return lab, await lab.admitted(**ONE_BY_ONE, **timing)


async def between(lab: Lab, execution_id: str, done: int) -> "asyncio.Task[Outcome]":
    """The chain at work, with that many batches done and the next one not begun."""
    task = asyncio.create_task(step(lab, execution_id, StepKind.BATCH, 1, 4))
    async with lab.world.ports.signals.of(execution_id) as waiter:
        while sum(each.completed_at is not None for each in await lab.batches(execution_id)) < done:
            await waiter.wait(0.1)
    assert (len(lab.upgrades()), task.done()) == (done, False)
    return task


async def test_batches_that_run_as_one_take_the_lease_once(make_lab: MakeLab) -> None:
    lab, execution_id = await admitted(make_lab)
    assert (await chain(lab, execution_id)).ending is E.DONE
    assert (len(set(lab.tokens())), lab.lease()[1:], lab.versions()) == (1, (1, False), {NEW_VERSION: 4})


async def test_batches_that_run_one_by_one_take_the_lease_each(make_lab: MakeLab) -> None:
    lab, execution_id = await admitted(make_lab)
    for number in range(1, 5):
        assert (await chain(lab, execution_id, number, number)).ending is E.DONE
    assert (len(set(lab.tokens())), lab.lease()[1:], lab.versions()) == (4, (4, False), {NEW_VERSION: 4})


@pytest.mark.parametrize("delay", [1, 2, 3])
async def test_delay_is_kept_between_batches_that_run_as_one(make_lab: MakeLab, delay: int) -> None:
    assert delay < TASK_START_SECONDS
    lab, execution_id = await admitted(make_lab, delay)
    began = get_running_loop().time()
    assert (await chain(lab, execution_id)).ending is E.DONE
    assert 3 * delay <= get_running_loop().time() - began < 3 * delay + 4
    batches = await lab.batches(execution_id)
    for before, after in zip(batches, batches[1:], strict=False):
        assert seconds_between(before.completed_at, after.due_at) == delay
        assert after.started_at is not None
        assert after.due_at is not None
        assert after.started_at >= after.due_at


@pytest.mark.parametrize(("delay", "tokens"), [(1, 1), (3, 4)])
async def test_lease_is_kept_in_a_short_delay_between_batches_and_returned_in_a_longer_one(
    make_lab: MakeLab, delay: int, tokens: int
) -> None:
    assert (delay > LEASE_WORTH_KEEPING_SECONDS) is (tokens > 1)
    lab, execution_id = await admitted(make_lab, delay)
    await chain(lab, execution_id)
    assert len(set(lab.tokens())) == tokens


# fault 50: of very many batches several share a task, however long the delay between them is
async def test_task_of_several_batches_waits_through_long_delays_without_the_lease(make_lab: MakeLab) -> None:
    lab, execution_id = await admitted(make_lab, delay=60)
    task = await between(lab, execution_id, 1)
    await asyncio.sleep(30)
    assert (len(lab.upgrades()), lab.lease()[2]) == (1, False)
    assert (await task).ending is E.DONE
    batches = await lab.batches(execution_id)
    assert all(seconds_between(a.completed_at, b.due_at) == 60 for a, b in pairwise(batches))
    assert ((await lab.execution(execution_id)).status, len(set(lab.tokens()))) == (S.COMPLETED, 4)


@pytest.mark.parametrize("delay", [3, 60])
@pytest.mark.parametrize("done", [1, 2, 3])
async def test_pause_between_two_batches_stops_there_until_the_resume(make_lab: MakeLab, done: int, delay: int) -> None:
    lab, execution_id = await admitted(make_lab, delay)
    task = await between(lab, execution_id, done)
    await pause_upgrade(lab.world.ports, execution_id, None, OLGA)
    await asyncio.sleep(60)
    assert (len(lab.upgrades()), task.done(), lab.lease()[2]) == (done, False, False)
    await resume_upgrade(lab.world.ports, execution_id, None, OLGA)
    assert (await task).ending is E.DONE
    assert ((await lab.execution(execution_id)).status, len(lab.upgrades())) == (S.COMPLETED, 4)


async def _cancel(lab: Lab, execution_id: str) -> None:
    await cancel_upgrade(lab.world.ports, execution_id, None, OLGA)


async def _roll_back(lab: Lab, execution_id: str) -> None:
    await roll_back_upgrade(lab.world.ports, execution_id, None, OLGA)


@pytest.mark.parametrize(("done", "delay"), [(1, 3), (3, 3), (2, 60)])
@pytest.mark.parametrize(("command", "status"), [(_cancel, S.CANCELLED), (_roll_back, S.ROLLED_BACK)])
async def test_cancel_and_rollback_between_two_batches_begin_no_further_batch(
    make_lab: MakeLab, command: Callable[[Lab, str], Awaitable[None]], status: S, done: int, delay: int
) -> None:
    lab, execution_id = await admitted(make_lab, delay)
    task, began = await between(lab, execution_id, done), get_running_loop().time()
    await command(lab, execution_id)
    assert ((await task).ending, get_running_loop().time() - began < 2) == (E.STOPPED, True)
    ended = await lab.execution(execution_id)
    assert (ended.status, ended.settled_at is not None) == (status, True)
    assert lab.versions()[NEW_VERSION] == (done if status is S.CANCELLED else 0)
    assert len(set(lab.upgrades())) == done


async def test_failure_in_a_batch_begins_no_further_batch(make_lab: MakeLab) -> None:
    lab = await make_lab()
    lab.fault("upgrade-fails", 3)
    execution_id = await lab.admitted(**ONE_BY_ONE, failure_threshold=1)
    assert (await chain(lab, execution_id)).ending is E.STOPPED
    assert set(lab.upgrades()) == {lab.name(2), lab.name(3)}  # the leader comes last


@pytest.mark.parametrize(("seconds", "begun"), [(2.0, 1), (9.0, 2), (21.0, 4)])
async def test_task_of_several_batches_that_was_interrupted_continues_with_the_rest(
    make_lab: MakeLab, seconds: float, begun: int
) -> None:
    lab, execution_id = await admitted(make_lab, upgrade_seconds=6)
    assert (await chain(lab, execution_id, seconds=seconds)).ending is E.UNFINISHED
    assert (len(lab.upgrades()), lab.lease()[2]) == (begun, False)
    assert (await step(lab, execution_id, StepKind.BATCH, 1, 4)).ending is E.DONE
    assert sorted(lab.upgrades()) == [lab.name(number) for number in range(1, 5)]
    assert (await lab.execution(execution_id)).status is S.COMPLETED


async def test_remaining_batches_are_done_by_the_task_that_did_the_first_one(make_lab: MakeLab) -> None:
    lab, execution_id = await admitted(make_lab)
    assert (await lab.run(execution_id, 1)).ending is E.DONE
    await run_following_steps(
        lab.world.ports,
        await lab.context(execution_id),
        Step(StepKind.BATCH, 1),
        TASK_START_SECONDS,
        TASK_START_SECONDS,
    )
    assert ((await lab.execution(execution_id)).status, len(lab.upgrades())) == (S.COMPLETED, 4)
    assert len(set(lab.tokens())) == 2


async def test_batches_after_the_last_one_of_the_task_are_not_begun(make_lab: MakeLab) -> None:
    lab, execution_id = await admitted(make_lab)
    assert (await chain(lab, execution_id, 1, 2)).ending is E.DONE
    assert lab.versions() == {NEW_VERSION: 2, OLD_VERSION: 2}
    assert (await all_tasks(lab, execution_id)).status is S.COMPLETED
    assert len(lab.upgrades()) == 4


async def test_lease_is_returned_when_the_next_batch_fails_before_its_first_read(make_lab: MakeLab) -> None:
    lab, execution_id = await admitted(make_lab)
    lease = LeaseKeeper(lab.world.ports, (await lab.context(execution_id)).deployment)
    assert await lease.take()
    await lease.give_back(BatchStore(lab.world.ports, lease, execution_id, 2).save_clocks)
    assert (lease.held, lab.lease()[2]) == (False, False)
