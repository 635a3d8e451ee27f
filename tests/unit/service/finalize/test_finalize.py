"""An ended upgrade frees its active slot, also when no task is left that would do that."""

import asyncio
from collections import Counter

import pytest

from tests.labs.lab import OLGA, Lab, abandoned, until
from tests.labs.memory.lab import MakeLab
from tests.labs.seed import NEW_VERSION, OLD, OLD_VERSION
from tests.labs.steps.endings import marked_failed_while_upgrading
from upgrade_orchestrator.domain.airflow.task_states import RunView
from upgrade_orchestrator.domain.execution.states import ExecutionStatus
from upgrade_orchestrator.domain.instance.instance import ROLLBACK_BATCH
from upgrade_orchestrator.service.control.reconcile import reconcile
from upgrade_orchestrator.service.finalize.finalize import (
    SECONDS_A_TURN,
    end_upgrade,
    finalize_abandoned,
    finish_and_settle,
)
from upgrade_orchestrator.service.runner.outcome import Ending
from upgrade_orchestrator.service.upgrade.commands import cancel_upgrade, roll_back_upgrade

S = ExecutionStatus


async def in_flight(lab: Lab, execution_id: str) -> int:
    return sum(each.in_flight for each in (await lab.instances(execution_id)).values())


async def test_abandoned_upgrade_is_finished_and_frees_its_active_slot(make_lab: MakeLab) -> None:
    lab = await make_lab(size=4, upgrade_seconds=0.3)
    execution_id = await marked_failed_while_upgrading(lab)
    assert await in_flight(lab, execution_id) == 2
    await finalize_abandoned(lab.world.ports)
    execution = await lab.execution(execution_id)
    assert (execution.status, execution.settled_at is not None) == (S.FAILED, True)
    assert (lab.versions(), lab.statuses()) == ({NEW_VERSION: 2, OLD_VERSION: 2}, {"RUNNING": 4})
    assert set(Counter(lab.upgrades()).values()) == {1}
    assert (await lab.created()).id != execution_id


async def test_upgrade_with_a_dag_run_is_left_to_its_tasks(make_lab: MakeLab) -> None:
    lab = await make_lab(size=4, upgrade_seconds=0.3)
    execution_id = await marked_failed_while_upgrading(lab)
    lab.world.airflow.show(execution_id, RunView("8", "queued"))  # deleted meanwhile, and created again
    await finalize_abandoned(lab.world.ports)
    assert await in_flight(lab, execution_id) == 2
    assert (await lab.execution(execution_id)).settled_at is None


async def test_end_that_exceeds_its_time_in_the_control_loop_is_continued_later(make_lab: MakeLab) -> None:
    lab = await make_lab(size=4, upgrade_seconds=4 * SECONDS_A_TURN)
    execution_id = await marked_failed_while_upgrading(lab, health_check_timeout_seconds=60)
    await finalize_abandoned(lab.world.ports)
    assert (await lab.execution(execution_id)).settled_at is None
    async with asyncio.timeout(5 * SECONDS_A_TURN):
        while (await lab.execution(execution_id)).settled_at is None:
            await finalize_abandoned(lab.world.ports)
            await asyncio.sleep(1)  # until the next round
    assert lab.versions() == {NEW_VERSION: 2, OLD_VERSION: 2}


# fault 30
async def test_end_with_nothing_in_flight_frees_its_place_within_seconds_when_the_fleet_is_unreachable(
    make_lab: MakeLab,
) -> None:
    lab = await make_lab(size=4)
    execution_id = await lab.admitted(batch_size=1)
    await lab.run(execution_id, 1)
    await lab.go(execution_id, S.FAILED)
    lab.fault("agent-503")
    began = asyncio.get_running_loop().time()
    await finalize_abandoned(lab.world.ports)
    assert (await lab.execution(execution_id)).settled_at is not None
    assert asyncio.get_running_loop().time() - began < 10
    assert await lab.deployment() == (OLD, {OLD_VERSION: 3, NEW_VERSION: 1})


