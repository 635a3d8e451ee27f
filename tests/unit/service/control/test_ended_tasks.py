"""The control loops end tasks whose triggers are done, several at once when they finish together."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from tests.labs.lab import Lab, until
from tests.labs.memory.lab import MakeLab
from upgrade_orchestrator.domain.errors import Unavailable
from upgrade_orchestrator.service.control.ended_tasks import COLLECT_SECONDS, LISTEN_SECONDS, PAGE_SIZE, end_tasks


@asynccontextmanager
async def ending_tasks(lab: Lab) -> AsyncIterator[asyncio.Task[None]]:
    """Within it the control loop runs, and listens."""
    loop = asyncio.create_task(end_tasks(lab.world.ports))
    await asyncio.sleep(COLLECT_SECONDS)
    try:
        yield loop
    finally:
        loop.cancel()
        await asyncio.gather(loop, return_exceptions=True)


async def notify(lab: Lab, *task_ids: str) -> None:
    for each in task_ids:
        await lab.world.ports.task_ends.notify(each)


async def test_tasks_that_are_done_together_are_ended_in_one_transaction(make_lab: MakeLab) -> None:
    lab = await make_lab()
    async with ending_tasks(lab):
        await notify(lab, "a", "b")
        await asyncio.sleep(COLLECT_SECONDS / 2)
        await notify(lab, "c")
        await until(lambda: lab.world.airflow.ended, "the three are ended")
        await notify(lab, "d")
        await until(lambda: len(lab.world.airflow.ended) > 1, "the one after them is ended too")
    assert lab.world.airflow.ended == [["a", "b", "c"], ["d"]]


async def test_many_tasks_are_ended_in_several_transactions(make_lab: MakeLab) -> None:
    lab = await make_lab()
    async with ending_tasks(lab):
        await notify(lab, *(f"{number:03d}" for number in range(PAGE_SIZE + 1)))
        await until(lambda: len(lab.world.airflow.ended) > 1, "all are ended")
    assert [len(each) for each in lab.world.airflow.ended] == [PAGE_SIZE, 1]


async def test_task_is_not_ended_without_a_notification(make_lab: MakeLab) -> None:
    lab = await make_lab()
    async with ending_tasks(lab) as loop:
        await asyncio.sleep(3 * LISTEN_SECONDS)
        assert not loop.done()
    assert lab.world.airflow.ended == []


async def test_control_loop_raises_a_clear_error_while_airflow_is_unreachable(make_lab: MakeLab) -> None:
    lab = await make_lab()
    async with ending_tasks(lab) as loop:
        lab.world.airflow.away = True
        await notify(lab, "a")
        with pytest.raises(Unavailable):
            await loop
