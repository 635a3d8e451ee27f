"""Instances that the fleet's list leaves out, that are replaced, and that join (specification section 4)."""

import asyncio
from dataclasses import replace

import pytest

from tests.labs.fleet.edited import Edit, EditedFleets, as_it_is, empty, only_running, renamed, silent, without_ids
from tests.labs.lab import OLGA, until
from tests.labs.memory.lab import MakeLab, MemoryLab
from tests.labs.seed import NEW, NEW_VERSION, OLD_VERSION
from tests.labs.steps.canaries import canary_fields, monitored
from upgrade_orchestrator.adapters.memory.engine.tables import BATCH
from upgrade_orchestrator.domain.execution.states import ExecutionStatus
from upgrade_orchestrator.domain.instance.fleet import FleetInstance
from upgrade_orchestrator.domain.instance.instance import InstanceStatus
from upgrade_orchestrator.service.rollout.batch import run_batch
from upgrade_orchestrator.service.runner.outcome import Ending
from upgrade_orchestrator.service.upgrade.commands import pause_upgrade, roll_back_upgrade

S, I = ExecutionStatus, InstanceStatus  # noqa: E741
B = {"batch_size": 2, "max_unavailable_percentage": 25, "failure_threshold": 1, "auto_rollback_enabled": True}
TIME_OUT = 20
"Of the base request of the faults: a fleet of 8, batches of 2."


def edited(lab: MemoryLab) -> tuple[MemoryLab, EditedFleets]:
    """The lab, and the rules by which its fleet's answers are edited."""
    fleets = EditedFleets(lab.world.ports.fleets)
    return lab.with_ports(fleets=fleets), fleets


async def base(make_lab: MakeLab, **settings: object) -> tuple[MemoryLab, EditedFleets]:
    return edited(await make_lab(size=8, **settings))


# fault 1
@pytest.mark.parametrize("edit", [empty, only_running, without_ids("lab-01", "lab-02", "lab-05")])
async def test_list_that_leaves_instances_out_for_a_while_fails_nothing(make_lab: MakeLab, edit: Edit) -> None:
    lab, fleets = await base(make_lab, upgrade_seconds=3)
    execution_id = await lab.admitted(**B, health_check_timeout_seconds=TIME_OUT)
    task = asyncio.create_task(lab.upgrade(execution_id))
    await until(lambda: lab.statuses()["UPGRADING"] == 2, "the first batch is upgraded")
    fleets.edit = edit
    await asyncio.sleep(TIME_OUT / 2)
    fleets.edit = as_it_is
    execution = await task
    assert (execution.status, execution.current_failures) == (S.COMPLETED, 0)
    assert lab.versions() == {NEW_VERSION: 8}


# fault 1: the negative twin
async def test_instance_in_flight_that_is_absent_for_the_whole_time_out_is_a_failure(make_lab: MakeLab) -> None:
    lab, fleets = await base(make_lab, upgrade_seconds=3)
    execution_id = await lab.admitted(**B, health_check_timeout_seconds=TIME_OUT)
    task = asyncio.create_task(lab.upgrade(execution_id))
    await until(lambda: lab.statuses()["UPGRADING"] == 2, "the first batch is upgraded")
    fleets.edit = without_ids("lab-02", "lab-03")
    execution = await task
    assert (execution.status, execution.current_failures) == (S.ROLLED_BACK, 2)
    assert "gone from the fleet: lab-02, lab-03" in execution.status_reason


# fault 2
async def test_instances_replaced_after_their_batch_are_gone_and_the_upgrade_goes_on(make_lab: MakeLab) -> None:
    lab, fleets = await base(make_lab)
    execution_id = await lab.admitted(**B, health_check_timeout_seconds=TIME_OUT)
    await lab.run(execution_id, 1)
    done = [name for name, row in (await lab.instances(execution_id)).items() if row.status is I.COMPLETED]
    fleets.edit = renamed(*done)
    execution = await lab.upgrade(execution_id)
    assert execution.status is S.COMPLETED
    assert f"gone from the fleet: {', '.join(done)}" in execution.status_reason
    rows = (await lab.instances(execution_id)).values()
    assert sorted(row.instance_id for row in rows if row.gone) == sorted(done)
    assert await lab.deployment() == (NEW, None)


