"""The first step runs all checks concurrently; each check's own task reports the result or runs the check."""

import asyncio
from asyncio import get_running_loop
from dataclasses import replace

import pytest

from tests.labs.lab import Lab, abandoned
from tests.labs.memory.lab import MakeLab, MemoryLab
from tests.labs.steps.first_step import first_step
from upgrade_orchestrator.domain.checks.checks import OPEN, CheckName, CheckResult, CheckStatus, StoredObject
from upgrade_orchestrator.domain.execution.events import EventType
from upgrade_orchestrator.domain.execution.states import ExecutionStatus
from upgrade_orchestrator.service.checks.run import CHECK_ABANDONED_AFTER_SECONDS, run_check, validate

S = ExecutionStatus
C = CheckName
OF_FLEET = {C.RESOURCE_AVAILABILITY, C.HEALTH_ENDPOINTS}


async def stored(lab: Lab, execution_id: str) -> dict[CheckName, CheckResult]:
    async with lab.world.ports.work() as work:
        return {each.name: each for each in await work.executions.checks(execution_id)}


async def put(lab: Lab, execution_id: str, status: CheckStatus, message: str = "") -> None:
    """Store the check of the health endpoints as another process runs it or has finished it."""
    async with lab.world.ports.work() as work:
        result = CheckResult(C.HEALTH_ENDPOINTS, status, message, started_at=await work.now())
        await work.executions.save_checks(execution_id, [result])
        await work.commit()


async def completed_checks(lab: Lab, execution_id: str) -> list[str]:
    return [str(each.data["name"]) for each in await lab.events(execution_id) if each.what is EventType.CHECK_COMPLETED]


def nobody_answers(lab: MemoryLab) -> None:
    lab.world.admin.delete(lab.world.fleet)
    lab.world.storage.contents.clear()


async def test_checks_run_concurrently_and_the_last_one_admits_the_execution(make_lab: MakeLab) -> None:
    lab = await make_lab()
    execution = await lab.validating()
    await validate(lab.world.ports, execution.id, 8.0)
    assert {each.status for each in (await stored(lab, execution.id)).values()} == {CheckStatus.PASSED}
    assert (await lab.execution(execution.id)).status is S.IN_PROGRESS
    assert await completed_checks(lab, execution.id) == list(CheckName)


async def test_failed_check_ends_the_upgrade_before_any_instance_is_touched(make_lab: MakeLab) -> None:
    lab = await make_lab()
    execution = await lab.validating()
    lab.world.storage.contents.clear()
    await first_step(lab, execution.id)
    ended = await lab.execution(execution.id)
    assert (ended.status, ended.settled_at is not None, lab.upgrades()) == (S.FAILED, True, [])
    assert C.BACKUP_VERIFICATION in ended.status_reason


async def test_task_of_a_check_reports_the_stored_result_without_running_it_again(make_lab: MakeLab) -> None:
    lab = await make_lab()
    execution = await lab.validating()
    await validate(lab.world.ports, execution.id, 8.0)
    nobody_answers(lab)
    found = await lab.check(execution.id)
    assert found == await stored(lab, execution.id)
    assert {each.status for each in found.values()} == {CheckStatus.PASSED}
    assert len(await completed_checks(lab, execution.id)) == len(CheckName)


@pytest.mark.parametrize(("again", "status"), [(False, CheckStatus.PASSED), (True, CheckStatus.FAILED)])
async def test_cleared_task_runs_its_check_again_while_the_execution_is_validating(
    make_lab: MakeLab, again: bool, status: CheckStatus
) -> None:
    lab = await make_lab()
    execution = await lab.validating()
    assert (await run_check(lab.world.ports, execution.id, C.BACKUP_VERIFICATION)).status is CheckStatus.PASSED
    nobody_answers(lab)
    assert (await run_check(lab.world.ports, execution.id, C.BACKUP_VERIFICATION, again)).status is status
    assert (await stored(lab, execution.id))[C.BACKUP_VERIFICATION].status is status


