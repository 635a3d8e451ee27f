"""The first task of a run, and the tasks of the steps after it."""

import asyncio

from include.upgrades.service.begin import begin_upgrade

from include.upgrades.domain.execution import Execution
from include.upgrades.domain.steps import Step, Work
from include.upgrades.service.outcome import Outcome
from include.upgrades.service.press_on import do_step
from tests.labs.dag_walk import BEGIN, DagWalk, run_task
from tests.labs.lab import FOREVER, Lab

SECONDS = 8.0
"What a worker has for it, if nobody sets it."


async def begin(lab: Lab, execution_id: str, seconds: float = SECONDS) -> Execution:
    """It, to its end; what has become of the upgrade by then."""
    await asyncio.wait_for(begin_upgrade(lab.world.ports, execution_id, seconds), FOREVER)
    return await lab.execution(execution_id)


async def step(lab: Lab, execution_id: str, work: Work, batch: int = 1, last: int | None = None) -> Outcome:
    """One task in the triggerer, to its end."""
    done = do_step(lab.world.ports, execution_id, Step(work, batch), last or batch, None)
    return await asyncio.wait_for(done, 10 * FOREVER)


async def other_tasks(lab: Lab, execution_id: str) -> Execution:
    """All tasks but the first, as Airflow calls them, until the run ends; nobody promotes or approves anything."""
    walk = DagWalk(execution_id, await lab.batches(execution_id))
    walk.tasks.remove(BEGIN)
    while task := walk.next_task:
        found = run_task(lab.world.ports, execution_id, task, None)
        await walk.note(lab.world.ports, task, await asyncio.wait_for(found, 10 * FOREVER))
    return await lab.execution(execution_id)
