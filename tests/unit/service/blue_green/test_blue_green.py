"""Blue-green: a second pool, checks, one switch, a soak, and the old pool gone."""

import pytest

from local.fleet.agent.orders import Orders
from tests.labs.memory.lab import MakeLab
from tests.labs.seed import NEW_VERSION, OLD, OLD_VERSION
from tests.labs.steps.pools import (
    NEWEST_VERSION,
    S,
    admitted_next,
    blue_green,
    break_green,
    end,
    forth,
    going_over,
    green,
    over,
    pool_orders,
    pools,
    traffic,
    until_soaking,
    upgrade,
)
from upgrade_orchestrator.domain.blue_green.cutover import Goal
from upgrade_orchestrator.domain.execution.execution import Strategy
from upgrade_orchestrator.domain.execution.states import ExecutionStatus
from upgrade_orchestrator.service.runner.outcome import Ending

# -- the way forth ---------------------------------------------------------------------------------------------------


async def test_tasks_of_a_cutover_stop_at_their_goal(make_lab: MakeLab) -> None:
    lab = await make_lab(size=2)
    execution_id = await lab.admitted(**blue_green())
    assert (await lab.run(execution_id, 1)).ending is Ending.DONE
    assert (await over(lab, execution_id, Goal.CHECKED)).ending is Ending.DONE
    assert (pool_orders(lab), traffic(lab)) == (["green at 3.7.0"], "blue")
    await over(lab, execution_id, Goal.SWITCHED)
    await over(lab, execution_id, Goal.SWITCHED)
    assert pool_orders(lab) == ["green at 3.7.0", "traffic to green"]
    await over(lab, execution_id, Goal.SOAKED)
    assert set(pools(lab)) == {"blue", "green"}
    await over(lab, execution_id, Goal.RETIRED)
    assert set(pools(lab)) == {"green"}


async def test_step_whose_task_was_marked_successful_is_done_by_the_next_task(make_lab: MakeLab) -> None:
    lab = await make_lab(size=2)
    execution_id = await lab.admitted(**blue_green())
    assert (await over(lab, execution_id, Goal.RETIRED)).ending is Ending.DONE
    assert pool_orders(lab) == ["green at 3.7.0", "traffic to green", "blue removed"]


async def test_new_pool_is_as_large_as_the_old_one_when_only_a_part_is_planned(make_lab: MakeLab) -> None:
    lab = await make_lab(size=3)
    execution_id = await lab.admitted(**blue_green(total_instances=2))
    assert (await upgrade(lab, execution_id)).status is S.COMPLETED
    assert (len(lab.fleet()), lab.versions()) == (3, {NEW_VERSION: 3})


async def test_next_blue_green_upgrade_uses_the_other_pool_and_a_rolling_one_the_serving_pool(
    make_lab: MakeLab,
) -> None:
    lab = await make_lab(size=2)
    assert (await upgrade(lab, await lab.admitted(**blue_green()))).status is S.COMPLETED
    second = await admitted_next(lab, Strategy.BLUE_GREEN)
    assert (await upgrade(lab, second)).status is S.COMPLETED
    assert pool_orders(lab)[3:] == [f"blue at {NEWEST_VERSION}", "traffic to blue", "green removed"]
    assert pools(lab) == {"blue": {NEWEST_VERSION}}
    assert lab.most_unavailable() == 0


async def test_rolling_upgrade_works_on_the_serving_pool(make_lab: MakeLab) -> None:
    lab = await make_lab(size=2)
    assert (await upgrade(lab, await lab.admitted(**blue_green()))).status is S.COMPLETED
    second = await admitted_next(lab, Strategy.ROLLING)
    assert (await lab.upgrade(second)).status is S.COMPLETED
    assert pools(lab) == {"green": {NEWEST_VERSION}}


# -- what was there before -------------------------------------------------------------------------------------------


async def test_left_over_pool_at_another_version_is_removed_first(make_lab: MakeLab) -> None:
    lab = await make_lab(size=2)
    await lab.left_over("3.5.0", 2)
    assert (await upgrade(lab, await lab.admitted(**blue_green()))).status is S.COMPLETED
    assert pool_orders(lab)[1:4] == ["green removed", "green at 3.7.0", "traffic to green"]
    assert pools(lab) == {"green": {NEW_VERSION}}


async def test_left_over_pool_at_the_target_version_is_reused(make_lab: MakeLab) -> None:
    lab = await make_lab(size=2)
    await lab.left_over(NEW_VERSION, 2)
    assert (await upgrade(lab, await lab.admitted(**blue_green()))).status is S.COMPLETED
    assert pool_orders(lab) == ["green at 3.7.0", "traffic to green", "blue removed"]
    assert len(lab.upgrades()) == 2  # of the left-over itself


async def test_left_over_pool_that_is_too_small_is_made_again(make_lab: MakeLab) -> None:
    lab = await make_lab(size=3)
    await lab.left_over(NEW_VERSION, 1)
    assert (await upgrade(lab, await lab.admitted(**blue_green()))).status is S.COMPLETED
    assert pool_orders(lab)[1:] == ["green removed", "green at 3.7.0", "traffic to green", "blue removed"]
    assert len(lab.fleet()) == 3


# -- a new pool that does not come up --------------------------------------------------------------------------------