@pytest.mark.parametrize("stop", ["marked failed", "cancelled"])
async def test_abandoned_rollback_is_completed(make_lab: MakeLab, stop: str) -> None:
    lab = await make_lab(size=4, upgrade_seconds=0.3)
    execution_id = await lab.admitted(max_unavailable_percentage=50)
    lab.world.airflow.show(execution_id, RunView("7", "running"))
    await reconcile(lab.world.ports)
    await lab.run(execution_id, 1)
    await roll_back_upgrade(lab.world.ports, execution_id, None, OLGA)
    task = lab.running(execution_id, ROLLBACK_BATCH)
    await until(lambda: len(lab.upgrades()) == 6, "two are being rolled back")
    await abandoned(task)
    if stop == "cancelled":
        await cancel_upgrade(lab.world.ports, execution_id, None, OLGA)
    lab.world.airflow.show(execution_id, RunView("7", "failed"))
    await reconcile(lab.world.ports)
    await finalize_abandoned(lab.world.ports)
    execution = await lab.execution(execution_id)
    assert (execution.status, execution.settled_at is not None) == (
        S.CANCELLED if stop == "cancelled" else S.FAILED,
        True,
    )
    assert (lab.versions(), lab.statuses()) == ({NEW_VERSION: 2, OLD_VERSION: 2}, {"RUNNING": 4})
    assert len(lab.upgrades()) == 6


async def test_upgrade_cancelled_during_a_rollback_with_instances_in_flight_is_settled(
    make_lab: MakeLab,
) -> None:
    lab = await make_lab(size=4, upgrade_seconds=0.3)
    execution_id = await lab.admitted(max_unavailable_percentage=50)
    task = lab.running(execution_id, 1)
    await until(lambda: len(lab.upgrades()) == 2, "two upgrades under way")
    await abandoned(task)
    await roll_back_upgrade(lab.world.ports, execution_id, None, OLGA)
    await cancel_upgrade(lab.world.ports, execution_id, None, OLGA)
    assert (await finish_and_settle(lab.world.ports, await lab.context(execution_id), None)).ending is Ending.DONE
    assert (lab.versions(), lab.statuses()) == ({NEW_VERSION: 2, OLD_VERSION: 2}, {"RUNNING": 4})


async def test_unfinished_upgrade_is_not_settled(make_lab: MakeLab) -> None:
    lab = await make_lab(size=2)
    execution_id = await lab.admitted()
    assert (await finish_and_settle(lab.world.ports, await lab.context(execution_id), None)).ending is Ending.STOPPED
    assert (await lab.execution(execution_id)).status is S.IN_PROGRESS
    assert lab.tokens() == []


async def test_end_task_whose_branch_was_marked_successful_fails_the_upgrade_first(make_lab: MakeLab) -> None:
    lab = await make_lab(size=4)
    execution_id = await lab.admitted(batch_size=1)
    await lab.run(execution_id, 1)
    begun = lab.upgrades()
    assert (await end_upgrade(lab.world.ports, await lab.context(execution_id), None)).ending is Ending.STOPPED
    execution = await lab.execution(execution_id)
    assert (execution.status, execution.settled_at is not None) == (S.FAILED, True)
    assert lab.upgrades() == begun


async def test_end_task_during_a_rollback_changes_nothing(make_lab: MakeLab) -> None:
    lab = await make_lab(size=2)
    execution_id = await lab.admitted()
    await lab.run(execution_id, 1)
    await roll_back_upgrade(lab.world.ports, execution_id, None, OLGA)
    assert (await end_upgrade(lab.world.ports, await lab.context(execution_id), None)).ending is Ending.SKIPPED
    assert (await lab.roll_back(execution_id)).status is S.ROLLED_BACK
    assert lab.versions() == {OLD_VERSION: 2}
