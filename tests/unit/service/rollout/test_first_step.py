"""The upgrade's first step does everything that is due at once; the other tasks find nothing left to do."""

import asyncio
from asyncio import get_running_loop
from collections import Counter
from typing import Any

import pytest

from tests.effort import some
from tests.labs.crash_after import Crashed, CrashPoint, crashing
from tests.labs.lab import OLGA, Lab, abandoned, until
from tests.labs.memory.lab import MakeLab
from tests.labs.seed import NEW_VERSION, OLD_VERSION
from tests.labs.steps.canaries import canary_fields
from tests.labs.steps.first_step import SECONDS, after_first_step, all_tasks, first_step, step
from tests.labs.steps.pools import blue_green, traffic
from upgrade_orchestrator.domain.execution.execution import Strategy
from upgrade_orchestrator.domain.execution.states import ExecutionStatus
from upgrade_orchestrator.domain.plan.steps import StepKind
from upgrade_orchestrator.service.runner.outcome import Ending
from upgrade_orchestrator.service.upgrade.commands import (
    cancel_upgrade,
    pause_upgrade,
    resume_upgrade,
    roll_back_upgrade,
)

S = ExecutionStatus
TWO_BATCHES: dict[str, Any] = {"batch_size": 2, "max_unavailable_percentage": 50}
MOMENTS = 27
"More than there are to die at: the last ones are survived, which a test below makes sure of."


def each_once(lab: Lab, count: int = 4) -> bool:
    return Counter(lab.upgrades()) == {lab.name(number): 1 for number in range(1, count + 1)}


@pytest.mark.parametrize(
    "fields", [TWO_BATCHES, TWO_BATCHES | {"batch_delay_seconds": 1}, {"strategy": Strategy.RECREATE}]
)
async def test_first_step_completes_a_short_upgrade_and_the_other_tasks_have_nothing_to_do(
    make_lab: MakeLab, fields: dict[str, Any]
) -> None:
    lab = await make_lab()
    execution = await lab.validating(**fields)
    ended = await after_first_step(lab, execution.id)
    assert (ended.status, ended.settled_at is not None, each_once(lab)) == (S.COMPLETED, True, True)
    events, log, began = await lab.events(execution.id), lab.log(), get_running_loop().time()
    assert await all_tasks(lab, execution.id) == ended
    assert (await lab.events(execution.id), lab.log(), get_running_loop().time() - began < 0.1) == (events, log, True)


async def test_first_step_stops_after_its_seconds_and_continues_in_the_triggerer(make_lab: MakeLab) -> None:
    lab = await make_lab(upgrade_seconds=6)
    execution, began = await lab.validating(health_check_timeout_seconds=60), get_running_loop().time()
    assert (await first_step(lab, execution.id)).ending is Ending.UNFINISHED
    assert SECONDS - 2 < get_running_loop().time() - began <= SECONDS
    assert ((await lab.execution(execution.id)).status, lab.versions()) == (
        S.IN_PROGRESS,
        {NEW_VERSION: 1, OLD_VERSION: 3},
    )
    assert lab.lease()[2] is False
    assert (await step(lab, execution.id, StepKind.BATCH)).ending is Ending.DONE
    assert (each_once(lab), lab.versions()) == (True, {NEW_VERSION: 4})


@pytest.mark.parametrize(
    ("fields", "status", "done"),
    [
        (TWO_BATCHES | {"batch_delay_seconds": 4}, S.IN_PROGRESS, 2),
        (TWO_BATCHES | {"batch_delay_seconds": 3600}, S.IN_PROGRESS, 2),
        (TWO_BATCHES | {"strategy": Strategy.STAGED}, S.IN_PROGRESS, 2),
        (canary_fields(canary_percentage=25), S.CANARY_MONITORING, 1),
    ],
)
async def test_first_step_waits_neither_for_a_long_delay_nor_for_an_approval(
    make_lab: MakeLab, fields: dict[str, Any], status: S, done: int
) -> None:
    lab = await make_lab()
    execution, began = await lab.validating(**fields), get_running_loop().time()
    assert (await after_first_step(lab, execution.id)).status is status
    assert lab.versions() == {NEW_VERSION: done, OLD_VERSION: 4 - done}
    assert get_running_loop().time() - began < 2


@pytest.mark.parametrize("soak", [0, 60])
async def test_first_step_does_not_wait_for_the_soak_of_a_new_pool(make_lab: MakeLab, soak: int) -> None:
    lab = await make_lab()
    execution, began = await lab.validating(**blue_green(soak_seconds=soak)), get_running_loop().time()
    assert (await after_first_step(lab, execution.id)).status is S.IN_PROGRESS
    assert (traffic(lab), get_running_loop().time() - began < 3) == ("green", True)
    assert lab.versions() == {NEW_VERSION: 4, OLD_VERSION: 4}
    assert (await all_tasks(lab, execution.id)).status is S.COMPLETED


