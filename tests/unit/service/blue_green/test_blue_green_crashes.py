"""Processes die between any two steps of a switch-over: the next one asks the fleet where it stands, and goes on."""

from collections.abc import Awaitable, Callable

import pytest

from tests.effort import some
from tests.labs.crash_after import Crashed, CrashPoint, crashing
from tests.labs.lab import OLGA, Lab
from tests.labs.memory.lab import MakeLab
from tests.labs.seed import NEW_VERSION, OLD_VERSION
from tests.labs.steps.pools import (
    S,
    blue_green,
    break_green,
    end,
    over,
    pool_orders,
    pools,
    statuses,
    switched,
    traffic,
    upgrade,
)
from upgrade_orchestrator.domain.blue_green.cutover import Goal
from upgrade_orchestrator.domain.execution.execution import Execution
from upgrade_orchestrator.domain.instance.instance import InstanceStatus
from upgrade_orchestrator.service.runner.outcome import Ending
from upgrade_orchestrator.service.upgrade.commands import cancel_upgrade, roll_back_upgrade

Drive = Callable[[Lab, str], Awaitable[Execution]]
FORTH, BACK, CANCELLED = 27, 15, 10
"More moments than there are to die at: the last ones are survived, which a test below makes sure of."


async def _crash_and_continue(lab: Lab, execution_id: str, point: CrashPoint, drive: Drive) -> Execution:
    try:
        return await drive(crashing(lab, point), execution_id)
    except Crashed:
        lab.end_lease()
        return await drive(lab, execution_id)


async def _roll_back(lab: Lab, execution_id: str) -> Execution:
    execution = await lab.execution(execution_id)
    return await lab.roll_back(execution_id) if execution.status is S.ROLLING_BACK else await end(lab, execution_id)


@pytest.mark.parametrize("moment", some(range(1, FORTH + 1)))
async def test_crash_at_any_moment_of_an_upgrade_does_not_change_its_orders(make_lab: MakeLab, moment: int) -> None:
    lab = await make_lab(size=2)
    execution_id = await lab.admitted(**blue_green())
    point = CrashPoint(moment)
    execution = await _crash_and_continue(lab, execution_id, point, upgrade)
    assert execution.status is S.COMPLETED, (point.last, execution.status_reason)
    assert pool_orders(lab) == ["green at 3.7.0", "traffic to green", "blue removed"], point.last
    assert len(lab.upgrades()) == 2, point.last
    assert (pools(lab), lab.most_unavailable()) == ({"green": {NEW_VERSION}}, 0)
    assert await statuses(lab, execution_id) == {InstanceStatus.COMPLETED}
    assert lab.tokens() == sorted(lab.tokens())


@pytest.mark.parametrize("moment", some(range(1, BACK + 1)))
async def test_crash_at_any_moment_of_a_rollback_after_the_removal_does_not_change_its_orders(
    make_lab: MakeLab, moment: int
) -> None:
    lab, execution_id = await switched(make_lab, size=2)
    await over(lab, execution_id, Goal.RETIRED)
    await roll_back_upgrade(lab.world.ports, execution_id, None, OLGA)
    point = CrashPoint(moment)
    execution = await _crash_and_continue(lab, execution_id, point, _roll_back)
    assert execution.status is S.ROLLED_BACK, (point.last, execution.status_reason)
    assert pool_orders(lab)[2:] == ["blue removed", "blue at 3.6.0", "traffic to blue", "green removed"], point.last
    assert (pools(lab), traffic(lab), lab.most_unavailable()) == ({"blue": {OLD_VERSION}}, "blue", 0)
    assert await statuses(lab, execution_id) == {InstanceStatus.ROLLED_BACK}
    assert lab.tokens() == sorted(lab.tokens())


@pytest.mark.parametrize("moment", some(range(1, CANCELLED + 1)))
async def test_crash_at_any_moment_of_a_cancel_before_the_switch_does_not_change_its_orders(
    make_lab: MakeLab, moment: int
) -> None:
    lab = await make_lab(size=2)
    execution_id = await lab.admitted(**blue_green())
    await lab.run(execution_id, 1)
    await cancel_upgrade(lab.world.ports, execution_id, None, OLGA)
    execution = await _crash_and_continue(lab, execution_id, CrashPoint(moment), end)
    assert (execution.status, execution.settled_at is not None) == (S.CANCELLED, True)
    assert pool_orders(lab) == ["green at 3.7.0", "green removed"]
    assert await statuses(lab, execution_id) == {InstanceStatus.ROLLED_BACK}


@pytest.mark.parametrize("moment", some(range(1, CANCELLED + 1)))
async def test_crash_at_any_moment_of_the_revert_after_a_failed_soak_does_not_change_its_orders(
    make_lab: MakeLab, moment: int
) -> None:
    lab, execution_id = await switched(make_lab, size=2, soak_seconds=3600, failure_threshold=1)
    break_green(lab, "unhealthy", 1)
    assert (await over(lab, execution_id, Goal.SOAKED)).ending is Ending.STOPPED
    execution = await _crash_and_continue(lab, execution_id, CrashPoint(moment), end)
    assert (execution.failure_phase, execution.settled_at is not None) == ("SOAK", True)
    assert pool_orders(lab) == ["green at 3.7.0", "traffic to green", "traffic to blue"]
    assert await statuses(lab, execution_id) == {InstanceStatus.ROLLED_BACK}


async def test_crash_moments_of_the_tests_cover_the_whole_upgrade(make_lab: MakeLab) -> None:
    lab = await make_lab(size=2)
    first = await lab.admitted(**blue_green())
    await lab.run(first, 1)
    await cancel_upgrade(lab.world.ports, first, None, OLGA)
    points = [CrashPoint(None) for _ in range(3)]
    await end(crashing(lab, points[0]), first)
    second = await lab.admitted(**blue_green())
    await lab.run(second, 1)
    for goal in Goal:
        await over(lab, second, goal)
    await roll_back_upgrade(lab.world.ports, second, None, OLGA)
    await crashing(lab, points[1]).roll_back(second)
    third = await lab.admitted(**blue_green())
    await upgrade(crashing(lab, points[2]), third)
    assert all(each.moments < most for each, most in zip(points, (CANCELLED, BACK, FORTH), strict=True))
