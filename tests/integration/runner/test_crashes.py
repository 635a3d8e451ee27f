"""Runners die, are doubled and are overtaken: nothing is done twice, and somebody always brings it to its end."""

import asyncio
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from random import Random

import pytest

from include.upgrades.domain.states import ExecutionStatus
from include.upgrades.service.fleet_ports import StaleToken
from include.upgrades.service.outcome import Ending
from tests.integration.fleet.running_agent import ROOT, Caller
from tests.integration.runner.conftest import MakeLab
from tests.integration.runner.lab import NEW_VERSION, Lab, until


@contextmanager
def _runner_process(lab: Lab, execution_id: str, lease_seconds: float) -> Iterator["subprocess.Popen[bytes]"]:
    arguments = [lab.world.url, execution_id, "1", str(lease_seconds)]
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.integration.runner.process", *arguments],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    try:
        yield process
    finally:
        process.kill()
        process.wait(10)


async def test_runner_killed_in_mid_batch_is_succeeded_and_nothing_is_upgraded_twice(make_lab: MakeLab) -> None:
    lab = await make_lab(size=6, lease_seconds=1.0, upgrade_seconds=0.3)
    execution_id = await lab.admitted(max_unavailable_percentage=34, batch_size=6)
    with _runner_process(lab, execution_id, 1.0) as process:
        await until(lambda: len(lab.upgrades()) >= 3, "the process works", seconds=60)
        process.kill()
        process.wait(10)
        assert (await lab.upgrade(execution_id)).status is ExecutionStatus.COMPLETED
    assert Counter(lab.upgrades()) == {lab.name(number): 1 for number in range(1, 7)}
    assert lab.most_unavailable() <= 2
    assert lab.tokens() == sorted(lab.tokens())
    assert len(set(lab.tokens())) == 2


async def test_two_runners_on_one_batch_do_nothing_twice(make_lab: MakeLab) -> None:
    lab = await make_lab(size=4)
    execution_id = await lab.admitted()
    outcomes = await asyncio.gather(lab.run(execution_id, 1), lab.run(execution_id, 1))
    assert [each.ending for each in outcomes] == [Ending.DONE, Ending.DONE]
    assert Counter(lab.upgrades()) == {lab.name(number): 1 for number in range(1, 5)}
    assert lab.tokens() == sorted(lab.tokens())
    told = [each.event.what.value for each in await lab.events(execution_id)]
    assert told.count("batch-started") == told.count("batch-completed") == 1


async def test_runner_that_slept_through_its_lease_stops_and_writes_nothing(make_lab: MakeLab) -> None:
    lab = await make_lab(size=3, upgrade_seconds=0.5)
    execution_id = await lab.admitted()
    first = lab.running(execution_id, 1)
    await until(lab.upgrades, "an upgrade under way")
    with lab.world.connect() as connection:  # as after a long pause of its process: the lease is over
        connection.execute("UPDATE lease SET expires_at = clock_timestamp() - interval '1 s'")
    second = lab.running(execution_id, 1)
    outcomes = await asyncio.gather(first, second)
    assert [each.ending for each in outcomes] == [Ending.DONE, Ending.DONE]
    assert Counter(lab.upgrades()) == {lab.name(number): 1 for number in range(1, 4)}
    assert lab.tokens() == sorted(lab.tokens())


async def test_runner_stops_when_the_agent_has_seen_a_newer_token(make_lab: MakeLab) -> None:
    lab = await make_lab(size=2)
    execution_id = await lab.admitted()
    Caller(lab.world.agent, lab.world.fleet, fence=1000).undrain(lab.name(1)).raise_for_status()
    with pytest.raises(StaleToken, match="higher fencing token"):
        await lab.run(execution_id, 1)
    assert lab.upgrades() == []
    assert lab.lease()[2] is False


async def test_upgrade_goes_on_when_its_database_connections_are_cut(make_lab: MakeLab) -> None:
    lab = await make_lab(size=4, upgrade_seconds=0.2)
    execution_id = await lab.admitted()
    task = lab.running(execution_id, 1)
    await until(lab.upgrades, "an upgrade under way")
    with lab.world.connect() as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND application_name LIKE 'upgrades%'"
        )
    await asyncio.gather(task, return_exceptions=True)
    assert (await lab.upgrade(execution_id)).status is ExecutionStatus.COMPLETED
    assert Counter(lab.upgrades()) == {lab.name(number): 1 for number in range(1, 5)}


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
