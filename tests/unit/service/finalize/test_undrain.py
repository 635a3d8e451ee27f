"""Instances that an upgrade drained but did not upgrade are back in service before the upgrade is settled."""

import pytest

from local.fleet.agent.orders import Orders
from tests.effort import some
from tests.labs.crash_after import Crashed, CrashPoint, crashing
from tests.labs.lab import OLGA, until
from tests.labs.memory.lab import MakeLab, MemoryLab
from tests.labs.seed import OLD, OLD_VERSION
from tests.labs.steps.endings import failed_with_a_drain_that_does_not_end
from upgrade_orchestrator.domain.execution.states import ExecutionStatus
from upgrade_orchestrator.domain.instance.instance import ROLLBACK_BATCH, InstanceStatus
from upgrade_orchestrator.service.finalize.finalize import finalize_abandoned, finish_and_settle
from upgrade_orchestrator.service.finalize.undrain import undrain_left
from upgrade_orchestrator.service.runner.outcome import Ending
from upgrade_orchestrator.service.upgrade.commands import cancel_upgrade, roll_back_upgrade

S, I = ExecutionStatus, InstanceStatus  # noqa: E741 - as in the domain
MOMENTS = 8
"More moments than the end of such an upgrade has to die at."


async def test_instance_whose_drain_timed_out_is_undrained_at_the_end(make_lab: MakeLab) -> None:
    lab, execution_id = await failed_with_a_drain_that_does_not_end(make_lab)
    execution = await lab.end(execution_id)
    assert (execution.status, execution.settled_at is not None) == (S.FAILED, True)
    assert (lab.statuses(), lab.versions()) == ({"RUNNING": 3}, {OLD_VERSION: 3})
    assert "out of service" not in execution.status_reason
    assert lab.tokens() == sorted(lab.tokens())


async def test_control_loop_undrains_an_instance_whose_drain_timed_out(make_lab: MakeLab) -> None:
    lab, execution_id = await failed_with_a_drain_that_does_not_end(make_lab)
    await finalize_abandoned(lab.world.ports)
    assert ((await lab.execution(execution_id)).settled_at is not None, lab.statuses()) == (True, {"RUNNING": 3})


async def test_instance_that_was_drained_but_not_upgraded_is_undrained_at_the_end(make_lab: MakeLab) -> None:
    lab = await make_lab(size=1, drain_seconds=0.3)
    execution_id = await lab.admitted(health_check_timeout_seconds=1, failure_threshold=1)
    task = lab.running(execution_id, 1)
    await until(lambda: lab.statuses()["DRAINING"], "it drains")
    lab.fault("agent-503", 1)  # from now on it takes no order
    await task
    assert lab.statuses() == {"DRAINED": 1}
    lab.heal()
    assert (await lab.end(execution_id)).settled_at is not None
    assert lab.statuses() == {"RUNNING": 1}


@pytest.mark.parametrize("moment", some(range(1, MOMENTS + 1)))
async def test_crash_at_any_moment_of_the_end_leaves_no_instance_drained(make_lab: MakeLab, moment: int) -> None:
    lab, execution_id = await failed_with_a_drain_that_does_not_end(make_lab)
    point = CrashPoint(moment)
    try:
        await crashing(lab, point).end(execution_id)
    except Crashed:
        lab.end_lease()
        await lab.end(execution_id)
    else:
        assert point.moments < MOMENTS
    assert (await lab.execution(execution_id)).settled_at is not None
    assert lab.statuses() == {"RUNNING": 3}, point.last
    assert lab.tokens() == sorted(lab.tokens())


async def test_instance_that_refuses_its_undrain_is_ordered_until_the_time_out_and_then_named(
    make_lab: MakeLab,
) -> None:
    lab, execution_id = await failed_with_a_drain_that_does_not_end(make_lab)
    (name,) = [each for each, found in lab.fleet().items() if found["status"] == "DRAINING"]
    lab.world.admin.fault(lab.world.fleet, "agent-503", name)
    execution = await lab.end(execution_id)
    assert (execution.settled_at is not None, lab.statuses()["DRAINING"]) == (True, 1)
    assert execution.status_reason.endswith(f"; out of service: {name} is DRAINING; in the end 3 on {OLD_VERSION}")
    assert execution.status_reason.count(name) == 1


