"""A task that is cleared in Airflow, in any status, continues where the upgrade is, or does nothing."""

import asyncio
from collections import Counter

import pytest

from tests.labs.lab import OLGA, Lab, until
from tests.labs.memory.lab import MakeLab
from tests.labs.seed import NEW_VERSION, OLD_VERSION
from upgrade_orchestrator.domain.checks.checks import CheckName
from upgrade_orchestrator.domain.execution.execution import Execution
from upgrade_orchestrator.domain.execution.states import ExecutionStatus
from upgrade_orchestrator.domain.instance.instance import ROLLBACK_BATCH
from upgrade_orchestrator.domain.plan.steps import Step, StepKind
from upgrade_orchestrator.service.checks.run import run_check
from upgrade_orchestrator.service.finalize.rollback import confirm_rollback
from upgrade_orchestrator.service.finalize.settle import fail_if_unfinished
from upgrade_orchestrator.service.runner.outcome import Ending
from upgrade_orchestrator.service.steps.work import complete_step
from upgrade_orchestrator.service.upgrade.commands import (
    cancel_upgrade,
    pause_upgrade,
    resume_upgrade,
    roll_back_upgrade,
)

S = ExecutionStatus
TERMINAL = [S.COMPLETED, S.FAILED, S.CANCELLED, S.ROLLED_BACK]


async def ended_as(lab: Lab, status: ExecutionStatus) -> str:
    """An execution of four instances in two batches that ended after its first batch, or completed."""
    execution_id = await lab.admitted(batch_size=2, max_unavailable_percentage=50)
    await lab.run(execution_id, 1)
    match status:
        case S.COMPLETED:
            await lab.upgrade(execution_id)
        case S.FAILED:
            await lab.go(execution_id, S.FAILED)
            await lab.end(execution_id)
        case S.CANCELLED:
            await cancel_upgrade(lab.world.ports, execution_id, None, OLGA)
            await lab.end(execution_id)
        case S.ROLLED_BACK:
            await roll_back_upgrade(lab.world.ports, execution_id, None, OLGA)
            await lab.roll_back(execution_id)
    return execution_id


async def run_every_task(lab: Lab, execution_id: str) -> Execution:
    """As Airflow does once everything is cleared, whatever comes of each task, and each of them twice."""
    ports = lab.world.ports
    for _ in range(2):
        await lab.check(execution_id)
        for number in (1, 2, ROLLBACK_BATCH):
            found = await complete_step(ports, execution_id, Step(StepKind.BATCH, number), None)
            assert found.ending in (Ending.DONE, Ending.STOPPED)
        for work in (StepKind.MONITOR, StepKind.VERIFY, StepKind.END):
            assert (await complete_step(ports, execution_id, Step(work), None)).ending is not Ending.UNFINISHED
        await fail_if_unfinished(ports, execution_id)
        await confirm_rollback(ports, await lab.context(execution_id))
    return await lab.execution(execution_id)


@pytest.mark.parametrize("status", TERMINAL)
async def test_cleared_run_of_an_ended_execution_does_nothing(make_lab: MakeLab, status: ExecutionStatus) -> None:
    lab = await make_lab(size=4)
    execution_id = await ended_as(lab, status)
    before, events, said = await lab.execution(execution_id), await lab.events(execution_id), lab.log()
    assert (before.status, before.settled_at is not None) == (status, True)
    assert await run_every_task(lab, execution_id) == before
    assert (await lab.events(execution_id), lab.log()) == (events, said)


async def test_cleared_task_of_a_completed_batch_does_nothing_and_the_next_continues(make_lab: MakeLab) -> None:
    lab = await make_lab(size=4, upgrade_seconds=0.3)
    execution_id = await lab.admitted(batch_size=1)
    await lab.run(execution_id, 1)
    second = lab.running(execution_id, 2)
    await until(lambda: len(lab.upgrades()) == 2, "the second batch under way")
    first, again = await asyncio.gather(lab.run(execution_id, 1), second)
    assert {first.ending, again.ending} == {Ending.DONE}
    assert (await lab.upgrade(execution_id)).status is S.COMPLETED
    assert set(Counter(lab.upgrades()).values()) == {1}


async def test_cleared_task_of_a_batch_in_progress_continues_where_the_batch_is(make_lab: MakeLab) -> None:
    lab = await make_lab(size=4, upgrade_seconds=0.3)
    execution_id = await lab.admitted()
    killed = lab.running(execution_id, 1)
    await until(lab.upgrades, "an upgrade under way")
    killed.cancel()
    await asyncio.gather(killed, return_exceptions=True)
    assert (await lab.upgrade(execution_id)).status is S.COMPLETED
    assert set(Counter(lab.upgrades()).values()) == {1}


