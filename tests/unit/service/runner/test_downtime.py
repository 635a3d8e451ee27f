"""No runner works for an hour: only watched time counts for what was in flight, and it is observed first."""

import asyncio
from collections import Counter
from contextlib import suppress
from datetime import timedelta

import pytest

from tests.effort import some
from tests.labs.crash_after import Crashed, CrashPoint, crashing
from tests.labs.lab import OLGA, Lab, abandoned, until
from tests.labs.memory.lab import HOUR, MakeLab
from tests.labs.seed import NEW_VERSION, OLD_VERSION
from upgrade_orchestrator.domain.execution.states import ExecutionStatus
from upgrade_orchestrator.domain.instance.instance import ROLLBACK_BATCH, InstanceStatus
from upgrade_orchestrator.service.runner.outcome import Ending
from upgrade_orchestrator.service.upgrade.commands import roll_back_upgrade

S, I = ExecutionStatus, InstanceStatus  # noqa: E741 - as in the domain
MOMENTS = 17
"More moments than a batch of two has to die at: the last ones are survived, which a test below makes sure of."


async def attempts(lab: Lab, execution_id: str) -> set[int]:
    return {each.attempts for each in (await lab.instances(execution_id)).values()}


@pytest.mark.parametrize("step", ["drain_seconds", "upgrade_seconds"])
async def test_instance_in_flight_when_the_runner_died_gets_the_rest_of_its_time_out(
    make_lab: MakeLab, step: str
) -> None:
    lab = await make_lab(size=2, **({"upgrade_seconds": 0.05} | {step: 1.5}))
    execution_id = await lab.admitted()
    task = lab.running(execution_id, 1)
    await until(lambda: lab.statuses()["DRAINING"] + lab.statuses()["UPGRADING"], "something is under way")
    await abandoned(task)
    lab.set_clock(HOUR)
    execution = await lab.upgrade(execution_id)
    assert (execution.status, execution.current_failures) == (S.COMPLETED, 0), execution.status_reason
    assert await attempts(lab, execution_id) == {1}
    assert Counter(lab.upgrades()) == {lab.name(1): 1, lab.name(2): 1}


async def test_instance_that_became_healthy_without_a_runner_is_completed(make_lab: MakeLab) -> None:
    lab = await make_lab(size=2, upgrade_seconds=0.3)
    execution_id = await lab.admitted()
    task = lab.running(execution_id, 1)
    await until(lab.upgrades, "an upgrade under way")
    await abandoned(task)
    await until(lambda: lab.versions()[NEW_VERSION] == 1, "arrived")
    lab.set_clock(HOUR)
    execution = await lab.upgrade(execution_id)
    assert (execution.status, execution.current_failures) == (S.COMPLETED, 0), execution.status_reason


@pytest.mark.parametrize("moment", some(range(1, MOMENTS + 1)))
async def test_crash_at_any_moment_and_an_hour_without_a_runner_fail_no_instance(
    make_lab: MakeLab, moment: int
) -> None:
    lab = await make_lab(size=2)
    execution_id = await lab.admitted()
    point = CrashPoint(moment)
    with suppress(Crashed):
        await crashing(lab, point).run(execution_id, 1)
    lab.set_clock(HOUR)
    with suppress(Crashed):  # right after it has taken the lease: the hour must not be forgotten with it
        await crashing(lab, CrashPoint(1)).run(execution_id, 1)
    lab.end_lease()
    execution = await lab.upgrade(execution_id)
    assert (execution.status, execution.current_failures) == (S.COMPLETED, 0), (point.last, execution.status_reason)
    assert await attempts(lab, execution_id) == {1}, point.last
    assert Counter(lab.upgrades()) == {lab.name(1): 1, lab.name(2): 1}, point.last


async def test_crash_moments_of_the_tests_cover_the_whole_upgrade(make_lab: MakeLab) -> None:
    lab = await make_lab(size=2)
    point = CrashPoint(None)
    await crashing(lab, point).run(await lab.admitted(), 1)
    assert 0 < point.moments < MOMENTS


@pytest.mark.parametrize("times", [1, 3])
async def test_clock_that_jumps_while_a_runner_works_fails_no_instance(make_lab: MakeLab, times: int) -> None:
    lab = await make_lab(size=2, upgrade_seconds=1.5)
    execution_id = await lab.admitted()
    task = lab.running(execution_id, 1)
    for _ in range(times):
        await until(lab.upgrades, "an upgrade under way")
        lab.set_clock(HOUR)
        await asyncio.wait([task], timeout=0.2)
    assert (await task).ending is Ending.DONE
    assert await attempts(lab, execution_id) == {1}
    assert set(Counter(lab.upgrades()).values()) == {1}


async def test_clock_that_is_set_back_while_a_runner_works_does_not_extend_time_outs(make_lab: MakeLab) -> None:
    lab = await make_lab(size=1, upgrade_seconds=3600)
    execution_id = await lab.admitted(health_check_timeout_seconds=3, failure_threshold=1)
    task = lab.running(execution_id, 1)
    await until(lab.upgrades, "an upgrade under way")
    lab.set_clock(-HOUR)
    async with asyncio.timeout(30):
        await task
    (row,) = (await lab.instances(execution_id)).values()
    assert (row.status, row.attempts) == (I.FAILED, 1)
    assert "after 3 s of UPGRADING" in (row.error or "")


