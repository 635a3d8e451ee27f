"""Pause, resume and cancel reach a batch that runs."""

import asyncio
from collections import Counter

from tests.labs.lab import OLGA, Lab, seconds_between, until
from tests.labs.memory.lab import MakeLab
from tests.labs.seed import NEW_VERSION, OLD_VERSION
from upgrade_orchestrator.domain.execution.states import ExecutionStatus
from upgrade_orchestrator.domain.instance.instance import InstanceStatus
from upgrade_orchestrator.service.runner.outcome import Ending
from upgrade_orchestrator.service.upgrade.commands import cancel_upgrade, pause_upgrade, resume_upgrade


async def _in_flight(lab: Lab, execution_id: str) -> int:
    return sum(each.in_flight for each in (await lab.instances(execution_id)).values())


async def _settles(lab: Lab, execution_id: str) -> None:
    """Waits until nothing is in flight, by the rows."""
    async with lab.world.ports.signals.of(execution_id) as waiter:
        for _ in range(200):
            if await _in_flight(lab, execution_id) == 0:
                return
            await waiter.wait(0.1)
    raise AssertionError("still in flight")


async def test_pause_lets_instances_in_flight_finish_and_starts_no_other(make_lab: MakeLab) -> None:
    lab = await make_lab(size=4, upgrade_seconds=0.3)
    execution_id = await lab.admitted()
    task = lab.running(execution_id, 1)
    await until(lab.upgrades, "an upgrade under way")
    await pause_upgrade(lab.world.ports, execution_id, None, OLGA)
    begun = lab.upgrades()
    await _settles(lab, execution_id)
    assert lab.versions() == {NEW_VERSION: 1, OLD_VERSION: 3}
    assert lab.upgrades() == begun
    await until(lambda: not lab.lease()[2], "the lease is given back")
    assert not task.done()
    await resume_upgrade(lab.world.ports, execution_id, None, OLGA)
    assert (await task).ending is Ending.DONE
    assert set(Counter(lab.upgrades()).values()) == {1}
    assert lab.versions() == {NEW_VERSION: 4}


async def test_resume_wakes_a_waiting_runner_within_a_second(make_lab: MakeLab) -> None:
    lab = await make_lab(size=1)
    execution_id = await lab.admitted()
    await pause_upgrade(lab.world.ports, execution_id, None, OLGA)
    task = lab.running(execution_id, 1)
    await asyncio.sleep(30)  # it has nothing to do but to listen
    await resume_upgrade(lab.world.ports, execution_id, None, OLGA)
    await until(lab.upgrades, "work goes on", seconds=1.0)
    await task


async def test_pause_delays_the_next_batch_by_its_length(make_lab: MakeLab) -> None:
    lab = await make_lab(size=2)
    execution_id = await lab.admitted(batch_size=1, batch_delay_seconds=3600)
    await lab.run(execution_id, 1)
    due = (await lab.batches(execution_id))[1].due_at
    await pause_upgrade(lab.world.ports, execution_id, None, OLGA)
    assert (await lab.run(execution_id, 2, seconds=0.5)).ending is Ending.UNFINISHED
    resumed = await resume_upgrade(lab.world.ports, execution_id, None, OLGA)
    pushed = seconds_between(due, (await lab.batches(execution_id))[1].due_at)
    assert abs(pushed - resumed.paused_seconds) < 0.01
    assert pushed > 0


async def test_failures_during_a_pause_take_effect_at_the_resume(make_lab: MakeLab) -> None:
    lab = await make_lab(size=4, upgrade_seconds=0.3)
    lab.fault("upgrade-fails")
    execution_id = await lab.admitted(failure_threshold=1)
    task = lab.running(execution_id, 1)
    await until(lab.upgrades, "an upgrade under way")
    await pause_upgrade(lab.world.ports, execution_id, None, OLGA)
    await _settles(lab, execution_id)
    assert (await lab.execution(execution_id)).status is ExecutionStatus.PAUSED
    resumed = await resume_upgrade(lab.world.ports, execution_id, None, OLGA)
    assert (resumed.status, resumed.current_failures) == (ExecutionStatus.FAILED, 1)
    assert (await task).ending is Ending.STOPPED
    assert len(lab.upgrades()) == 1


async def test_cancel_undrains_draining_instances(make_lab: MakeLab) -> None:
    lab = await make_lab(size=4, drain_seconds=60)
    execution_id = await lab.admitted(max_unavailable_percentage=50, health_check_timeout_seconds=120)
    task = lab.running(execution_id, 1)
    await until(lambda: lab.statuses()["DRAINING"] == 2, "draining")
    await cancel_upgrade(lab.world.ports, execution_id, None, OLGA)
    assert (await task).ending is Ending.STOPPED
    assert (lab.versions(), lab.statuses()) == ({OLD_VERSION: 4}, {"RUNNING": 4})
    assert {each.status for each in (await lab.instances(execution_id)).values()} == {InstanceStatus.PENDING}
    assert lab.upgrades() == []
    assert (await lab.end(execution_id)).settled_at is not None


async def test_cancel_lets_upgrading_instances_finish_and_does_not_touch_the_rest(make_lab: MakeLab) -> None:
    lab = await make_lab(size=4, upgrade_seconds=0.5)
    execution_id = await lab.admitted(max_unavailable_percentage=50)
    task = lab.running(execution_id, 1)
    await until(lambda: len(lab.upgrades()) == 2, "two upgrades under way")
    await cancel_upgrade(lab.world.ports, execution_id, "enough", OLGA)
    assert (await task).ending is Ending.STOPPED
    execution = await lab.end(execution_id)
    assert (execution.status, execution.settled_at is not None) == (ExecutionStatus.CANCELLED, True)
    assert lab.versions() == {NEW_VERSION: 2, OLD_VERSION: 2}
    assert lab.statuses() == {"RUNNING": 4}


async def test_cancel_does_not_wait_for_a_soak(make_lab: MakeLab) -> None:
    lab = await make_lab(size=2)
    execution_id = await lab.admitted(soak_seconds=3600)
    task = lab.running(execution_id, 1)
    await until(lambda: lab.versions()[NEW_VERSION] == 2, "both upgraded")
    await cancel_upgrade(lab.world.ports, execution_id, None, OLGA)
    assert (await task).ending is Ending.STOPPED
    assert {each.status for each in (await lab.instances(execution_id)).values()} == {InstanceStatus.COMPLETED}


async def test_cancel_of_a_paused_execution_frees_the_active_slot(make_lab: MakeLab) -> None:
    lab = await make_lab(size=2)
    execution_id = await lab.admitted()
    await pause_upgrade(lab.world.ports, execution_id, None, OLGA)
    task = lab.running(execution_id, 1)
    execution = await cancel_upgrade(lab.world.ports, execution_id, None, OLGA)
    assert execution.settled_at is not None  # nothing was touched
    assert (await task).ending is Ending.STOPPED
    assert await lab.created() != execution
