"""The first step runs the checks of its execution, concurrently with their own tasks."""

import asyncio
from asyncio import get_running_loop
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from tests.labs.lab import OLGA, Lab, abandoned
from tests.labs.memory.lab import MakeLab, MemoryLab
from tests.labs.seed import NEW_VERSION, OLD_VERSION
from tests.labs.steps.canaries import canary_fields
from tests.labs.steps.first_step import SECONDS, all_tasks, first_step, step
from tests.labs.steps.pools import blue_green
from upgrade_orchestrator.domain.checks.checks import CheckName, CheckResult, CheckStatus, StoredObject
from upgrade_orchestrator.domain.execution.events import EventType
from upgrade_orchestrator.domain.execution.execution import Strategy
from upgrade_orchestrator.domain.execution.states import ExecutionStatus
from upgrade_orchestrator.domain.plan.steps import Step, StepKind
from upgrade_orchestrator.service.checks.run import CHECK_ABANDONED_AFTER_SECONDS, run_check
from upgrade_orchestrator.service.ports.unit_of_work import ReadObject
from upgrade_orchestrator.service.runner.outcome import Ending
from upgrade_orchestrator.service.steps.work import complete_step
from upgrade_orchestrator.service.upgrade.commands import cancel_upgrade

S = ExecutionStatus
C = CheckName
SLOW_SECONDS = 9.5
"Longer than a worker has for the first step, and no reason to fail the check."


class SlowStorage:
    """Port ``ReadObject``: reads that take some time, and how many whole ones there were."""

    def __init__(self, storage: ReadObject, seconds: float) -> None:
        self.reads, self.seconds, self._storage = 0, seconds, storage

    async def __call__(self, location: str, *, whole: bool = True) -> StoredObject:
        self.reads += whole
        await asyncio.sleep(self.seconds)
        return await self._storage(location, whole=whole)


async def slow_lab(make_lab: MakeLab, seconds: float) -> tuple[MemoryLab, SlowStorage]:
    """The check of the backup takes so long."""
    lab = await make_lab()
    storage = SlowStorage(lab.world.ports.read_object, seconds)
    return lab.with_ports(read_object=storage), storage


async def completed(lab: Lab, execution_id: str) -> list[str]:
    events = await lab.events(execution_id)
    return sorted(str(each.data["name"]) for each in events if each.what is EventType.CHECK_COMPLETED)


async def left_running(lab: Lab, execution_id: str, name: CheckName) -> None:
    """The check's task had begun when a user marked it successful: no process runs the check any more."""
    async with lab.world.ports.work() as work:
        result = CheckResult(name, CheckStatus.RUNNING, started_at=await work.now())
        await work.executions.save_checks(execution_id, [result])
        await work.commit()


def backup_is_gone(lab: MemoryLab) -> None:
    lab.world.storage.contents.clear()


def fleet_is_gone(lab: MemoryLab) -> None:
    lab.fault("agent-503")


@pytest.mark.parametrize(
    "fields", [{}, canary_fields(), blue_green(), {"strategy": Strategy.STAGED}, {"strategy": Strategy.RECREATE}]
)
async def test_first_step_of_each_strategy_runs_the_checks_and_begins(
    make_lab: MakeLab, fields: dict[str, Any]
) -> None:
    lab = await make_lab()
    execution = await lab.validating(**fields)
    assert (await first_step(lab, execution.id)).ending is Ending.DONE
    assert (lab.versions()[NEW_VERSION] > 0, await completed(lab, execution.id)) == (True, sorted(C))


async def test_tasks_of_the_checks_report_the_results_of_the_first_step(make_lab: MakeLab) -> None:
    lab, storage = await slow_lab(make_lab, 0.5)
    execution = await lab.validating()
    await asyncio.gather(first_step(lab, execution.id), lab.check(execution.id))
    backup_is_gone(lab)
    results = await lab.check(execution.id)
    assert {each.status for each in results.values()} == {CheckStatus.PASSED}
    assert (storage.reads, await completed(lab, execution.id)) == (1, sorted(C))


async def test_cleared_task_of_a_check_runs_the_check_itself(make_lab: MakeLab) -> None:
    lab, storage = await slow_lab(make_lab, 0.5)
    execution = await lab.validating()
    first = asyncio.create_task(first_step(lab, execution.id))
    await asyncio.sleep(0.2)
    await run_check(lab.world.ports, execution.id, C.BACKUP_VERIFICATION, again=True)
    await first
    assert ((await lab.execution(execution.id)).status, storage.reads) == (S.COMPLETED, 2)


@pytest.mark.parametrize(
    ("broken", "name"), [(backup_is_gone, C.BACKUP_VERIFICATION), (fleet_is_gone, C.HEALTH_ENDPOINTS)]
)
async def test_failed_check_stops_the_first_step_before_any_instance_is_touched(
    make_lab: MakeLab, broken: Callable[[MemoryLab], None], name: CheckName
) -> None:
    lab = await make_lab()
    lab = lab.with_ports(options=replace(lab.world.ports.options, check_timeout_seconds=SECONDS / 2))
    execution = await lab.validating()
    broken(lab)
    assert (await first_step(lab, execution.id)).ending is Ending.STOPPED
    ended = await lab.execution(execution.id)
    assert (ended.status, name in ended.status_reason) == (S.FAILED, True)
    lab.heal()
    assert (await all_tasks(lab, execution.id)).settled_at is not None
    assert (lab.upgrades(), lab.versions(), lab.tokens()) == ([], {OLD_VERSION: 4}, [])