async def test_cleared_check_has_no_effect_once_the_work_has_begun(make_lab: MakeLab) -> None:
    lab = await make_lab(size=2)
    execution_id = await lab.admitted()
    lab.fault("agent-503")
    before = await lab.execution(execution_id)
    await lab.check(execution_id)
    assert await lab.execution(execution_id) == before


async def test_cleared_check_runs_again_while_the_others_are_under_way(make_lab: MakeLab) -> None:
    lab = await make_lab(size=2)
    execution_id = (await lab.validating()).id
    for _ in range(2):
        await run_check(lab.world.ports, execution_id, CheckName.DEPENDENCY_CHECK)
    assert (await lab.execution(execution_id)).status is S.VALIDATING
    await lab.check(execution_id)
    assert (await lab.execution(execution_id)).status is S.IN_PROGRESS


async def test_cleared_task_of_a_batch_waits_for_the_end_of_a_pause(make_lab: MakeLab) -> None:
    lab = await make_lab(size=2)
    execution_id = await lab.admitted(batch_size=1)
    await lab.run(execution_id, 1)
    await pause_upgrade(lab.world.ports, execution_id, None, OLGA)
    for number in (1, 2):
        assert (await lab.run(execution_id, number, seconds=0.2)).ending is Ending.UNFINISHED
    await resume_upgrade(lab.world.ports, execution_id, None, OLGA)
    assert (await lab.upgrade(execution_id)).status is S.COMPLETED


async def test_cleared_task_of_a_batch_does_not_disturb_a_rollback(make_lab: MakeLab) -> None:
    lab = await make_lab(size=4, upgrade_seconds=0.3)
    execution_id = await lab.admitted(batch_size=2, max_unavailable_percentage=50)
    await lab.run(execution_id, 1)
    await roll_back_upgrade(lab.world.ports, execution_id, None, OLGA)
    back = lab.running(execution_id, ROLLBACK_BATCH)
    await until(lambda: len(lab.upgrades()) == 4, "two are being rolled back")
    for number in (1, 2):
        assert (await lab.run(execution_id, number)).ending is Ending.STOPPED
    await back
    assert (await lab.roll_back(execution_id)).status is S.ROLLED_BACK
    assert lab.versions() == {OLD_VERSION: 4}
    assert sorted(Counter(lab.upgrades()).values()) == [2, 2]


async def test_batch_whose_task_was_marked_successful_is_done_by_the_next_task(make_lab: MakeLab) -> None:
    lab = await make_lab(size=4)
    execution_id = await lab.admitted(batch_size=2, max_unavailable_percentage=50)
    await lab.run(execution_id, 2)  # as if batch 1 were done
    assert (await complete_step(lab.world.ports, execution_id, Step(StepKind.VERIFY), None)).ending is Ending.DONE
    assert (await lab.execution(execution_id)).status is S.COMPLETED
    assert Counter(lab.upgrades()) == Counter({lab.name(each): 1 for each in range(1, 5)})


@pytest.mark.parametrize("done", [(), (1,)])
async def test_last_batch_whose_task_was_marked_successful_is_done_by_the_verification(
    make_lab: MakeLab, done: tuple[int, ...]
) -> None:
    lab = await make_lab(size=4)
    execution_id = await lab.admitted(batch_size=2, max_unavailable_percentage=50)
    for each in done:
        await lab.run(execution_id, each)
    assert (await complete_step(lab.world.ports, execution_id, Step(StepKind.VERIFY), None)).ending is Ending.DONE
    assert (await lab.execution(execution_id)).status is S.COMPLETED
    assert Counter(lab.upgrades()) == Counter({lab.name(each): 1 for each in range(1, 5)})


async def test_verification_task_begins_no_instance_while_the_upgrade_is_paused(make_lab: MakeLab) -> None:
    lab = await make_lab(size=4)
    execution_id = await lab.admitted(batch_size=2, max_unavailable_percentage=50)
    await lab.run(execution_id, 1)
    await pause_upgrade(lab.world.ports, execution_id, None, OLGA)
    assert (await complete_step(lab.world.ports, execution_id, Step(StepKind.VERIFY), 0.2)).ending is Ending.UNFINISHED
    assert lab.versions() == {OLD_VERSION: 2, NEW_VERSION: 2}


async def test_verification_task_does_the_remaining_batches_after_a_pause(
    make_lab: MakeLab,
) -> None:
    lab = await make_lab(size=4)
    execution_id = await lab.admitted(batch_size=2, max_unavailable_percentage=50)
    await lab.run(execution_id, 1)
    await pause_upgrade(lab.world.ports, execution_id, None, OLGA)
    verifying = asyncio.create_task(complete_step(lab.world.ports, execution_id, Step(StepKind.VERIFY), None))
    await asyncio.sleep(1.0)
    await resume_upgrade(lab.world.ports, execution_id, None, OLGA)
    assert (await verifying).ending is Ending.DONE
    assert lab.versions() == {NEW_VERSION: 4}
