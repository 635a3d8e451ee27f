"""An upgrade begins in a worker while there is a place for it."""

import asyncio

from include.upgrades.domain.states import ExecutionStatus
from include.upgrades.domain.steps import Work, steps_of
from include.upgrades.service.begin import begin_in_worker
from include.upgrades.service.outcome import Ending
from tests.labs.first_step import PATIENCE, SECONDS, step
from tests.labs.lab import FOREVER, Lab
from tests.labs.memory_lab import MakeLab
from tests.labs.memory_world import Places

S = ExecutionStatus


async def begin(lab: Lab, execution_id: str) -> Ending:
    async with lab.world.ports.work() as work:
        first = steps_of(await work.executions.plan(execution_id))[0]
    begun = begin_in_worker(lab.world.ports, execution_id, first, SECONDS, PATIENCE)
    return (await asyncio.wait_for(begun, FOREVER)).ending


async def test_upgrade_is_completed_in_the_worker_while_a_place_is_free(make_lab: MakeLab) -> None:
    places = Places(1)
    lab = (await make_lab()).with_ports(worker_places=places)
    execution = await lab.validating()
    assert await begin(lab, execution.id) is Ending.DONE
    assert ((await lab.execution(execution.id)).status, places.free) == (S.COMPLETED, 1)


async def test_upgrade_is_left_to_the_triggerer_untouched_while_others_have_the_places(make_lab: MakeLab) -> None:
    lab = (await make_lab()).with_ports(worker_places=Places(0))
    execution = await lab.validating()
    events = await lab.events(execution.id)
    assert await begin(lab, execution.id) is Ending.UNFINISHED
    assert (await lab.execution(execution.id), await lab.events(execution.id)) == (execution, events)
    assert (await step(lab, execution.id, Work.BATCH)).ending is Ending.DONE
    assert (await lab.execution(execution.id)).status is S.COMPLETED
