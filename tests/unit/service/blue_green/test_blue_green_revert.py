"""Out of a blue-green upgrade: cancels, and rollbacks from wherever the two pools stand."""

import asyncio

import pytest

from tests.labs.lab import OLGA, Lab, until
from tests.labs.memory.lab import MakeLab
from tests.labs.seed import NEW, NEW_VERSION, OLD, OLD_VERSION
from tests.labs.steps.pools import (
    S,
    blue_green,
    break_green,
    end,
    going_over,
    green,
    over,
    pool_orders,
    pools,
    statuses,
    switched,
    traffic,
    until_soaking,
)
from upgrade_orchestrator.domain.blue_green.cutover import Goal
from upgrade_orchestrator.domain.execution.events import EventType
from upgrade_orchestrator.domain.execution.states import ExecutionStatus
from upgrade_orchestrator.domain.instance.instance import InstanceStatus
from upgrade_orchestrator.service.rollout.verification import verify
from upgrade_orchestrator.service.runner.outcome import Ending
from upgrade_orchestrator.service.upgrade.commands import cancel_upgrade, pause_upgrade, roll_back_upgrade

I = InstanceStatus  # noqa: E741 - as in the domain


# -- cancel ----------------------------------------------------------------------------------------------------------


async def test_cancel_before_the_switch_removes_the_unused_pool(make_lab: MakeLab) -> None:
    lab = await make_lab(size=3)
    execution_id = await lab.admitted(**blue_green())
    await lab.run(execution_id, 1)
    cancelled = await cancel_upgrade(lab.world.ports, execution_id, "enough", OLGA)
    assert cancelled.status_reason == f"enough; 3 on {OLD_VERSION}"
    assert (await over(lab, execution_id, Goal.SWITCHED)).ending is Ending.STOPPED
    execution = await end(lab, execution_id)
    assert (execution.status, execution.settled_at is not None) == (S.CANCELLED, True)
    assert pool_orders(lab) == ["green at 3.7.0", "green removed"]
    assert await statuses(lab, execution_id) == {I.ROLLED_BACK}
    assert (await lab.deployment(), lab.most_unavailable()) == ((OLD, None), 0)


async def test_cancel_while_the_pool_starts_removes_it(make_lab: MakeLab) -> None:
    lab = await make_lab(size=2, upgrade_seconds=0.5)
    execution_id = await lab.admitted(**blue_green())
    task = lab.running(execution_id, 1)
    await until(lab.upgrades, "the pool is asked for")
    await cancel_upgrade(lab.world.ports, execution_id, None, OLGA)
    assert (await task).ending is Ending.STOPPED
    assert (await end(lab, execution_id)).settled_at is not None
    assert pools(lab) == {"blue": {OLD_VERSION}}


async def test_cancel_after_the_switch_changes_no_pool(make_lab: MakeLab) -> None:
    lab, execution_id = await switched(make_lab, soak_seconds=3600)
    task = going_over(lab, execution_id, Goal.RETIRED)
    await until_soaking(lab, execution_id)
    cancelled = await cancel_upgrade(lab.world.ports, execution_id, None, OLGA)
    assert f"3 on {NEW_VERSION}" in cancelled.status_reason
    assert (await task).ending is Ending.STOPPED
    execution = await end(lab, execution_id)
    assert execution.settled_at is not None
    assert pool_orders(lab) == ["green at 3.7.0", "traffic to green"]
    assert set(pools(lab)) == {"blue", "green"}
    assert await statuses(lab, execution_id) == {I.COMPLETED}
    assert await lab.deployment() == (OLD, {NEW_VERSION: 3})


# -- rollback --------------------------------------------------------------------------------------------------------


async def _rolled_back(lab: Lab, execution_id: str) -> None:
    await roll_back_upgrade(lab.world.ports, execution_id, "changed my mind", OLGA)
    execution = await lab.roll_back(execution_id)
    assert (execution.status, execution.settled_at is not None) == (S.ROLLED_BACK, True), execution.status_reason
    assert await statuses(lab, execution_id) == {I.ROLLED_BACK}
    assert (traffic(lab), pools(lab)) == ("blue", {"blue": {OLD_VERSION}})
    assert await lab.deployment() == (OLD, None)
    assert lab.most_unavailable() == 0
    events = await lab.events(execution_id)
    back = [each for each in events if each.what is EventType.INSTANCE_CHANGED and each.data["to"] == "ROLLED_BACK"]
    assert len(back) == len(await lab.instances(execution_id))


