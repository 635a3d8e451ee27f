"""A runner's process is killed, or its connections are cut: no work is done twice, and the upgrade reaches its end."""

import asyncio
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from tests.integration.fleet.running_agent import ROOT
from tests.integration.store_lab import MakeLab, StoreLab
from tests.labs.lab import until
from upgrade_orchestrator.domain.execution.states import ExecutionStatus


@contextmanager
def _runner_process(lab: StoreLab, execution_id: str, lease_seconds: float) -> Iterator["subprocess.Popen[bytes]"]:
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


async def test_runner_killed_in_mid_batch_is_replaced_and_no_instance_is_upgraded_twice(make_lab: MakeLab) -> None:
    lab = await make_lab(size=6, lease_seconds=1.0, upgrade_seconds=1.5)
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


async def test_upgrade_continues_when_its_database_connections_are_cut(make_lab: MakeLab) -> None:
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
