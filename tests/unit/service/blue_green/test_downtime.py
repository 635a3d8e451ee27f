"""No process works for an hour on a blue-green upgrade: its soak and its waits go on where the last one looked."""

import asyncio
from typing import Any

from tests.labs.lab import OLGA, seconds_between, until
from tests.labs.memory.lab import HOUR, MakeLab
from tests.labs.steps.pools import going_over, over, switched, until_soaking
from upgrade_orchestrator.domain.blue_green.cutover import Goal
from upgrade_orchestrator.domain.execution.execution import Strategy
from upgrade_orchestrator.domain.execution.states import ExecutionStatus
from upgrade_orchestrator.service.runner.outcome import Ending
from upgrade_orchestrator.service.upgrade.commands import pause_upgrade, resume_upgrade

S = ExecutionStatus


async def test_soak_of_a_pool_continues_from_its_last_watched_second(make_lab: MakeLab) -> None:
    lab, execution_id = await switched(make_lab, soak_seconds=3)
    assert (await over(lab, execution_id, Goal.SOAKED, seconds=1)).ending is Ending.UNFINISHED
    (before,) = await lab.batches(execution_id)
    lab.set_clock(HOUR)
    assert (await over(lab, execution_id, Goal.SOAKED, seconds=1)).ending is Ending.UNFINISHED
    (after,) = await lab.batches(execution_id)
    assert 0 < after.soak_seconds - before.soak_seconds < 2
    assert (await over(lab, execution_id, Goal.SOAKED)).ending is Ending.DONE


async def test_pool_unresponsive_in_its_soak_does_not_fail_at_once_after_a_time_without_a_runner(
    make_lab: MakeLab,
) -> None:
    lab, execution_id = await switched(make_lab, soak_seconds=1)
    await over(lab, execution_id, Goal.SOAKED, seconds=0.3)
    lab.set_clock(HOUR)
    lab.fault("agent-503")
    assert (await over(lab, execution_id, Goal.SOAKED, seconds=0.5)).ending is Ending.UNFINISHED
    lab.heal()
    assert (await over(lab, execution_id, Goal.SOAKED)).ending is Ending.DONE


async def test_wait_of_a_pool_is_no_shorter_for_an_hour_without_a_runner(make_lab: MakeLab) -> None:
    lab = await make_lab(size=2)
    execution_id = await lab.admitted(strategy=Strategy.BLUE_GREEN)
    await lab.run(execution_id, 1)
    lab.world.admin.kill(lab.world.fleet, f"{lab.world.fleet}-green-01")
    assert (await over(lab, execution_id, Goal.CHECKED, seconds=0.5)).ending is Ending.UNFINISHED
    lab.set_clock(HOUR)
    assert (await over(lab, execution_id, Goal.CHECKED, seconds=1.5)).ending is Ending.UNFINISHED
    assert (await lab.execution(execution_id)).status is S.IN_PROGRESS


async def test_pause_is_not_counted_twice_by_a_runner_that_waited_through_it(make_lab: MakeLab) -> None:
    lab, execution_id = await switched(make_lab, soak_seconds=2)
    task: asyncio.Task[Any] = going_over(lab, execution_id, Goal.SOAKED)
    await until_soaking(lab, execution_id)
    await pause_upgrade(lab.world.ports, execution_id, None, OLGA)
    (before,) = await lab.batches(execution_id)
    await until(lambda: not lab.lease()[2], "it waits")
    await asyncio.wait([task], timeout=1.5)
    resumed = await resume_upgrade(lab.world.ports, execution_id, None, OLGA)
    assert (await task).ending is Ending.DONE
    (done,) = await lab.batches(execution_id)
    assert seconds_between(before.phase_started_at, done.phase_started_at) < resumed.paused_seconds + 3