async def test_rollback_before_the_switch_removes_the_new_pool(make_lab: MakeLab) -> None:
    lab = await make_lab(size=2)
    execution_id = await lab.admitted(**blue_green())
    await lab.run(execution_id, 1)
    await over(lab, execution_id, Goal.CHECKED)
    await _rolled_back(lab, execution_id)
    assert pool_orders(lab) == ["green at 3.7.0", "green removed"]


async def test_rollback_while_the_pool_starts_does_not_wait_for_it(make_lab: MakeLab) -> None:
    lab = await make_lab(size=2, upgrade_seconds=30)
    execution_id = await lab.admitted(**blue_green(health_check_timeout_seconds=60))
    task = lab.running(execution_id, 1)
    await until(lab.upgrades, "the pool is asked for")
    await roll_back_upgrade(lab.world.ports, execution_id, None, OLGA)
    assert (await asyncio.wait_for(task, 5)).ending is Ending.STOPPED
    execution = await asyncio.wait_for(lab.roll_back(execution_id), 5)
    assert (execution.status, pools(lab)) == (S.ROLLED_BACK, {"blue": {OLD_VERSION}})


async def test_rollback_during_the_soak_switches_the_traffic_back(make_lab: MakeLab) -> None:
    lab, execution_id = await switched(make_lab, soak_seconds=3600)
    task = going_over(lab, execution_id, Goal.SOAKED)
    await until_soaking(lab, execution_id)
    await pause_upgrade(lab.world.ports, execution_id, None, OLGA)
    await _rolled_back(lab, execution_id)
    assert (await task).ending is Ending.STOPPED
    assert pool_orders(lab) == ["green at 3.7.0", "traffic to green", "traffic to blue", "green removed"]


async def test_rollback_after_the_removal_of_the_old_pool_makes_it_again_before_it_switches(make_lab: MakeLab) -> None:
    lab, execution_id = await switched(make_lab)
    assert (await over(lab, execution_id, Goal.RETIRED)).ending is Ending.DONE
    assert pools(lab) == {"green": {NEW_VERSION}}
    await _rolled_back(lab, execution_id)
    assert pool_orders(lab)[2:] == ["blue removed", f"blue at {OLD_VERSION}", "traffic to blue", "green removed"]


async def test_rollback_whose_pool_does_not_start_fails_with_the_reason(make_lab: MakeLab) -> None:
    lab, execution_id = await switched(make_lab, health_check_timeout_seconds=1)
    await over(lab, execution_id, Goal.RETIRED)
    lab.fault("upgrade-fails")
    await roll_back_upgrade(lab.world.ports, execution_id, None, OLGA)
    execution = await lab.roll_back(execution_id)
    assert (execution.status, execution.failure_phase, execution.settled_at is not None) == (S.FAILED, "ROLLBACK", True)
    assert "pool blue is not ready" in execution.status_reason
    assert (traffic(lab), lab.most_unavailable()) == ("green", 0)
    assert await lab.deployment() == (OLD, {NEW_VERSION: 3})
    rows = (await lab.instances(execution_id)).values()
    assert all("pool blue is not ready" in (each.error or "") for each in rows)


async def test_rollback_to_a_pool_with_a_stopped_instance_switches_after_the_time_out_if_it_is_no_worse(
    make_lab: MakeLab,
) -> None:
    lab, execution_id = await switched(make_lab, health_check_timeout_seconds=1, soak_seconds=3600)
    lab.kill(1)
    lab.world.admin.kill(lab.world.fleet, green(lab, 1))
    await roll_back_upgrade(lab.world.ports, execution_id, None, OLGA)
    assert (await lab.roll_back(execution_id)).status is S.ROLLED_BACK
    assert traffic(lab) == "blue"


@pytest.mark.parametrize("fails", [True, False])
async def test_verification_observes_the_serving_pool(make_lab: MakeLab, fails: bool) -> None:
    lab, execution_id = await switched(make_lab)
    await over(lab, execution_id, Goal.RETIRED)
    if fails:
        break_green(lab, "unhealthy", 3)
    await verify(lab.world.ports, await lab.context(execution_id), None)
    execution = await lab.execution(execution_id)
    expected: tuple[ExecutionStatus, str] = (S.FAILED, OLD) if fails else (S.COMPLETED, NEW)
    assert (execution.status, (await lab.deployment())[0]) == expected
    assert (green(lab, 3) in execution.status_reason) is fails