# fault 2: instances that joined on another version make the deployment mixed
async def test_instances_that_joined_at_another_version_make_the_deployment_mixed(make_lab: MakeLab) -> None:
    lab, fleets = await base(make_lab)
    execution_id = await lab.admitted(**B)
    joined = FleetInstance("joined", OLD_VERSION, "RUNNING", True)
    fleets.edit = lambda fleet: replace(fleet, instances=(*fleet.instances, joined))
    execution = await lab.upgrade(execution_id)
    assert execution.status is S.COMPLETED
    assert "mixed" in execution.status_reason
    assert await lab.deployment() == (NEW, {NEW_VERSION: 8, OLD_VERSION: 1})


async def test_joined_instances_that_are_unhealthy_count_against_the_budget(make_lab: MakeLab) -> None:
    lab, fleets = await base(make_lab)
    execution_id = await lab.admitted(**B | {"auto_rollback_enabled": False}, health_check_timeout_seconds=2)
    ill = [FleetInstance(f"joined-{n}", OLD_VERSION, "RUNNING", False) for n in (1, 2)]
    fleets.edit = lambda fleet: replace(fleet, instances=(*fleet.instances, *ill))
    execution = await lab.run_batches(execution_id)
    assert execution.status is S.FAILED
    assert "no budget left: unavailable are joined-1, joined-2" in execution.status_reason
    assert lab.upgrades() == []


# fault 3
async def test_rollback_reverts_what_is_there_and_names_the_gone(make_lab: MakeLab) -> None:
    lab, fleets = edited(await make_lab(size=6))
    execution_id = await lab.admitted(batch_size=3, max_unavailable_percentage=50)
    await lab.run(execution_id, 1)
    rows = await lab.instances(execution_id)
    (done, *_), (pending, *_) = (
        [name for name, row in rows.items() if row.status is status] for status in (I.COMPLETED, I.PENDING)
    )
    fleets.edit = without_ids(done, pending)
    await roll_back_upgrade(lab.world.ports, execution_id, None, OLGA)
    execution = await lab.roll_back(execution_id)
    assert execution.status is S.ROLLED_BACK
    assert f"gone from the fleet: {done}" in execution.status_reason
    assert lab.versions() == {OLD_VERSION: 5, NEW_VERSION: 1}


async def test_plan_of_which_nothing_is_left_fails(make_lab: MakeLab) -> None:
    lab, fleets = edited(await make_lab(size=2))
    execution_id = await lab.admitted(health_check_timeout_seconds=2)
    fleets.edit = renamed("lab-01", "lab-02")
    execution = await lab.upgrade(execution_id)
    assert execution.status is S.FAILED
    assert "nothing is left of the plan" in execution.status_reason
    assert execution.settled_at is not None


async def test_absence_does_not_count_while_the_next_batch_waits_for_its_time(make_lab: MakeLab) -> None:
    lab, fleets = edited(await make_lab(size=4))
    execution_id = await lab.admitted(
        batch_size=2, max_unavailable_percentage=50, health_check_timeout_seconds=15, batch_delay_seconds=600
    )
    await lab.run(execution_id, 1)
    pending = [name for name, row in (await lab.instances(execution_id)).items() if row.status is I.PENDING]
    fleets.edit = without_ids(*pending)
    task = asyncio.create_task(run_batch(lab.world.ports, await lab.context(execution_id), 1, None, last=2))
    await asyncio.sleep(606)  # it is due, and has been looked at for some seconds
    fleets.edit = as_it_is
    assert (await task).ending is Ending.DONE
    assert {(row.status, row.gone) for row in (await lab.instances(execution_id)).values()} == {(I.COMPLETED, False)}


