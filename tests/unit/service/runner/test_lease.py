"""A lease is kept while its runner lives, however long the calls of a round take."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, cast

import pytest

from tests.labs.lab import abandoned
from tests.labs.memory.lab import MakeLab
from upgrade_orchestrator.domain.execution.execution import Strategy
from upgrade_orchestrator.domain.execution.states import ExecutionStatus
from upgrade_orchestrator.domain.registry.entries import Deployment
from upgrade_orchestrator.service.ports.fleet import FleetDriver, Fleets, Unreachable
from upgrade_orchestrator.service.rollout.batch import run_batch
from upgrade_orchestrator.service.runner.lease import LeaseKeeper, no_clocks


# fault 7
@pytest.mark.parametrize("held", [True, False])
async def test_lease_outlasts_a_round_that_is_longer_than_it_only_while_its_runner_lives(
    make_lab: MakeLab, held: bool
) -> None:
    lab = await make_lab(size=1, lease_seconds=2.0, upgrade_seconds=3600)
    execution_id = await lab.admitted(health_check_timeout_seconds=3600)
    lab.fault("agent-hangs")  # each call takes 10 s
    task = lab.running(execution_id, 1)
    await asyncio.sleep(1)
    if not held:
        await abandoned(task)
    await asyncio.sleep(5)
    other = LeaseKeeper(lab.world.ports, (await lab.context(execution_id)).deployment)
    assert await other.take() is not held
    if held:
        await abandoned(task)
    lab.heal()


@pytest.mark.parametrize(("gap", "counted"), [(2.0, 2.0), (6.0, 0.0)])
async def test_short_gap_before_the_first_take_counts_as_watched_where_turns_follow_each_other(
    make_lab: MakeLab, gap: float, counted: float
) -> None:
    lab = await make_lab(size=1)
    deployment = (await lab.context(await lab.admitted())).deployment
    before = LeaseKeeper(lab.world.ports, deployment)
    assert await before.take()
    await before.give_back(no_clocks)
    await asyncio.sleep(gap)
    keeper = LeaseKeeper(lab.world.ports, deployment, counted_gap=5.0)
    assert await keeper.take()
    assert keeper.seconds_since_last_call() == pytest.approx(counted, abs=0.01)


async def test_gap_before_the_first_take_is_not_watched_otherwise(make_lab: MakeLab) -> None:
    lab = await make_lab(size=1)
    keeper = LeaseKeeper(lab.world.ports, (await lab.context(await lab.admitted())).deployment)
    await asyncio.sleep(2.0)
    assert await keeper.take()
    assert keeper.seconds_since_last_call() == 0.0


@dataclass
class HangingFleets:
    """Port ``Fleets``: calls of these names are not answered for as long as a call may take."""

    fleets: Fleets
    names: tuple[str, ...]

    @asynccontextmanager
    async def of(self, deployment: Deployment) -> AsyncIterator[FleetDriver]:
        """The real driver, with calls that hang."""
        async with self.fleets.of(deployment) as driver:
            yield cast(FleetDriver, _Hanging(driver, self.names))


class _Hanging:
    def __init__(self, driver: FleetDriver, names: tuple[str, ...]) -> None:
        self._driver, self._names = driver, names

    def __getattr__(self, name: str) -> Any:
        return self._hang if name in self._names else getattr(self._driver, name)

    async def _hang(self, *_: Any) -> None:
        await asyncio.sleep(10)
        raise Unreachable("the agent does not answer", in_doubt=True)


@pytest.mark.parametrize("call", ["health", "drain"])
async def test_step_of_more_instances_than_can_be_called_while_the_lease_is_kept_times_out(
    make_lab: MakeLab, call: str
) -> None:
    lab = await make_lab(size=400)
    execution_id = await lab.admitted(strategy=Strategy.RECREATE, health_check_timeout_seconds=100)
    lab = lab.with_ports(fleets=HangingFleets(lab.world.ports.fleets, (call,)))
    context = await lab.context(execution_id)
    await asyncio.wait_for(run_batch(lab.world.ports, context, 1, None), 1000)
    assert (await lab.execution(execution_id)).status is ExecutionStatus.FAILED
