"""Finished tasks are announced by NOTIFY, on a channel that wakes no other waiters."""

import asyncio

from tests.store_contract.waiting import QUIET_SECONDS
from upgrade_orchestrator.adapters.postgres.events.signals import PostgresNames, PostgresSignals
from upgrade_orchestrator.adapters.postgres.events.task_ends import PostgresTaskEnds
from upgrade_orchestrator.service.ports.signals import ANYTHING

LONG = 60.0


async def test_announced_task_ends_are_received(postgres_url: str) -> None:
    ends = PostgresTaskEnds(postgres_url)
    async with ends.listen() as ended:
        assert await ended.wait(LONG) == {ANYTHING}  # it listens from here on
        await ends.notify("one")
        await ends.notify("two")
        received: set[str] = set()
        async with asyncio.timeout(LONG):
            while received != {"one", "two"}:
                received |= await ended.wait(LONG)


async def test_more_announced_task_ends_are_kept_than_other_signals(postgres_url: str) -> None:
    ends, number = PostgresTaskEnds(postgres_url), PostgresNames.MAX_NAMES + 1
    async with ends.listen() as ended:
        assert await ended.wait(LONG) == {ANYTHING}
        for each in range(number):
            ended.notify(str(each))
        assert len(await ended.wait(LONG)) == number


async def test_announced_task_end_does_not_wake_waiters_for_executions(postgres_url: str) -> None:
    async with PostgresSignals(postgres_url).of(ANYTHING) as waiter:
        await waiter.wait(LONG)  # it listens from here on
        await PostgresTaskEnds(postgres_url).notify("one")
        assert await waiter.wait(QUIET_SECONDS) is False


async def test_task_end_can_be_announced_without_a_listener(postgres_url: str) -> None:
    await PostgresTaskEnds(postgres_url).notify("one")
