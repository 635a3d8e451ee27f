"""The last tasks of a run: one branch is taken, the tasks of the others end as SKIPPED."""

from collections.abc import Awaitable, Callable

import pytest

from tests.labs.lab import OLGA, Lab
from tests.labs.memory.lab import MakeLab, MemoryLab
from tests.labs.steps.first_step import first_step, step
from upgrade_orchestrator.domain.execution.states import ExecutionStatus
from upgrade_orchestrator.domain.instance.instance import ROLLBACK_BATCH
from upgrade_orchestrator.domain.plan.steps import StepKind
from upgrade_orchestrator.service.runner.outcome import Ending
from upgrade_orchestrator.service.upgrade.commands import cancel_upgrade, roll_back_upgrade

S = ExecutionStatus
E = Ending
Bring = Callable[[Lab], Awaitable[str]]


async def _completed(lab: Lab) -> str:
    execution = await lab.validating()
    await first_step(lab, execution.id)
    return execution.id


async def _half_done(lab: Lab) -> str:
    execution_id = await lab.admitted(batch_size=1, failure_threshold=1)
    await lab.run(execution_id, 1)
    return execution_id


async def _cancelled(lab: Lab) -> str:
    execution_id = await _half_done(lab)
    await cancel_upgrade(lab.world.ports, execution_id, None, OLGA)
    return execution_id


async def _failed(lab: Lab) -> str:
    execution_id = await _half_done(lab)
    lab.fault("upgrade-fails", times=1)
    await lab.run(execution_id, 2)
    return execution_id


async def _rolling_back(lab: Lab) -> str:
    execution_id = await _half_done(lab)
    await roll_back_upgrade(lab.world.ports, execution_id, None, OLGA)
    return execution_id


async def _rolled_back(lab: Lab) -> str:
    execution_id = await _rolling_back(lab)
    await lab.roll_back(execution_id)
    return execution_id


async def _rollback_failed(lab: Lab) -> str:
    execution_id = await _rolling_back(lab)
    lab.fault("upgrade-fails")
    await lab.roll_back(execution_id)
    lab.heal()
    return execution_id


@pytest.mark.parametrize(
    ("bring", "end", "revert"),
    [
        (_completed, E.SKIPPED, E.SKIPPED),
        (_cancelled, E.DONE, E.SKIPPED),
        (_failed, E.STOPPED, E.SKIPPED),
        (_half_done, E.STOPPED, E.SKIPPED),  # nothing works on it any more: it has failed
        (_rolling_back, E.SKIPPED, E.DONE),
        (_rolled_back, E.SKIPPED, E.DONE),
        (_rollback_failed, E.SKIPPED, E.DONE),
    ],
)
@pytest.mark.parametrize("first", [StepKind.END, StepKind.REVERT])
async def test_only_one_branch_is_taken_whichever_task_runs_first(
    make_lab: MakeLab, bring: Bring, end: Ending, revert: Ending, first: StepKind
) -> None:
    lab = await make_lab()
    execution_id = await bring(lab)
    order = [first, StepKind.REVERT if first is StepKind.END else StepKind.END]
    found = {each: (await step(lab, execution_id, each, ROLLBACK_BATCH)).ending for each in order}
    assert found == {StepKind.END: end, StepKind.REVERT: revert}


@pytest.mark.parametrize(
    ("bring", "status", "ending"),
    [
        (_rolling_back, S.ROLLED_BACK, E.DONE),
        (_rolled_back, S.ROLLED_BACK, E.DONE),
        (_rollback_failed, S.FAILED, E.STOPPED),
    ],
)
async def test_rollback_confirmation_fails_unless_the_execution_is_rolled_back(
    make_lab: MakeLab, bring: Bring, status: S, ending: Ending
) -> None:
    lab = await make_lab()
    execution_id = await bring(lab)
    await step(lab, execution_id, StepKind.REVERT, ROLLBACK_BATCH)
    assert (await step(lab, execution_id, StepKind.CONFIRM, ROLLBACK_BATCH)).ending is ending
    execution = await lab.execution(execution_id)
    assert (execution.status, execution.settled_at is not None) == (status, True)


@pytest.mark.parametrize("bring", [_completed, _cancelled, _failed, _rolled_back])
async def test_branch_tasks_of_a_cleared_run_change_nothing(make_lab: MakeLab, bring: Bring) -> None:
    lab: MemoryLab = await make_lab()
    execution_id = await bring(lab)
    await lab.end(execution_id)
    before, log = await lab.execution(execution_id), lab.log()
    for work in (StepKind.REVERT, StepKind.CONFIRM, StepKind.END):
        await step(lab, execution_id, work, ROLLBACK_BATCH)
    assert (await lab.execution(execution_id), lab.log()) == (before, log)
