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
from tests.integration.runner.dying import upgrade_with_deaths
from tests.integration.runner.lab import Lab, until


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


@pytest.mark.parametrize("seed", range(15))
async def test_random_faults_and_deaths_always_come_to_an_end_within_the_rules(make_lab: MakeLab, seed: int) -> None:
    """`make soak` has others (campaign `deaths`)."""
    await upgrade_with_deaths(make_lab, Random(seed))