async def test_absence_does_not_count_while_the_upgrade_is_paused(make_lab: MakeLab) -> None:
    lab, fleets = edited(await make_lab(size=2))
    execution_id = await lab.admitted(health_check_timeout_seconds=10)
    fleets.edit = empty
    task = lab.running(execution_id, 1)
    await asyncio.sleep(1)
    await pause_upgrade(lab.world.ports, execution_id, None, OLGA)
    await asyncio.sleep(40)
    await lab.go(execution_id, S.IN_PROGRESS)
    await asyncio.sleep(3)
    fleets.edit = as_it_is
    await task
    assert not any(row.gone for row in (await lab.instances(execution_id)).values())


async def test_absence_that_is_over_does_not_count_when_the_next_batch_begins(make_lab: MakeLab) -> None:
    lab, fleets = edited(await make_lab(size=6, upgrade_seconds=30))
    execution_id = await lab.admitted(batch_size=2, max_unavailable_percentage=50, health_check_timeout_seconds=40)
    await lab.run(execution_id, 1)
    done = [name for name, row in (await lab.instances(execution_id)).items() if row.status is I.COMPLETED]
    for number in (2, 3):
        task = lab.running(execution_id, number)
        fleets.edit = without_ids(*done)
        await asyncio.sleep(25)
        fleets.edit = as_it_is
        await task
    assert not any(row.gone for row in (await lab.instances(execution_id)).values())


async def test_silence_that_is_over_does_not_count_when_the_fleet_is_silent_again(make_lab: MakeLab) -> None:
    lab, fleets = edited(await make_lab(size=4))
    execution_id = await lab.admitted(
        batch_size=2, max_unavailable_percentage=50, health_check_timeout_seconds=20, batch_delay_seconds=600
    )
    left, began = [500.0, 0.0], asyncio.get_running_loop().time()

    def silent_at_both_ends_of_the_delay(name: str, target: str) -> None:
        done = any(each.number == 1 and each.completed_at for each in lab.world.database.committed(BATCH))
        if done and name == "fleet" and left and asyncio.get_running_loop().time() - began > left[-1]:
            left.pop()
            silent(name, target)

    fleets.before = silent_at_both_ends_of_the_delay
    outcome = await run_batch(lab.world.ports, await lab.context(execution_id), 1, None, last=2)
    assert (outcome.ending, left) == (Ending.DONE, []), (await lab.execution(execution_id)).status_reason


async def test_instance_that_is_absent_whenever_the_fleet_answers_does_not_keep_the_batch(make_lab: MakeLab) -> None:
    lab, fleets = edited(await make_lab(size=2))
    execution_id = await lab.admitted(health_check_timeout_seconds=10)

    def every_other(name: str, target: str) -> None:
        if name == "fleet" and fleets.calls["fleet"] % 2:
            silent(name, target)

    fleets.before, fleets.edit = every_other, without_ids("lab-01")
    assert (await lab.run(execution_id, 1)).ending is Ending.DONE
    assert (await lab.instances(execution_id))["lab-01"].gone


@pytest.mark.parametrize(("gone", "healthy"), [(1, True), (2, None)])
async def test_canary_that_is_gone_keeps_the_others_from_no_promotion(
    make_lab: MakeLab, gone: int, healthy: bool | None
) -> None:
    lab, fleets = edited(await make_lab(size=5))
    execution_id = await lab.admitted(**canary_fields())
    names = (await lab.context(execution_id)).plan.canary[:gone]

    def without_an_answer(name: str, target: str) -> None:
        if name == "health" and target in names:
            silent(name, target)

    fleets.edit, fleets.before = without_ids(*names), without_an_answer
    assert (await lab.run(execution_id, 1)).ending is Ending.DONE
    await monitored(lab, execution_id, 3)
    assert (await lab.execution(execution_id)).canary.healthy is healthy
