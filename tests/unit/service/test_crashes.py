"""Runners die, sleep and are overtaken: nothing is done twice, and somebody always brings it to its end."""

import asyncio
from collections import Counter
from random import Random

import pytest

from include.upgrades.domain.states import ExecutionStatus
from include.upgrades.service.fleet_ports import StaleToken
from include.upgrades.service.outcome import Ending
from local.fleet.orders import Orders
from tests.labs.lab import Lab, until
from tests.labs.memory_lab import MakeLab
from tests.labs.seed import NEW_VERSION


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


FAULTS = ("upgrade-fails", "comes-up-unhealthy", "slow", "agent-503", "agent-hangs")


def _break(lab: Lab, random: Random) -> None:
    """Up to three faults, each of them over after a while."""
    for _ in range(random.randint(0, 3)):
        kind, number = random.choice(FAULTS), random.choice([None, 1, 2, 3, 4, 5, 6])
        seconds = 0.3 if kind in ("slow", "agent-hangs") else None
        lab.fault(kind, number, seconds=seconds, times=random.randint(1, 3))


async def _run_with_deaths(lab: Lab, execution_id: str, random: Random) -> None:
    """The upgrade from its rows on; dies at a random moment now and then, and is begun again."""
    for _ in range(random.randint(1, 3)):
        task = asyncio.create_task(lab.upgrade(execution_id))
        await asyncio.wait([task], timeout=random.uniform(0.02, 0.6))
        if task.done():
            task.result()
            return
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    await lab.upgrade(execution_id)


@pytest.mark.parametrize("seed", range(15))
async def test_random_faults_and_deaths_always_come_to_an_end_within_the_rules(make_lab: MakeLab, seed: int) -> None:
    random = Random(seed)
    lab = await make_lab(size=6, lease_seconds=0.5, upgrade_seconds=random.choice([0.01, 0.1]))
    back = random.random() < 0.5
    execution_id = await lab.admitted(
        batch_size=random.choice([2, 3]),
        max_unavailable_percentage=random.choice([25, 50]),
        failure_threshold=random.choice([1, 2, 10]),
        auto_rollback_enabled=back,
        health_check_timeout_seconds=2,
    )
    _break(lab, random)
    await _run_with_deaths(lab, execution_id, random)
    execution, rows = await lab.execution(execution_id), (await lab.instances(execution_id)).values()
    assert execution.is_terminal
    assert execution.settled_at is not None
    assert not any(each.in_flight for each in rows)
    assert max(each.attempts for each in rows) <= 2
    assert max(each.revert_attempts for each in rows) <= 2
    assert lab.most_unavailable() <= max(1, 6 * (execution.request.max_unavailable_percentage) // 100)
    assert lab.tokens() == sorted(lab.tokens())
    if execution.status is ExecutionStatus.COMPLETED:
        assert lab.versions() == {NEW_VERSION: 6}
    else:
        assert execution.status in (ExecutionStatus.FAILED, ExecutionStatus.ROLLED_BACK)
    sequences = [each.sequence for each in await lab.events(execution_id)]
    assert sequences == list(range(1, len(sequences) + 1))