async def test_execution_is_not_settled_while_time_is_left_to_undrain(make_lab: MakeLab) -> None:
    lab, execution_id = await failed_with_a_drain_that_does_not_end(make_lab)
    lab.change_request(health_check_timeout_seconds=600)
    (name,) = [each for each, found in lab.fleet().items() if found["status"] == "DRAINING"]
    lab.world.admin.fault(lab.world.fleet, "agent-503", name)
    assert (await finish_and_settle(lab.world.ports, await lab.context(execution_id), 3.0)).ending is Ending.UNFINISHED
    assert (await lab.execution(execution_id)).settled_at is None
    lab.heal()
    assert (await lab.end(execution_id)).settled_at is not None
    assert lab.statuses() == {"RUNNING": 3}


# fault 31
async def test_fleet_with_a_newer_fencing_token_gets_no_undrain_and_keeps_no_place(make_lab: MakeLab) -> None:
    lab, execution_id = await failed_with_a_drain_that_does_not_end(make_lab)
    idle = next(number for number in (1, 2, 3) if lab.fleet()[lab.name(number)]["status"] == "RUNNING")
    lab.order(Orders.undrain, lab.name(idle), fence=1000)
    execution = await lab.end(execution_id)
    assert lab.statuses()["DRAINING"] == 1
    assert (execution.settled_at is not None, lab.lease()[2]) == (True, False)
    assert "refuses our fencing token" in execution.status_reason
    assert await lab.deployment() == (OLD, {"unknown": 1, OLD_VERSION: 2})


async def test_instance_that_was_drained_by_others_stays_drained(make_lab: MakeLab) -> None:
    lab = await make_lab(size=3)
    execution_id = await lab.admitted(failure_threshold=1, max_unavailable_percentage=67, total_instances=1)
    lab.fault("upgrade-fails")
    await lab.run(execution_id, 1)
    (failed,) = await lab.instances(execution_id)
    other = next(each for each in lab.fleet() if each != failed)
    lab.order(Orders.drain, other, fence=lab.tokens()[-1])
    assert (await lab.end(execution_id)).settled_at is not None
    assert lab.fleet()[other]["status"] == "DRAINED"
    assert lab.fleet()[failed]["status"] == "STOPPED"


async def _rolled_back_with_a_drain_that_is_not_undone(make_lab: MakeLab) -> tuple[MemoryLab, str]:
    lab = await make_lab(size=2, drain_seconds=0.05)
    execution_id = await lab.admitted(health_check_timeout_seconds=1, max_unavailable_percentage=50)
    await lab.run(execution_id, 1)
    await roll_back_upgrade(lab.world.ports, execution_id, None, OLGA)
    task = lab.running(execution_id, ROLLBACK_BATCH)
    await until(lambda: lab.statuses()["DRAINING"], "one drains")
    (name,) = [each for each, found in lab.fleet().items() if found["status"] == "DRAINING"]
    lab.world.admin.fault(lab.world.fleet, "agent-503", name)
    await task
    assert lab.fleet()[name]["status"] == "DRAINED"
    return lab, execution_id


async def test_failed_rollback_undrains_its_drained_instance(make_lab: MakeLab) -> None:
    lab, execution_id = await _rolled_back_with_a_drain_that_is_not_undone(make_lab)
    lab.heal()
    execution = await lab.roll_back(execution_id)
    assert (execution.status, execution.failure_phase, execution.settled_at is not None) == (S.FAILED, "ROLLBACK", True)
    assert lab.statuses() == {"RUNNING": 2}


async def test_failed_rollback_that_cannot_undrain_in_time_leaves_it_to_the_control_loop(
    make_lab: MakeLab,
) -> None:
    lab, execution_id = await _rolled_back_with_a_drain_that_is_not_undone(make_lab)
    lab.change_request(health_check_timeout_seconds=600)
    execution = await lab.roll_back(execution_id)
    assert (execution.status, execution.settled_at) == (S.FAILED, None)
    lab.heal()
    await finalize_abandoned(lab.world.ports)
    assert (await lab.execution(execution_id)).settled_at is not None
    assert lab.statuses() == {"RUNNING": 2}


async def test_running_upgrade_undrains_no_instance(make_lab: MakeLab) -> None:
    lab = await make_lab(size=2)
    execution_id = await lab.admitted()
    lab.fault("agent-503")
    assert (await undrain_left(lab.world.ports, await lab.context(execution_id), 1.0)).ending is Ending.UNFINISHED


async def test_upgrade_cancelled_before_it_began_calls_no_fleet(make_lab: MakeLab) -> None:
    lab = await make_lab(size=2)
    execution_id = await lab.admitted()
    lab.fault("agent-503")
    await cancel_upgrade(lab.world.ports, execution_id, None, OLGA)
    assert (await lab.end(execution_id)).settled_at is not None