async def test_check_that_exceeds_the_time_of_the_first_step_is_left_to_its_own_task(make_lab: MakeLab) -> None:
    lab = await make_lab()
    execution, began = await lab.validating(), get_running_loop().time()
    lab.fault("agent-hangs")
    await first_step(lab, execution.id, 2.0)
    assert 2.0 <= get_running_loop().time() - began < 2.5
    left = await stored(lab, execution.id)
    assert {name for name, each in left.items() if each.status is CheckStatus.PENDING} == OF_FLEET
    assert {name for name, each in left.items() if each.status is CheckStatus.PASSED} == set(CheckName) - OF_FLEET
    assert ((await lab.execution(execution.id)).status, lab.upgrades()) == (S.VALIDATING, [])
    lab.heal()
    began = get_running_loop().time()
    await lab.check(execution.id)
    assert get_running_loop().time() - began < 1
    assert (await lab.execution(execution.id)).status is S.IN_PROGRESS
    assert sorted(await completed_checks(lab, execution.id)) == sorted(CheckName)


async def test_check_is_left_to_the_first_step_for_some_seconds_and_then_run(make_lab: MakeLab) -> None:
    lab = await make_lab()
    execution, began = await lab.validating(), get_running_loop().time()
    found = await run_check(lab.world.ports, execution.id, C.BACKUP_VERIFICATION, first_step_seconds=15.0)
    assert (found.status, await completed_checks(lab, execution.id)) == (CheckStatus.PASSED, [C.BACKUP_VERIFICATION])
    assert 14.5 < get_running_loop().time() - began < 15.5


async def test_check_result_of_the_first_step_is_reported_at_once(make_lab: MakeLab) -> None:
    lab = await make_lab()
    execution, began = await lab.validating(), get_running_loop().time()
    task = asyncio.create_task(run_check(lab.world.ports, execution.id, C.BACKUP_VERIFICATION, first_step_seconds=15.0))
    await asyncio.sleep(3)
    assert not task.done()
    await validate(lab.world.ports, execution.id, 8.0)
    assert ((await task).status, get_running_loop().time() - began < 4) == (CheckStatus.PASSED, True)
    assert sorted(await completed_checks(lab, execution.id)) == sorted(CheckName)


async def test_cleared_check_runs_without_waiting_for_the_first_step(make_lab: MakeLab) -> None:
    lab = await make_lab()
    execution, began = await lab.validating(), get_running_loop().time()
    found = await run_check(lab.world.ports, execution.id, C.BACKUP_VERIFICATION, again=True, first_step_seconds=15.0)
    assert (found.status, get_running_loop().time() - began < 1) == (CheckStatus.PASSED, True)


async def test_check_that_another_process_runs_is_waited_for(make_lab: MakeLab) -> None:
    lab = await make_lab()
    execution = await lab.validating()
    await put(lab, execution.id, CheckStatus.RUNNING)
    task = asyncio.create_task(run_check(lab.world.ports, execution.id, C.HEALTH_ENDPOINTS))
    await asyncio.sleep(CHECK_ABANDONED_AFTER_SECONDS - 1)
    assert not task.done()
    await put(lab, execution.id, CheckStatus.WARNING, "result of another process")
    assert (await task).message == "result of another process"


async def test_two_concurrent_tasks_of_a_check_run_it_once_and_both_report_the_result(make_lab: MakeLab) -> None:
    lab = await make_lab()
    execution = await lab.validating()
    lab.world.storage.contents.clear()
    both = (run_check(lab.world.ports, execution.id, C.BACKUP_VERIFICATION) for _ in range(2))
    assert {each.status for each in await asyncio.gather(*both)} == {CheckStatus.FAILED}
    assert await completed_checks(lab, execution.id) == [C.BACKUP_VERIFICATION]


async def test_check_of_a_dead_process_is_run_again(make_lab: MakeLab) -> None:
    lab = await make_lab()
    execution, began = await lab.validating(), get_running_loop().time()
    await put(lab, execution.id, CheckStatus.RUNNING)
    assert (await run_check(lab.world.ports, execution.id, C.HEALTH_ENDPOINTS)).status is CheckStatus.PASSED
    assert CHECK_ABANDONED_AFTER_SECONDS <= get_running_loop().time() - began < CHECK_ABANDONED_AFTER_SECONDS + 1