async def test_clock_set_back_between_two_runners_does_not_extend_time_outs(make_lab: MakeLab) -> None:
    lab = await make_lab(size=1, upgrade_seconds=3600)
    execution_id = await lab.admitted(health_check_timeout_seconds=3, failure_threshold=1)
    assert (await lab.run(execution_id, 1, seconds=1)).ending is Ending.UNFINISHED
    lab.set_lease(-HOUR)  # the clock went back just before the first one gave the lease back
    lab.set_clock(-HOUR)
    async with asyncio.timeout(30):
        await lab.run(execution_id, 1)
    (row,) = (await lab.instances(execution_id)).values()
    assert (row.status, row.attempts) == (I.FAILED, 1)


async def test_lease_with_a_far_expiry_after_the_clock_was_set_back_is_not_waited_for(
    make_lab: MakeLab,
) -> None:
    lab = await make_lab(size=2)
    execution_id = await lab.admitted()
    with pytest.raises(Crashed):
        await crashing(lab, CrashPoint(2)).run(execution_id, 1)
    lab.set_lease(HOUR)
    assert (await lab.upgrade(execution_id)).status is S.COMPLETED


async def test_watched_seconds_add_up_across_runners(make_lab: MakeLab) -> None:
    lab = await make_lab(size=1, upgrade_seconds=3600)
    execution_id = await lab.admitted(health_check_timeout_seconds=2, failure_threshold=1)
    async with asyncio.timeout(20):
        while (await lab.run(execution_id, 1, seconds=0.3)).ending is Ending.UNFINISHED:
            lab.set_clock(HOUR)
    (row,) = (await lab.instances(execution_id)).values()
    assert (row.status, (await lab.execution(execution_id)).status) == (I.FAILED, S.FAILED)
    assert "after 2 s of UPGRADING" in (row.error or "")


async def test_round_longer_than_the_lease_counts_as_watched_seconds(make_lab: MakeLab) -> None:
    lab = await make_lab(size=1, lease_seconds=0.2, upgrade_seconds=3600)
    execution_id = await lab.admitted(health_check_timeout_seconds=3, failure_threshold=1)
    task = lab.running(execution_id, 1)
    await until(lab.upgrades, "an upgrade under way")
    lab.fault("agent-hangs", seconds=0.5)
    async with asyncio.timeout(30):
        await task
    (row,) = (await lab.instances(execution_id)).values()
    assert row.status is I.FAILED


@pytest.mark.parametrize(("away", "continues"), [(timedelta(seconds=2), True), (HOUR, False)])
async def test_soak_continues_after_a_short_downtime_and_starts_again_after_three_intervals(
    make_lab: MakeLab, away: timedelta, continues: bool
) -> None:
    lab = await make_lab(size=1)
    execution_id = await lab.admitted(soak_seconds=3)
    assert (await lab.run(execution_id, 1, seconds=1.5)).ending is Ending.UNFINISHED
    (before,) = (await lab.instances(execution_id)).values()
    assert before.healthy_seconds is not None
    lab.set_clock(away)
    assert (await lab.run(execution_id, 1, seconds=1)).ending is Ending.UNFINISHED
    (after,) = (await lab.instances(execution_id)).values()
    assert after.status is I.HEALTH_CHECKING
    assert (await lab.run(execution_id, 1)).ending is Ending.DONE
    assert before.healthy_seconds is not None
    assert after.healthy_seconds is not None
    assert (before.healthy_seconds < after.healthy_seconds) is continues
    assert after.healthy_seconds < 3


async def test_rollback_in_flight_when_the_runner_died_gets_the_rest_of_its_time_out(make_lab: MakeLab) -> None:
    lab = await make_lab(size=2)
    execution_id = await lab.admitted()
    await lab.run(execution_id, 1)
    await roll_back_upgrade(lab.world.ports, execution_id, None, OLGA)
    lab.world.admin.fault(lab.world.fleet, "slow", None, seconds=1.5)
    task = lab.running(execution_id, ROLLBACK_BATCH)
    await until(lambda: len(lab.upgrades()) == 3, "one is being rolled back")
    await abandoned(task)
    lab.set_clock(HOUR)
    assert (await lab.roll_back(execution_id)).status is S.ROLLED_BACK
    assert (lab.versions(), len(lab.upgrades())) == ({OLD_VERSION: 2}, 4)


async def test_fleet_without_budget_when_the_runner_died_is_waited_for_again(make_lab: MakeLab) -> None:
    lab = await make_lab(size=4)
    execution_id = await lab.admitted(total_instances=3)
    lab.kill(1)  # the leader, not part of this upgrade
    assert (await lab.run(execution_id, 1, seconds=0.5)).ending is Ending.UNFINISHED
    assert (await lab.batches(execution_id))[0].blocked_seconds is not None
    lab.set_clock(HOUR)
    assert (await lab.run(execution_id, 1, seconds=0.5)).ending is Ending.UNFINISHED
    assert (await lab.execution(execution_id)).status is S.IN_PROGRESS


async def test_fleet_that_was_unresponsive_when_the_runner_died_is_waited_for_again(make_lab: MakeLab) -> None:
    lab = await make_lab(size=2)
    execution_id = await lab.admitted()
    lab.fault("agent-503")
    assert (await lab.run(execution_id, 1, seconds=0.5)).ending is Ending.UNFINISHED
    lab.set_clock(HOUR)
    assert (await lab.run(execution_id, 1, seconds=0.5)).ending is Ending.UNFINISHED
    lab.heal()
    assert (await lab.upgrade(execution_id)).status is S.COMPLETED