@pytest.mark.parametrize(("back", "status", "version"), [(True, S.ROLLED_BACK, OLD_VERSION), (False, S.FAILED, None)])
async def test_first_step_rolls_back_or_settles_a_failed_upgrade_at_once(
    make_lab: MakeLab, back: bool, status: S, version: str | None
) -> None:
    lab = await make_lab()
    lab.fault("upgrade-fails", 3, times=1)
    execution = await lab.validating(**TWO_BATCHES, failure_threshold=1, auto_rollback_enabled=back)
    ended = await after_first_step(lab, execution.id)
    assert (ended.status, ended.settled_at is not None) == (status, True)
    assert version is None or lab.versions() == {version: 4}


async def test_first_step_begins_a_rollback_over_rest_before_its_own_task(make_lab: MakeLab) -> None:
    lab = await make_lab(upgrade_seconds=0.5)
    execution = await lab.validating(**TWO_BATCHES)
    task = asyncio.create_task(after_first_step(lab, execution.id))
    await until(lab.upgrades, "an upgrade under way")
    await roll_back_upgrade(lab.world.ports, execution.id, "changed my mind", OLGA)
    assert ((await task).status, lab.versions()) == (S.ROLLED_BACK, {OLD_VERSION: 4})


async def test_first_step_settles_a_cancelled_upgrade_before_its_own_task(make_lab: MakeLab) -> None:
    lab = await make_lab(upgrade_seconds=0.5)
    execution = await lab.validating(**TWO_BATCHES)
    task = asyncio.create_task(after_first_step(lab, execution.id))
    await until(lab.upgrades, "an upgrade under way")
    await cancel_upgrade(lab.world.ports, execution.id, "wrong night", OLGA)
    ended = await task
    assert (ended.status, ended.settled_at is not None) == (S.CANCELLED, True)
    assert len(lab.upgrades()) == lab.versions()[NEW_VERSION] == 2


async def test_first_step_leaves_a_paused_upgrade_to_the_triggerer(make_lab: MakeLab) -> None:
    lab = await make_lab(upgrade_seconds=0.5)
    execution, began = await lab.validating(**TWO_BATCHES), get_running_loop().time()
    task = asyncio.create_task(first_step(lab, execution.id))
    await until(lab.upgrades, "an upgrade under way")
    await pause_upgrade(lab.world.ports, execution.id, None, OLGA)
    assert ((await task).ending, lab.versions()[NEW_VERSION]) == (Ending.UNFINISHED, 2)
    assert get_running_loop().time() - began <= SECONDS
    await resume_upgrade(lab.world.ports, execution.id, None, OLGA)
    assert (await step(lab, execution.id, StepKind.BATCH, 1, 2)).ending is Ending.DONE
    assert ((await lab.execution(execution.id)).status, each_once(lab)) == (S.COMPLETED, True)


async def test_first_step_and_concurrent_tasks_upgrade_no_instance_twice(make_lab: MakeLab) -> None:
    lab = await make_lab(upgrade_seconds=0.5)
    execution = await lab.validating(**TWO_BATCHES)
    await asyncio.gather(after_first_step(lab, execution.id), all_tasks(lab, execution.id))
    assert ((await lab.execution(execution.id)).status, each_once(lab)) == (S.COMPLETED, True)
    assert lab.tokens() == sorted(lab.tokens())


@pytest.mark.parametrize("seconds", [0.0, 0.1, 0.6, 1.1, 2.0])
async def test_first_step_that_was_killed_is_repeated(make_lab: MakeLab, seconds: float) -> None:
    lab = await make_lab(upgrade_seconds=0.5)
    execution = await lab.validating(**TWO_BATCHES)
    task = asyncio.create_task(after_first_step(lab, execution.id))
    await asyncio.sleep(seconds)
    await abandoned(task)
    assert (await all_tasks(lab, execution.id)).status is S.COMPLETED
    assert each_once(lab)


@pytest.mark.parametrize("back", [False, True])
@pytest.mark.parametrize("moment", some(range(MOMENTS)))
async def test_first_step_that_crashed_at_any_moment_is_continued_by_the_other_tasks(
    make_lab: MakeLab, moment: int, back: bool
) -> None:
    lab = await make_lab(size=2)
    if back:
        lab.fault("upgrade-fails", 2, times=1)
    execution = await lab.validating(batch_size=1, failure_threshold=1, auto_rollback_enabled=True)
    point = CrashPoint(moment)
    if not await _survived(lab, execution.id, point):
        lab.end_lease()
    ended = await all_tasks(lab, execution.id)
    assert ended.status is (S.ROLLED_BACK if back else S.COMPLETED), (point.last, ended.status_reason)
    assert lab.versions() == {OLD_VERSION if back else NEW_VERSION: 2}
    assert back or each_once(lab, 2), point.last
    assert lab.tokens() == sorted(lab.tokens())


async def _survived(lab: Lab, execution_id: str, point: CrashPoint) -> bool:
    try:
        await first_step(crashing(lab, point), execution_id)
    except Crashed:
        return False
    return True


@pytest.mark.parametrize("back", [False, True])
async def test_crash_moments_of_the_tests_cover_the_whole_first_step(make_lab: MakeLab, back: bool) -> None:
    lab = await make_lab(size=2)
    if back:
        lab.fault("upgrade-fails", 2, times=1)
    execution = await lab.validating(batch_size=1, failure_threshold=1, auto_rollback_enabled=True)
    point = CrashPoint(None)
    assert await _survived(lab, execution.id, point)
    assert 10 < point.moments < MOMENTS
