"""Events while a stage waits for its approval: a change of the fleet, a pause, a cancel, a rollback."""

import asyncio

import pytest

from tests.labs.lab import FOREVER, OLGA
from tests.labs.memory.lab import MakeLab
from tests.labs.seed import NEW
from tests.labs.steps.stages import (
    ANNA,
    approval,
    approve,
    asked,
    make_first_stage_ill,
    parks,
)
from upgrade_orchestrator.domain.errors import InvalidState, UpgradeBlocked
from upgrade_orchestrator.domain.execution.commands import Decision
from upgrade_orchestrator.domain.execution.states import ExecutionStatus
from upgrade_orchestrator.domain.registry.entries import VersionStatus
from upgrade_orchestrator.service.approvals.decide import (
    decide_stage,
    wait_for_decision,
)
from upgrade_orchestrator.service.approvals.release import release_approval_tasks
from upgrade_orchestrator.service.runner.outcome import Ending
from upgrade_orchestrator.service.upgrade.commands import (
    cancel_upgrade,
    pause_upgrade,
    resume_upgrade,
    roll_back_upgrade,
)

S = ExecutionStatus


async def test_approval_is_blocked_while_the_fleet_lacks_budget_and_keeps_waiting(make_lab: MakeLab) -> None:
    lab, execution_id = await asked(make_lab)
    await make_first_stage_ill(lab, execution_id)
    with pytest.raises(UpgradeBlocked, match="no budget left"):
        await approve(lab, execution_id)
    assert (await approval(lab, execution_id)).decision is None
    lab.heal()
    await approve(lab, execution_id)
    assert (await approval(lab, execution_id)).decision is Decision.APPROVED


async def test_approval_but_not_rejection_is_blocked_while_the_fleet_does_not_respond(make_lab: MakeLab) -> None:
    lab, execution_id = await asked(make_lab)
    lab.world.admin.delete(lab.world.fleet)
    with pytest.raises(UpgradeBlocked, match="the fleet does not answer"):
        await approve(lab, execution_id)
    moved = await decide_stage(lab.world.ports, execution_id, 2, False, None, ANNA)
    assert moved.status is S.CANCELLED


# fault 48
async def test_approval_warns_when_the_target_version_is_no_longer_stable(make_lab: MakeLab) -> None:
    lab, execution_id = await asked(make_lab)
    await lab.change_version(NEW, status=VersionStatus.DEPRECATED)
    await approve(lab, execution_id)
    assert "is DEPRECATED" in (await lab.execution(execution_id)).warnings[-1]


async def test_approval_is_blocked_when_the_path_is_closed(make_lab: MakeLab) -> None:
    lab, execution_id = await asked(make_lab)
    lab.change_paths(blockers=("closed for now",))
    with pytest.raises(UpgradeBlocked, match="closed for now"):
        await approve(lab, execution_id)


async def test_stage_waits_through_a_pause(make_lab: MakeLab) -> None:
    lab, execution_id = await asked(make_lab)
    waits = asyncio.create_task(wait_for_decision(lab.world.ports, execution_id, 2, None))
    await pause_upgrade(lab.world.ports, execution_id, None, OLGA)
    with pytest.raises(InvalidState, match="not possible in PAUSED"):
        await approve(lab, execution_id)
    await resume_upgrade(lab.world.ports, execution_id, None, OLGA)
    assert not waits.done()
    await approve(lab, execution_id)
    assert (await asyncio.wait_for(waits, FOREVER)).ending is Ending.DONE


async def test_cancel_ends_the_wait_and_releases_the_approval_task(make_lab: MakeLab) -> None:
    lab, execution_id = await asked(make_lab)
    task = parks(lab, execution_id)
    await cancel_upgrade(lab.world.ports, execution_id, None, OLGA)
    assert lab.world.people.released == [(task, False, None)]
    assert (await wait_for_decision(lab.world.ports, execution_id, 2, None)).ending is Ending.STOPPED


async def test_rollback_releases_the_approval_task(make_lab: MakeLab) -> None:
    lab, execution_id = await asked(make_lab)
    task = parks(lab, execution_id)
    await roll_back_upgrade(lab.world.ports, execution_id, None, OLGA)
    assert lab.world.people.released == [(task, False, None)]


async def test_decision_releases_the_approval_task_under_the_name_of_the_user_who_decided(make_lab: MakeLab) -> None:
    lab, execution_id = await asked(make_lab)
    task = parks(lab, execution_id)
    await approve(lab, execution_id)
    assert lab.world.people.released == [(task, True, "anna")]


async def test_decision_succeeds_while_airflow_is_unreachable_and_a_control_loop_releases_the_task_later(
    make_lab: MakeLab,
) -> None:
    lab, execution_id = await asked(make_lab)
    task, people = parks(lab, execution_id), lab.world.people
    people.away = True
    await approve(lab, execution_id)
    people.away = False
    await release_approval_tasks(lab.world.ports)
    assert people.released == [(task, True, "anna")]


async def test_failed_execution_releases_the_approval_task_and_a_waiting_one_does_not(make_lab: MakeLab) -> None:
    lab, execution_id = await asked(make_lab)
    task, people = parks(lab, execution_id), lab.world.people
    await release_approval_tasks(lab.world.ports)
    await lab.go(execution_id, S.PAUSED)
    await release_approval_tasks(lab.world.ports)
    assert people.released == []
    await lab.go(execution_id, S.IN_PROGRESS)
    await lab.go(execution_id, S.FAILED)
    await release_approval_tasks(lab.world.ports)
    assert people.released == [(task, False, None)]
