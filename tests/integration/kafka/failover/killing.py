"""Candidates for the leadership of the relay, and the scenario in which the leader is killed (-9) during writes."""

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from random import Random

import psutil
import psycopg
from sqlalchemy.engine import make_url

from local.supervisor.processes import Command, Processes
from tests.integration.kafka.conftest import Append, eventually, read
from tests.integration.kafka.reader import Reader
from tests.integration.store.conftest import Added
from upgrade_orchestrator.adapters.postgres.engine.leader import RELAY
from upgrade_orchestrator.domain.execution.execution import Execution
from upgrade_orchestrator.service.ports.unit_of_work import Ports

EXECUTIONS, WRITERS = 20, 4
LEAD_SECONDS = 180.0
"A server that has to be restarted needs some time; one that stands by leads after two seconds."
_LEADER = """SELECT client_port FROM pg_locks JOIN pg_stat_activity USING (pid) WHERE locktype = 'advisory' AND granted
    AND (classid::bigint << 32 | objid::bigint) = %s AND datname = current_database()"""

_LOCK_PENDING = "SELECT id FROM event WHERE published_at IS NULL AND parked_at IS NULL FOR UPDATE"


class Candidates:
    """Processes that compete for the leadership, each by its command's name."""

    def __init__(self, url: str, folder: Path, commands: Sequence[Command]) -> None:
        self._commands, self._processes = commands, Processes(folder, folder)
        self._dsn = make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)

    def start(self) -> None:
        """Those that do not run."""
        for command in self._commands:
            self._processes.start(command)

    def leader(self) -> str | None:
        """The process whose connection holds the lock."""
        with psycopg.connect(self._dsn, autocommit=True) as connection:
            row = connection.execute(_LEADER, (RELAY,)).fetchone()
        return next((each.name for each in self._commands if row and self._has(each.name, row[0])), None)

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

    @asynccontextmanager
    async def pending_locked(self, reader: Reader) -> AsyncIterator[set[str]]:
        """The ids of the events that are not published yet, at least one; during the block no process can mark them."""
        deadline = time.monotonic() + LEAD_SECONDS
        async with await psycopg.AsyncConnection.connect(self._dsn) as connection:
            while not (locked := {row[0] for row in await (await connection.execute(_LOCK_PENDING)).fetchall()}):
                await connection.rollback()
                assert time.monotonic() < deadline, "no event was pending"
                await asyncio.to_thread(reader.poll, 0.02)
            yield locked

    def end(self) -> None:
        for each in self._commands:
            self._processes.kill(each.name)

    def last_words(self) -> str:
        """The ends of their logs."""
        return "\n\n".join(self._processes.last_lines(each.name) for each in self._commands)


@dataclass(frozen=True)
class Toll:
    """What was killed, how many events were written meanwhile, and how many of them came again."""

    kills: int
    events: int
    again: int


Kill = Callable[[Candidates, Reader, Ports], Awaitable[None]]


async def kill_in_mid_wave(candidates: Candidates, reader: Reader, ports: Ports) -> None:
    """Kill the leader once consumers have events that it has not yet marked as published: those will come again.

    It cannot mark them, because their rows are locked until it is dead.
    """
    name = await _leader(candidates, reader)
    async with candidates.pending_locked(reader) as locked:
        await read(reader, lambda: bool(locked & reader.ids()), LEAD_SECONDS)
        candidates.kill(name)


def kill_at_random(random: Random) -> Kill:
    """Kill the leader up to 0.6 s after it has published something."""

    async def kill(candidates: Candidates, reader: Reader, ports: Ports) -> None:
        name, seen = await _leader(candidates, reader), len(reader.records)
        await read(reader, lambda: len(reader.records) > seen)
        await asyncio.to_thread(reader.poll, random.uniform(0.0, 0.6))
        candidates.kill(name)

    return kill


async def kill_leaders(
    candidates: Candidates, added: Added, append: Append, reader: Reader, ports: Ports, kill: Kill, kills: int
) -> Toll:
    """While events are written, kill the leader and restart it at once, and check what the consumer saw."""
    executions = [await added() for _ in range(EXECUTIONS)]
    again, ended = reader.again, asyncio.Event()
    writing = [asyncio.create_task(_write(append, executions[each::WRITERS], ended, each)) for each in range(WRITERS)]
    for _ in range(kills):
        await kill(candidates, reader, ports)
        candidates.start()
    ended.set()
    written = {key: last for each in await asyncio.gather(*writing) for key, last in each.items()}
    await read(reader, lambda: len(reader.ids(written)) == sum(written.values()), LEAD_SECONDS)

    async def is_published() -> bool:
        return (await ports.outbox.lag()).rows == 0

    await eventually(is_published)
    assert reader.sequences(written) == {key: list(range(1, last + 1)) for key, last in written.items()}
    return Toll(kills, sum(written.values()), reader.again - again)


async def _write(append: Append, executions: list[Execution], done: asyncio.Event, seed: int) -> dict[str, int]:
    """Write events until it is over; returns how many each execution has."""
    random, written = Random(seed), Counter[str]()
    while not done.is_set():
        each, count = random.choice(executions), random.choice((1, 2, 3, 200))  # small and large waves
        await append(each, *["x" * random.randint(0, 500)] * count)
        written[each.id] += count
        await asyncio.sleep(random.uniform(0, 0.4))
    return written


async def _leader(candidates: Candidates, reader: Reader) -> str:
    deadline = time.monotonic() + LEAD_SECONDS
    while (name := candidates.leader()) is None:
        assert time.monotonic() < deadline, f"no candidate leads\n{candidates.last_words()}"
        await asyncio.to_thread(reader.poll, 0.02)
    return name