@pytest.mark.parametrize("deciding", ["the check's task", "the first step"])
async def test_check_that_exceeds_the_workers_time_stays_open_and_the_step_continues_after_it(
    make_lab: MakeLab, deciding: str
) -> None:
    lab, storage = await slow_lab(make_lab, SLOW_SECONDS)
    execution, began = await lab.validating(), get_running_loop().time()
    own = [run_check(lab.world.ports, execution.id, C.BACKUP_VERIFICATION)] if deciding == "the check's task" else []
    tasks = [asyncio.create_task(each) for each in own]
    await asyncio.sleep(0)
    assert (await first_step(lab, execution.id)).ending is Ending.UNFINISHED
    assert get_running_loop().time() - began == pytest.approx(SECONDS, abs=0.5)
    assert ((await lab.execution(execution.id)).status, lab.upgrades()) == (S.VALIDATING, [])
    assert (await step(lab, execution.id, StepKind.BATCH)).ending is Ending.DONE
    await asyncio.gather(*tasks)
    took = SLOW_SECONDS if tasks else SECONDS + SLOW_SECONDS
    assert get_running_loop().time() - began == pytest.approx(took, abs=1.5)
    assert ((await lab.execution(execution.id)).status, storage.reads) == (S.COMPLETED, 1 if tasks else 2)
    assert await completed(lab, execution.id) == sorted(C)


async def test_check_whose_task_was_marked_successful_is_run_by_a_later_task(make_lab: MakeLab) -> None:
    lab = await make_lab()
    execution, began = await lab.validating(), get_running_loop().time()
    await left_running(lab, execution.id, C.DEPENDENCY_CHECK)
    assert (await first_step(lab, execution.id)).ending is Ending.UNFINISHED
    assert (await lab.execution(execution.id)).status is S.VALIDATING
    assert (await step(lab, execution.id, StepKind.BATCH)).ending is Ending.DONE
    assert CHECK_ABANDONED_AFTER_SECONDS <= get_running_loop().time() - began < 2 * CHECK_ABANDONED_AFTER_SECONDS
    assert ((await lab.execution(execution.id)).status, await completed(lab, execution.id)) == (S.COMPLETED, sorted(C))


async def test_task_of_the_next_step_validates_if_the_first_one_was_marked_successful(make_lab: MakeLab) -> None:
    lab = await make_lab()
    execution = await lab.validating(batch_size=2, batch_delay_seconds=6, max_unavailable_percentage=50)
    assert (await step(lab, execution.id, StepKind.BATCH, 2)).ending is Ending.DONE
    assert (await lab.execution(execution.id)).status is S.COMPLETED
    assert sorted(lab.upgrades()) == [lab.name(number) for number in range(1, 5)]
    assert await completed(lab, execution.id) == sorted(C)


async def test_verification_does_all_steps_whose_tasks_were_marked_successful_during_the_checks(
    make_lab: MakeLab,
) -> None:
    lab = await make_lab()
    execution = await lab.validating(strategy=Strategy.RECREATE)
    verified = await complete_step(lab.world.ports, execution.id, Step(StepKind.VERIFY), SECONDS)
    assert (verified.ending, (await lab.execution(execution.id)).status) == (Ending.DONE, S.COMPLETED)
    assert len(lab.upgrades()) == 4


async def test_upgrade_whose_last_task_ends_during_the_checks_fails(make_lab: MakeLab) -> None:
    lab = await make_lab()
    execution = await lab.validating(strategy=Strategy.RECREATE)
    assert (await step(lab, execution.id, StepKind.END)).ending is Ending.STOPPED
    ended = await lab.execution(execution.id)
    assert (ended.status, ended.settled_at is not None, lab.upgrades()) == (S.FAILED, True, [])


@pytest.mark.parametrize("where", ["worker", "triggerer"])
async def test_cancel_during_the_checks_stops_the_first_step(make_lab: MakeLab, where: str) -> None:
    lab, _ = await slow_lab(make_lab, 3.0)
    execution = await lab.validating()
    running = first_step(lab, execution.id) if where == "worker" else step(lab, execution.id, StepKind.BATCH)
    task = asyncio.create_task(running)
    await asyncio.sleep(1)
    await cancel_upgrade(lab.world.ports, execution.id, "wrong night", OLGA)
    assert (await task).ending is Ending.STOPPED
    ended = await lab.execution(execution.id)
    assert (ended.status, ended.settled_at is not None) == (S.CANCELLED, True)
    assert (lab.upgrades(), await completed(lab, execution.id)) == ([], [])


async def test_cancel_ends_the_wait_for_a_check_at_once(make_lab: MakeLab) -> None:
    lab = await make_lab()
    execution, began = await lab.validating(), get_running_loop().time()
    await left_running(lab, execution.id, C.DEPENDENCY_CHECK)
    task = asyncio.create_task(first_step(lab, execution.id))
    await asyncio.sleep(1)
    assert not task.done()
    await cancel_upgrade(lab.world.ports, execution.id, None, OLGA)
    assert ((await task).ending, get_running_loop().time() - began < 2) == (Ending.STOPPED, True)


async def test_cancelled_first_step_runs_no_more_checks(make_lab: MakeLab) -> None:
    lab, storage = await slow_lab(make_lab, 3.0)
    execution = await lab.validating()
    before = asyncio.all_tasks()
    task = asyncio.create_task(first_step(lab, execution.id))
    await asyncio.sleep(1)
    assert storage.reads == 1
    await abandoned(task)
    await asyncio.sleep(0)
    assert asyncio.all_tasks() == before