@pytest.mark.parametrize(
    ("seconds", "status"), [(1, CheckStatus.RUNNING), (CHECK_ABANDONED_AFTER_SECONDS, CheckStatus.PASSED)]
)
async def test_first_step_skips_checks_that_another_process_runs_unless_it_died(
    make_lab: MakeLab, seconds: float, status: CheckStatus
) -> None:
    lab = await make_lab()
    execution = await lab.validating()
    await put(lab, execution.id, CheckStatus.RUNNING)
    await asyncio.sleep(seconds)
    await validate(lab.world.ports, execution.id, 8.0)
    found = await stored(lab, execution.id)
    assert found.pop(C.HEALTH_ENDPOINTS).status is status
    assert {each.status for each in found.values()} == {CheckStatus.PASSED}


async def test_checks_of_a_first_step_that_was_killed_are_run_by_their_own_tasks(make_lab: MakeLab) -> None:
    lab = await make_lab()
    execution = await lab.validating()
    lab.fault("agent-hangs", times=1)
    first = asyncio.create_task(first_step(lab, execution.id))
    await asyncio.sleep(0.5)
    await abandoned(first)
    lab.heal()
    assert {each.status for each in (await stored(lab, execution.id)).values()} == {CheckStatus.RUNNING}
    await lab.check(execution.id)
    assert (await lab.execution(execution.id)).status is S.IN_PROGRESS


@pytest.mark.parametrize("status", [CheckStatus.PASSED, CheckStatus.RUNNING])
async def test_first_step_gives_back_only_checks_that_it_still_runs(make_lab: MakeLab, status: CheckStatus) -> None:
    """A user may have cleared the check's task meanwhile, which then runs the check itself."""
    lab = await make_lab()
    execution = await lab.validating()
    lab.fault("agent-hangs")
    first = asyncio.create_task(validate(lab.world.ports, execution.id, 2.0))
    await asyncio.sleep(1)
    await put(lab, execution.id, status, "of another process")
    await first
    left = await stored(lab, execution.id)
    assert (left[C.HEALTH_ENDPOINTS].status, left[C.HEALTH_ENDPOINTS].message) == (status, "of another process")
    assert left[C.RESOURCE_AVAILABILITY].status is CheckStatus.PENDING


@pytest.mark.parametrize("moved_on", [S.CANCELLED, S.FAILED])
async def test_check_result_after_the_execution_has_left_validating_is_not_reported(
    make_lab: MakeLab, moved_on: S
) -> None:
    lab = await make_lab()
    execution = await lab.validating()
    lab.fault("agent-hangs")
    first = asyncio.create_task(validate(lab.world.ports, execution.id, 2.0))
    await asyncio.sleep(1)
    await lab.go(execution.id, moved_on)
    await first
    assert await completed_checks(lab, execution.id) == []
    result = await run_check(lab.world.ports, execution.id, C.HEALTH_ENDPOINTS)
    assert (result.status in OPEN, result.message) == (True, "the execution is not VALIDATING any more")


async def test_check_that_times_out_fails_although_its_seconds_are_not_over(make_lab: MakeLab) -> None:
    lab = await make_lab()
    execution = await lab.validating()
    lab.fault("agent-hangs")
    ports = replace(lab.world.ports, options=replace(lab.world.ports.options, check_timeout_seconds=1.0))
    await validate(ports, execution.id, 2.0)
    found = await stored(lab, execution.id)
    assert {name for name, each in found.items() if each.status is CheckStatus.FAILED} == OF_FLEET
    assert (await lab.execution(execution.id)).status is S.FAILED


async def test_late_check_result_of_an_earlier_run_does_not_replace_a_later_one(make_lab: MakeLab) -> None:
    lab = await make_lab()
    execution = await lab.validating()
    reads = iter([20.0, 0.0])

    async def read(location: str, *, whole: bool = True) -> StoredObject:
        if whole and (seconds := next(reads)):
            await asyncio.sleep(seconds)
            raise OSError("it was not there when this look began")
        return await lab.world.ports.read_object(location, whole=whole)

    ports = replace(lab.world.ports, read_object=read)
    await put(lab, execution.id, CheckStatus.RUNNING)  # one is open still: nothing is decided meanwhile
    earlier = asyncio.create_task(run_check(ports, execution.id, C.BACKUP_VERIFICATION))
    await asyncio.sleep(5.0)
    later = await run_check(ports, execution.id, C.BACKUP_VERIFICATION, again=True)
    await earlier
    assert (await stored(lab, execution.id))[C.BACKUP_VERIFICATION].status is later.status is CheckStatus.PASSED
