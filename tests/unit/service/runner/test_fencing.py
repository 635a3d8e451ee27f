"""A lease holder is suspended before sending an order, and resumes after another runner has taken over."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import pytest

from tests.labs.crash_after import Crashed, CrashPoint, crashing
from tests.labs.lab import OLGA, Lab
from tests.labs.memory.lab import MakeLab
from tests.labs.seed import NEW_VERSION, OLD_VERSION
from tests.labs.steps.pools import end, going_over, over, pools, switched, traffic
from upgrade_orchestrator.domain.blue_green.cutover import Goal
from upgrade_orchestrator.domain.errors import LostLease
from upgrade_orchestrator.domain.execution.execution import Strategy
from upgrade_orchestrator.domain.execution.states import ExecutionStatus
from upgrade_orchestrator.domain.registry.entries import Deployment
from upgrade_orchestrator.service.runner.lease import LeaseKeeper
from upgrade_orchestrator.service.runner.outcome import Ending
from upgrade_orchestrator.service.upgrade.commands import cancel_upgrade

S = ExecutionStatus


class Sleep:
    """Suspends a runner when it is about to send that order."""

    def __init__(self, order: str) -> None:
        self.order, self.began, self.over = order, asyncio.Event(), asyncio.Event()

    async def before(self, order: str) -> None:
        if order == self.order and not self.began.is_set():
            self.began.set()
            await self.over.wait()


class SleepyFleets:
    """Port ``Fleets``."""

    def __init__(self, fleets: Any, sleep: Sleep) -> None:
        self._fleets, self._sleep = fleets, sleep

    @asynccontextmanager
    async def of(self, deployment: Deployment) -> AsyncIterator[Any]:
        async with self._fleets.of(deployment) as driver:
            yield SleepyDriver(driver, self._sleep)


class SleepyDriver:
    """Port ``FleetDriver``."""

    def __init__(self, driver: Any, sleep: Sleep) -> None:
        self._driver, self._sleep = driver, sleep

    def __getattr__(self, name: str) -> Any:
        async def call(*given: Any) -> Any:
            await self._sleep.before(name)
            return await getattr(self._driver, name)(*given)

        return call


def sleepy(lab: Lab, sleep: Sleep) -> Lab:
    """The same lab with a runner that is suspended."""
    fleets: Any = SleepyFleets(lab.world.ports.fleets, sleep)
    return Lab(replace(lab.world, ports=replace(lab.world.ports, fleets=fleets)))


async def test_late_switch_order_of_a_previous_runner_is_refused_after_the_upgrade_was_ended(make_lab: MakeLab) -> None:
    lab = await make_lab(size=2)
    execution_id = await lab.admitted(strategy=Strategy.BLUE_GREEN)
    await over(lab, execution_id, Goal.CHECKED)
    sleep = Sleep("switch_traffic")
    sleeper = going_over(sleepy(lab, sleep), execution_id, Goal.SWITCHED)
    await sleep.began.wait()
    lab.end_lease()
    await lab.go(execution_id, S.FAILED)
    assert (await end(lab, execution_id)).settled_at is not None
    sleep.over.set()
    assert (await sleeper).ending is Ending.STOPPED
    assert traffic(lab) == "blue"


async def test_late_removal_order_of_a_previous_runner_is_refused_after_the_upgrade_was_cancelled(
    make_lab: MakeLab,
) -> None:
    lab, execution_id = await switched(make_lab, size=2)
    sleep = Sleep("remove_pool")
    sleeper = going_over(sleepy(lab, sleep), execution_id, Goal.RETIRED)
    await sleep.began.wait()
    lab.end_lease()
    await cancel_upgrade(lab.world.ports, execution_id, None, OLGA)
    assert (await end(lab, execution_id)).settled_at is not None
    sleep.over.set()
    assert (await sleeper).ending is Ending.STOPPED
    assert pools(lab) == {"blue": {OLD_VERSION}, "green": {NEW_VERSION}}


async def test_next_runner_sends_its_fencing_token_before_it_observes_the_fleet(make_lab: MakeLab) -> None:
    lab = await make_lab(size=3, upgrade_seconds=0.3)
    execution_id = await lab.admitted(max_unavailable_percentage=34)
    sleep = Sleep("set_version")
    sleeper = asyncio.create_task(sleepy(lab, sleep).run(execution_id, 1))
    await sleep.began.wait()
    lab.end_lease()
    assert (await lab.upgrade(execution_id)).status is S.COMPLETED
    sleep.over.set()
    assert (await sleeper).ending is Ending.STOPPED  # it reads the rows again: COMPLETED
    first = next(each for each in lab.log() if each["kind"] == "call" and each["fence"] > lab.tokens()[0])
    assert ".fence." in first["key"]
    assert len(lab.upgrades()) == 3


async def test_fence_is_not_closed_when_the_previous_runner_returned_its_lease(make_lab: MakeLab) -> None:
    lab = await make_lab(size=3)
    execution_id = await lab.admitted()
    await lab.run(execution_id, 1, seconds=0.0)
    assert (await lab.upgrade(execution_id)).status is S.COMPLETED
    assert not [each for each in lab.log() if each["kind"] == "call" and ".fence." in each["key"]]


async def test_fence_changes_nothing_in_the_fleet(make_lab: MakeLab) -> None:
    lab = await make_lab(size=3)
    before = len(_transitions(lab))
    execution_id = await lab.admitted()
    with pytest.raises(Crashed):
        await crashing(lab, CrashPoint(1)).run(execution_id, 1)
    lab.end_lease()
    with pytest.raises(Crashed):
        await crashing(lab, CrashPoint(2)).run(execution_id, 1)  # it has taken the lease and closed the fence, no more
    (call,) = [each for each in lab.log() if each["kind"] == "call"]
    assert (".fence." in call["key"], lab.statuses()) == (True, {"RUNNING": 3})
    assert len(_transitions(lab)) == before


def _transitions(lab: Lab) -> list[dict[str, Any]]:
    return [each for each in lab.log() if each["kind"] == "transition"]


async def test_fence_needs_no_idle_instance(make_lab: MakeLab) -> None:
    lab = await make_lab(size=1)
    execution_id = await lab.admitted()
    with pytest.raises(Crashed):
        await crashing(lab, CrashPoint(3)).run(execution_id, 1)
    lab.end_lease()
    assert (await lab.upgrade(execution_id)).status is S.COMPLETED
    assert len(lab.upgrades()) == 1


async def test_fence_is_closed_once_an_unreachable_agent_responds_again(make_lab: MakeLab) -> None:
    lab = await make_lab(size=3)
    execution_id = await lab.admitted()
    with pytest.raises(Crashed):
        await crashing(lab, CrashPoint(1)).run(execution_id, 1)
    lab.end_lease()
    lab.fault("agent-503", times=2)
    await lab.run(execution_id, 1)
    calls = [each for each in lab.log() if each["kind"] == "call"]
    assert [".fence." in each["key"] for each in calls][:2] == [True, False]


# fault 32
async def test_holder_that_raises_its_token_keeps_the_lease_and_orders_with_the_new_one(make_lab: MakeLab) -> None:
    lab = await make_lab(size=2)
    execution_id = await lab.admitted()
    keeper = LeaseKeeper(lab.world.ports, (await lab.context(execution_id)).deployment)
    assert await keeper.take()
    before = keeper.lease
    await keeper.raise_token()
    assert (keeper.lease.token, keeper.lease.owner, keeper.held) == (before.token + 1, before.owner, True)
    assert lab.lease() == (before.owner, before.token + 1, True)


async def test_runner_that_lost_its_lease_cannot_raise_the_token(make_lab: MakeLab) -> None:
    lab = await make_lab(size=2)
    deployment = (await lab.context(await lab.admitted())).deployment
    first, second = LeaseKeeper(lab.world.ports, deployment), LeaseKeeper(lab.world.ports, deployment)
    assert await first.take()
    lab.end_lease()
    assert await second.take()
    with pytest.raises(LostLease):
        await first.raise_token()
    assert lab.lease()[1] == second.lease.token
