"""The upgrade's first step as its worker runs it, and the tasks of the steps after it."""

import asyncio

from tests.labs.dag_walk import DagWalk, run_task
from tests.labs.lab import FOREVER, Lab
from upgrade_orchestrator.domain.execution.execution import Execution
from upgrade_orchestrator.domain.plan.steps import Step, StepKind, steps_of
from upgrade_orchestrator.service.runner.outcome import Outcome
from upgrade_orchestrator.service.steps.work import run_step

SECONDS = 8.0
"The worker's time for it, unless a test sets another."
MAX_DELAY = 1.0
"How long the worker waits for what follows."


async def first_step(lab: Lab, execution_id: str, seconds: float = SECONDS) -> Outcome:
    """Run its task in the worker, beside those of the checks; a chain of batches is one step."""
    async with lab.world.ports.work() as work:
        first = next(each for each in steps_of(await work.executions.plan(execution_id)) if each.kind is StepKind.BATCH)
    done = run_step(lab.world.ports, execution_id, first, seconds, MAX_DELAY)
    return await asyncio.wait_for(done, FOREVER)


async def after_first_step(lab: Lab, execution_id: str, seconds: float = SECONDS) -> Execution:
    """The upgrade's status once the worker is free again."""
    await first_step(lab, execution_id, seconds)
    return await lab.execution(execution_id)


async def step(lab: Lab, execution_id: str, work: StepKind, batch: int = 1, last: int = 0) -> Outcome:
    """Run one task in the triggerer, to its end."""
    done = run_step(lab.world.ports, execution_id, Step(work, batch, last), None)
    return await asyncio.wait_for(done, 10 * FOREVER)


async def all_tasks(lab: Lab, execution_id: str) -> Execution:
    """Run the upgrade in the triggerer from the checks on, as Airflow does, until the run ends; without promotion or
    approval.
    """
    walk = DagWalk(execution_id, await lab.batches(execution_id))
    while task := walk.next_task:
        found = run_task(lab.world.ports, execution_id, task, None)
        await walk.note(lab.world.ports, task, await asyncio.wait_for(found, 10 * FOREVER))
    return await lab.execution(execution_id)
