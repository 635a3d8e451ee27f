"""A lease is kept while its runner lives, however long the calls of a round take."""

import asyncio

import pytest

from tests.labs.lab import abandoned
from tests.labs.memory.lab import MakeLab
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
