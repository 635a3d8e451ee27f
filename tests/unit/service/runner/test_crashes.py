"""Runners die, are suspended or lose the lease: nothing is done twice, and another runner always finishes the work."""

import asyncio
from collections import Counter
from random import Random

import pytest

from local.fleet.agent.orders import Orders
from tests.effort import some
from tests.labs.lab import until
from tests.labs.memory.lab import MakeLab
from tests.labs.random_crashes import upgrade_with_crashes
from upgrade_orchestrator.service.ports.fleet import StaleToken
from upgrade_orchestrator.service.runner.outcome import Ending


async def test_runner_that_slept_through_its_lease_stops_and_writes_nothing(make_lab: MakeLab) -> None:
    lab = await make_lab(size=3, upgrade_seconds=0.5)
    execution_id = await lab.admitted()
    first = lab.running(execution_id, 1)
    await until(lab.upgrades, "an upgrade under way")
    lab.end_lease()  # as after a long pause of its process
    second = lab.running(execution_id, 1)
    outcomes = await asyncio.gather(first, second)
    assert [each.ending for each in outcomes] == [Ending.DONE, Ending.DONE]
    assert Counter(lab.upgrades()) == {lab.name(number): 1 for number in range(1, 4)}
    assert lab.tokens() == sorted(lab.tokens())


async def test_runner_stops_when_the_agent_has_seen_a_newer_token(make_lab: MakeLab) -> None:
    lab = await make_lab(size=2)
    execution_id = await lab.admitted()
    lab.order(Orders.undrain, lab.name(1), fence=1000)
    with pytest.raises(StaleToken, match="higher fencing token"):
        await lab.run(execution_id, 1)
    assert lab.upgrades() == []
    assert lab.lease()[2] is False


@pytest.mark.parametrize("seed", some(range(15)))
async def test_upgrade_with_random_faults_and_crashes_always_ends_within_the_rules(
    make_lab: MakeLab, seed: int
) -> None:
    await upgrade_with_crashes(make_lab, Random(seed))
