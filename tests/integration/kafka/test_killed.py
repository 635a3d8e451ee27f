"""The process that leads the relay is killed (-9) at random: nothing is lost, and no event overtakes another."""

import asyncio
import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from random import Random

import psutil
import psycopg
import pytest
from sqlalchemy.engine import make_url

from include.upgrades.adapters.postgres.leader import RELAY
from include.upgrades.domain.execution import Execution
from include.upgrades.service.ports import Ports
from local.processes import Command, Processes
from tests.integration.kafka.broker import ROOT
from tests.integration.kafka.conftest import Tell, eventually, read
from tests.integration.kafka.reader import Reader
from tests.integration.store.conftest import Added

KILLS, EXECUTIONS, WRITERS = 20, 20, 4
NAMES = ("relay-a", "relay-b")
_LEADER = """SELECT client_port FROM pg_locks JOIN pg_stat_activity USING (pid) WHERE locktype = 'advisory' AND granted
    AND (classid::bigint << 32 | objid::bigint) = %s AND datname = current_database()"""


class Relays:
    """Two processes that want to lead."""

    def __init__(self, url: str, folder: Path) -> None:
        self._url, self._processes = url, Processes(folder, folder)
        self._dsn = make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)

    def start(self) -> None:
        """Those that do not run."""
        argv = [sys.executable, "-m", "tests.integration.kafka.process", self._url]
        for name in NAMES:
            self._processes.start(Command(name, argv, dict(os.environ), ROOT))

    def leader(self) -> str | None:
        """Whose connection holds the lock."""
        with psycopg.connect(self._dsn, autocommit=True) as connection:
            row = connection.execute(_LEADER, (RELAY,)).fetchone()
        return next((name for name in NAMES if row and self._has(name, row[0])), None)

    def _has(self, name: str, port: int) -> bool:
        leader = self._processes.leader(name)
        if leader is None:
            return False
        try:
            return any(each.laddr.port == port for each in psutil.Process(leader.pid).net_connections("tcp"))
        except psutil.Error:
            return False

    def kill(self, name: str) -> None:
        self._processes.kill(name)

    def end(self) -> None:
        for name in NAMES:
            self._processes.kill(name)


@pytest.fixture
def relays(postgres_url: str, topic: str, tmp_path: Path) -> Iterator[Relays]:
    made = Relays(postgres_url, tmp_path)
    made.start()
    yield made
    made.end()


@pytest.mark.slow
async def test_relay_that_is_killed_at_random_loses_and_reorders_nothing(
    relays: Relays, added: Added, tell: Tell, reader: Reader, ports: Ports
) -> None:
    random = Random(5)
    executions = [await added() for _ in range(EXECUTIONS)]
    done = asyncio.Event()
    writing = [asyncio.create_task(_write(tell, executions[each::WRITERS], done, each)) for each in range(WRITERS)]
    killed = 0
    while killed < KILLS:
        name, seen = await _leader(relays, reader), len(reader.records)
        await read(reader, lambda seen=seen: len(reader.records) > seen)  # type: ignore[misc]
        await asyncio.to_thread(reader.poll, random.uniform(0.0, 0.6))
        relays.kill(name)
        killed += 1
        relays.start()
    done.set()
    told = {key: last for each in await asyncio.gather(*writing) for key, last in each.items()}
    await read(reader, lambda: len({e.event.get_id() for e in reader.records}) == sum(told.values()))

    async def is_published() -> bool:
        return (await ports.outbox.lag()).rows == 0

    await eventually(is_published)
    assert reader.sequences() == {key: list(range(1, last + 1)) for key, last in told.items()}
    print(f"{sum(told.values())} events, {KILLS} kills, {reader.again} came again")
    assert reader.again > 0, "no kill hit a wave that was under way: this test has shown nothing"


async def _write(tell: Tell, executions: list[Execution], done: asyncio.Event, seed: int) -> dict[str, int]:
    """Events without end; how many of each execution."""
    random, told = Random(seed), dict.fromkeys((each.id for each in executions), 0)
    while not done.is_set():
        each, count = random.choice(executions), random.choice((1, 2, 3, 200))  # the many are under way for a while
        await tell(each, *["x" * random.randint(0, 500)] * count)
        told[each.id] += count
        await asyncio.sleep(random.uniform(0, 0.4))
    return told


async def _leader(relays: Relays, reader: Reader) -> str:
    deadline = time.monotonic() + 30
    while (name := relays.leader()) is None:
        assert time.monotonic() < deadline, "nobody leads"
        await asyncio.to_thread(reader.poll, 0.02)
    return name
