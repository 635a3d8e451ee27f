"""Which tasks are done is told by NOTIFY, and to nobody who listens for something else."""

import asyncio

from tests.store_contract.waiting import QUIET_SECONDS
from upgrade_orchestrator.adapters.postgres.events.signals import PostgresNames, PostgresSignals
from upgrade_orchestrator.adapters.postgres.events.task_ends import PostgresTaskEnds
from upgrade_orchestrator.service.ports.signals import ANYTHING

LONG = 60.0


async def test_tasks_that_are_told_are_heard(postgres_url: str) -> None:
    ends = PostgresTaskEnds(postgres_url)
    async with ends.told() as told:
        assert await told.wait(LONG) == {ANYTHING}  # it listens from here on
        await ends.notify("one")
        await ends.notify("two")
        heard: set[str] = set()
        async with asyncio.timeout(LONG):
            while heard != {"one", "two"}:
                heard |= await told.wait(LONG)


async def test_more_tasks_are_kept_than_of_other_signals(postgres_url: str) -> None:
    ends, number = PostgresTaskEnds(postgres_url), PostgresNames.MOST + 1
    async with ends.told() as told:
        assert await told.wait(LONG) == {ANYTHING}
        for each in range(number):
            told.notify(str(each))
        assert len(await told.wait(LONG)) == number


async def test_task_that_is_told_wakes_nobody_who_waits_for_an_execution(postgres_url: str) -> None:
    async with PostgresSignals(postgres_url).of(ANYTHING) as waiter:
        await waiter.wait(LONG)  # it listens from here on
        await PostgresTaskEnds(postgres_url).notify("one")
        assert await waiter.wait(QUIET_SECONDS) is False


async def test_nobody_is_needed_to_hear_it(postgres_url: str) -> None:
    await PostgresTaskEnds(postgres_url).notify("one")
