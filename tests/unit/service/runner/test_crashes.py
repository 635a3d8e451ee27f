"""Runners die, are suspended or lose the lease: nothing is done twice, and another runner always finishes the work."""

import asyncio
from collections import Counter
from random import Random

import pytest

from local.fleet.agent.orders import Orders
from tests.effort import some
from tests.labs.lab import OLGA, until
from tests.labs.memory.lab import MakeLab
from tests.labs.random_crashes import upgrade_with_crashes
from tests.labs.seed import CONNECTION
from upgrade_orchestrator.domain.execution.states import ExecutionStatus
from upgrade_orchestrator.service.registry.fencing import raise_fencing_token
from upgrade_orchestrator.service.runner.outcome import Ending
from upgrade_orchestrator.service.upgrade.commands import roll_back_upgrade

S = ExecutionStatus


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


# fault 31
@pytest.mark.parametrize("begun", [False, True])
async def test_upgrade_fails_at_once_when_the_fleet_refuses_the_token_of_the_lease_holder(
    make_lab: MakeLab, begun: bool
) -> None:
    lab = await make_lab(size=2)
    execution_id = await lab.admitted(batch_size=1)
    if begun:
        await lab.run(execution_id, 1)
    done = lab.upgrades()
    lab.order(Orders.undrain, lab.name(1), fence=1000)
    outcome = await lab.run(execution_id, 2 if begun else 1)
    execution = await lab.execution(execution_id)
    assert (outcome.ending, execution.status, execution.failure_phase) == (Ending.STOPPED, S.FAILED, None)
    token = lab.lease()[1]
    assert f"refuses our fencing token {token}: it has seen 1000" in execution.status_reason
    assert "POST /deployments/fencing" in execution.status_reason
    assert (lab.upgrades(), lab.lease()[2]) == (done, False)
    ended = await lab.end(execution_id)
    assert (ended.settled_at is not None, lab.upgrades()) == (True, done)


# fault 31
async def test_rollback_fails_in_its_phase_when_the_fleet_refuses_the_token_of_the_lease_holder(
    make_lab: MakeLab,
) -> None:
    lab = await make_lab(size=2)
    execution_id = await lab.admitted()
    await lab.run(execution_id, 1)
    await roll_back_upgrade(lab.world.ports, execution_id, None, OLGA)
    lab.order(Orders.undrain, lab.name(1), fence=1000)
    await lab.roll_back(execution_id)
    execution = await lab.end(execution_id)
    assert (execution.status, execution.failure_phase, execution.settled_at is not None) == (S.FAILED, "ROLLBACK", True)
    assert not [each for each in (await lab.instances(execution_id)).values() if each.in_flight]


# fault 31
async def test_upgrade_goes_on_when_the_refused_runner_has_lost_the_lease(make_lab: MakeLab) -> None:
    lab = await make_lab(size=2)
    execution_id = await lab.admitted()
    await raise_fencing_token(lab.world.ports, CONNECTION, lab.world.fleet, 1000, OLGA)
    lab.order(Orders.undrain, lab.name(1), fence=1000)
    assert (await lab.upgrade(execution_id)).status is S.COMPLETED
    assert lab.tokens()[-1] > 1000


@pytest.mark.parametrize("seed", some(range(15)))
async def test_upgrade_with_random_faults_and_crashes_always_ends_within_the_rules(
    make_lab: MakeLab, seed: int
) -> None:
    await upgrade_with_crashes(make_lab, Random(seed))