async def test_instance_that_does_not_start_gets_a_second_try(make_lab: MakeLab) -> None:
    lab = await make_lab(size=3)
    lab.fault("upgrade-fails", times=1)
    execution_id = await lab.admitted(**blue_green())
    execution = await upgrade(lab, execution_id)
    assert (execution.status, execution.current_failures) == (S.COMPLETED, 1)
    assert pool_orders(lab) == ["green at 3.7.0", "traffic to green", "blue removed"]
    assert sorted(each.attempts for each in (await lab.instances(execution_id)).values()) == [1, 1, 2]


async def test_instance_that_starts_unhealthy_is_drained_and_gets_a_second_try(make_lab: MakeLab) -> None:
    lab = await make_lab(size=2)
    lab.fault("comes-up-unhealthy", times=1)
    execution_id = await lab.admitted(**blue_green(health_check_timeout_seconds=1))
    assert (await upgrade(lab, execution_id)).status is S.COMPLETED
    assert lab.most_unavailable() == 0


async def test_traffic_stays_with_the_old_pool_when_an_instance_fails_twice(make_lab: MakeLab) -> None:
    lab = await make_lab(size=1)
    lab.fault("upgrade-fails", times=2)
    execution_id = await lab.admitted(**blue_green())
    execution = await upgrade(lab, execution_id)
    assert (execution.status, execution.failure_phase) == (S.FAILED, "CHECK")
    assert lab.name(1) in execution.status_reason
    assert (pool_orders(lab), traffic(lab)) == (["green at 3.7.0"], "blue")


async def test_failures_at_the_threshold_fail_the_upgrade_and_keep_the_new_pool_for_inspection(
    make_lab: MakeLab,
) -> None:
    lab = await make_lab(size=2)
    lab.fault("upgrade-fails")
    execution_id = await lab.admitted(**blue_green(failure_threshold=1))
    execution = await upgrade(lab, execution_id)
    assert (execution.status, execution.settled_at is not None) == (S.FAILED, True)
    assert (pool_orders(lab), traffic(lab)) == (["green at 3.7.0"], "blue")
    assert set(pools(lab)) == {"blue", "green"}
    assert await lab.deployment() == (OLD, None)
    lab.heal()
    assert (await upgrade(lab, await lab.admitted(**blue_green()))).status is S.COMPLETED


async def test_failures_at_the_threshold_with_auto_rollback_remove_the_new_pool(make_lab: MakeLab) -> None:
    lab = await make_lab(size=2)
    lab.fault("upgrade-fails")
    execution_id = await lab.admitted(**blue_green(failure_threshold=1, auto_rollback_enabled=True))
    execution = await upgrade(lab, execution_id)
    assert (execution.status, execution.settled_at is not None) == (S.ROLLED_BACK, True)
    assert (pool_orders(lab), pools(lab)) == (["green at 3.7.0", "green removed"], {"blue": {OLD_VERSION}})
    assert await lab.deployment() == (OLD, None)
    assert lab.most_unavailable() == 0


# -- the check before the switch -------------------------------------------------------------------------------------


@pytest.mark.parametrize(("back", "ends"), [(False, S.FAILED), (True, S.ROLLED_BACK)])
async def test_pool_that_becomes_unhealthy_before_the_switch_never_gets_the_traffic(
    make_lab: MakeLab, back: bool, ends: ExecutionStatus
) -> None:
    lab = await make_lab(size=2)
    execution_id = await lab.admitted(**blue_green(health_check_timeout_seconds=1, auto_rollback_enabled=back))
    await lab.run(execution_id, 1)
    break_green(lab, "unhealthy", 2)
    execution = await upgrade(lab, execution_id)
    assert (execution.status, execution.failure_phase) == (ends, None if back else "CHECK")
    assert green(lab, 2) in (execution.rollback.reason or execution.status_reason)
    assert (traffic(lab), "traffic to green" in pool_orders(lab)) == ("blue", False)
    assert lab.most_unavailable() == 0


async def test_pool_that_recovers_in_time_gets_the_traffic(make_lab: MakeLab) -> None:
    lab = await make_lab(size=2)
    execution_id = await lab.admitted(**blue_green())
    await lab.run(execution_id, 1)
    break_green(lab, "unhealthy", 2, times=3)
    execution = await upgrade(lab, execution_id)
    assert (execution.status, execution.current_failures) == (S.COMPLETED, 0)


async def test_unresponsive_pool_does_not_get_the_traffic(make_lab: MakeLab) -> None:
    lab = await make_lab(size=2)
    execution_id = await lab.admitted(**blue_green())
    await lab.run(execution_id, 1)
    lab.fault("agent-503")
    assert (await over(lab, execution_id, Goal.SWITCHED, seconds=0.5)).ending is Ending.UNFINISHED
    assert (await lab.execution(execution_id)).status is S.IN_PROGRESS
    lab.heal()
    assert (await forth(lab, execution_id)).status is S.COMPLETED


async def test_traffic_switched_by_another_party_is_not_switched_again(make_lab: MakeLab) -> None:
    lab = await make_lab(size=2)
    execution_id = await lab.admitted(**blue_green(soak_seconds=3600))
    task = going_over(lab, execution_id, Goal.SOAKED)
    await until_soaking(lab, execution_id)
    lab.order(Orders.switch, "", fence=lab.lease()[1], body={"pool": "blue"})
    assert (await task).ending is Ending.STOPPED
    execution = await end(lab, execution_id)
    assert (execution.status, execution.failure_phase) == (S.FAILED, "SOAK")
    assert "something else switched the traffic" in execution.status_reason
    assert (traffic(lab), pool_orders(lab)[-1]) == ("blue", "traffic to blue")
