"""The new pool under the traffic: how long it has to stay healthy, and what follows when it does not."""

import asyncio

from tests.labs.lab import OLGA, Lab, seconds_between
from tests.labs.memory.lab import MakeLab
from tests.labs.seed import OLD
from tests.labs.steps.pools import (
    S,
    break_green,
    forth,
    going_over,
    green,
    over,
    pool_orders,
    pools,
    statuses,
    switched,
    traffic,
    until_soaking,
    upgrade,
)
from upgrade_orchestrator.domain.blue_green.actions import Change
from upgrade_orchestrator.domain.blue_green.cutover import Goal
from upgrade_orchestrator.domain.instance.instance import InstanceStatus
from upgrade_orchestrator.domain.plan.batch import Phase
from upgrade_orchestrator.domain.plan.pools import GREEN_BATCH
from upgrade_orchestrator.service.blue_green.store import PoolStore
from upgrade_orchestrator.service.runner.lease import LeaseKeeper
from upgrade_orchestrator.service.runner.outcome import Ending
from upgrade_orchestrator.service.upgrade.commands import pause_upgrade, resume_upgrade

I = InstanceStatus  # noqa: E741 - as in the domain


async def _failures(lab: Lab, execution_id: str, count: int) -> None:
    """Waits until that many failures are counted."""
    async with lab.world.ports.signals.of(execution_id) as waiter:
        for _ in range(200):
            if (await lab.execution(execution_id)).current_failures >= count:
                return
            await waiter.wait(0.1)
    raise AssertionError(f"not {count} failures")


# -- the soak --------------------------------------------------------------------------------------------------------


async def test_failed_soak_switches_back_and_keeps_the_new_pool_for_inspection(make_lab: MakeLab) -> None:
    lab, execution_id = await switched(make_lab, soak_seconds=3600, failure_threshold=1)
    break_green(lab, "unhealthy", 2)
    execution = await upgrade(lab, execution_id)
    assert (execution.status, execution.failure_phase, execution.current_failures) == (S.FAILED, "SOAK", 1)
    assert green(lab, 2) in execution.status_reason
    assert pool_orders(lab) == ["green at 3.7.0", "traffic to green", "traffic to blue"]
    assert set(pools(lab)) == {"blue", "green"}
    assert await statuses(lab, execution_id) == {I.ROLLED_BACK}
    assert (await lab.deployment(), execution.settled_at is not None) == ((OLD, None), True)


async def test_failed_soak_rolls_back_with_auto_rollback(make_lab: MakeLab) -> None:
    lab, execution_id = await switched(make_lab, soak_seconds=3600, failure_threshold=1, auto_rollback_enabled=True)
    break_green(lab, "unhealthy", 2)
    execution = await upgrade(lab, execution_id)
    assert execution.status is S.ROLLED_BACK, execution.status_reason
    assert pool_orders(lab) == ["green at 3.7.0", "traffic to green", "traffic to blue", "green removed"]
    assert await statuses(lab, execution_id) == {I.ROLLED_BACK}
    assert await lab.deployment() == (OLD, None)


async def test_pool_that_stays_unhealthy_fails_its_soak_even_below_the_threshold(make_lab: MakeLab) -> None:
    lab, execution_id = await switched(make_lab, soak_seconds=1, failure_threshold=9, health_check_timeout_seconds=1)
    break_green(lab, "unhealthy", 2)
    execution = await upgrade(lab, execution_id)
    assert (execution.status, execution.failure_phase, execution.current_failures) == (S.FAILED, "SOAK", 1)
    assert (traffic(lab), "did not stay healthy for 1 s" in execution.status_reason) == ("blue", True)


async def test_unhealthy_instance_below_the_threshold_counts_once_and_restarts_the_soak(make_lab: MakeLab) -> None:
    lab, execution_id = await switched(make_lab, soak_seconds=1, failure_threshold=2)
    break_green(lab, "unhealthy", 2)
    task = going_over(lab, execution_id, Goal.SOAKED)
    await _failures(lab, execution_id, 1)
    await asyncio.wait([task], timeout=1.5)  # longer than the soak
    assert not task.done()
    lab.heal()
    assert (await task).ending is Ending.DONE
    (batch,) = await lab.batches(execution_id)
    assert (batch.phase, batch.soak_seconds > 2) == (Phase.RETIRE, True)
    assert (await lab.execution(execution_id)).current_failures == 1
    assert all(each.healthy for each in (await lab.instances(execution_id)).values())
    assert (await upgrade(lab, execution_id)).status is S.COMPLETED


async def test_failed_poll_in_the_soak_counts_neither_as_unhealthy_nor_as_healthy(make_lab: MakeLab) -> None:
    lab, execution_id = await switched(make_lab, soak_seconds=0, failure_threshold=1)
    for number in (1, 2, 3):
        break_green(lab, "agent-503", number)
    assert (await over(lab, execution_id, Goal.SOAKED, seconds=1)).ending is Ending.UNFINISHED
    execution = await lab.execution(execution_id)
    assert (execution.status, execution.current_failures) == (S.IN_PROGRESS, 0)
    lab.heal()
    assert (await forth(lab, execution_id)).status is S.COMPLETED


async def test_pause_stops_the_watched_seconds_of_the_soak(make_lab: MakeLab) -> None:
    lab, execution_id = await switched(make_lab, soak_seconds=2)
    task = going_over(lab, execution_id, Goal.SOAKED)
    await until_soaking(lab, execution_id)
    await pause_upgrade(lab.world.ports, execution_id, None, OLGA)
    (before,) = await lab.batches(execution_id)
    await asyncio.wait([task], timeout=2.5)  # longer than the soak
    assert not task.done()
    assert not lab.lease()[2]
    resumed = await resume_upgrade(lab.world.ports, execution_id, None, OLGA)
    (after,) = await lab.batches(execution_id)
    assert after.soak_seconds - before.soak_seconds < 1
    assert (await task).ending is Ending.DONE
    (done,) = await lab.batches(execution_id)
    assert seconds_between(before.phase_started_at, done.phase_started_at) >= resumed.paused_seconds + 2 > 4


async def test_command_given_after_the_fleet_was_observed_is_not_overwritten(make_lab: MakeLab) -> None:
    lab, execution_id = await switched(make_lab, soak_seconds=60)
    keeper = LeaseKeeper(lab.world.ports, (await lab.context(execution_id)).deployment)
    assert await keeper.take()
    store = PoolStore(lab.world.ports, keeper, execution_id, GREEN_BATCH)
    stale = (await store.read()).green
    await pause_upgrade(lab.world.ports, execution_id, None, OLGA)
    await resume_upgrade(lab.world.ports, execution_id, None, OLGA)
    assert not await store.write(lambda execution, _: Change(execution, stale))
    fresh = (await store.read()).green
    assert await store.write(lambda execution, _: Change(execution, fresh))
    await keeper.give_back(store.save_clocks)
