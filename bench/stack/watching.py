"""What a stack holds and uses while there are no requests: worker slots, database connections, CPU and memory."""

import time
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import psutil
import psycopg

from bench.stack.usage import component_pids, cpu_seconds, memory_bytes
from bench.stack.world import World
from local.airflow.settings import METADATA_DATABASE, UPGRADES_DATABASE
from local.stack.components import AIRFLOW

_SAMPLE_SECONDS = 0.1
_TASKS = "SELECT state, count(*) FROM task_instance WHERE state IN ('queued', 'running', 'deferred') GROUP BY state"
_BACKENDS = "SELECT pid, client_port, application_name FROM pg_stat_activity WHERE datname = %s AND usename = %s"

Backend = tuple[int, int]
"Identifies a connection: PostgreSQL's process and the client's port."


@dataclass(frozen=True)
class Window:
    """What was seen in some seconds; connections are the most at one moment, memory is read at the end."""

    began: float
    seconds: float
    samples: int
    slots: int
    "The most tasks queued or running: each holds a slot of its pool, the running ones a worker too."
    slot_seconds: float
    "Seconds during which there was such a task."
    deferred: int
    connections: int
    by_holder: dict[str, int]
    "The most at one moment, by component and application_name."
    cpu: dict[str, float]
    "CPU seconds a minute of each component."
    elsewhere: float
    "CPU seconds a minute of everything else on the machine: disturbance, and the cost of watching itself."
    memory: dict[str, int]
    "PSS of each component in bytes."

    @property
    def ended(self) -> float:
        """Seconds since the epoch, like `began`."""
        return self.began + self.seconds

    def airflow_cpu(self) -> float:
        """CPU seconds a minute of Airflow's four components."""
        return sum(self.cpu[name] for name in AIRFLOW)

    def airflow_memory(self) -> int:
        """Bytes of Airflow's four components."""
        return sum(self.memory[name] for name in AIRFLOW)


@dataclass
class _Seen:
    """The result of the samples."""

    samples: int = 0
    slots: int = 0
    busy: int = 0
    deferred: int = 0
    connections: int = 0
    by_holder: Counter[str] = field(default_factory=Counter)

    def note(self, tasks: dict[str, int], holders: list[str]) -> None:
        """Take one more sample."""
        slots = tasks.get("queued", 0) + tasks.get("running", 0)
        self.samples += 1
        self.busy += slots > 0
        self.slots = max(self.slots, slots)
        self.deferred = max(self.deferred, tasks.get("deferred", 0))
        self.connections = max(self.connections, len(holders))
        self.by_holder |= Counter(holders)


def watch(world: World, seconds: float) -> Window:
    """Sample ten times a second; memory is read at the end only, because reading it costs CPU, which is measured."""
    seen, busy, before, began, start = _Seen(), _busy(), _cpu(world), time.time(), time.monotonic()
    with world.stack.postgres().connect(METADATA_DATABASE) as connection:
        holders = _Holders(world, connection)
        while time.monotonic() - start < seconds:
            tasks = {str(state): int(str(count)) for state, count in connection.execute(_TASKS)}
            seen.note(tasks, holders.now())
            time.sleep(_SAMPLE_SECONDS)
    lasted, after, busy = time.monotonic() - start, _cpu(world), _busy() - busy
    cpu = {name: (after[name] - before[name]) * 60 / lasted for name in after}
    return Window(
        began=began,
        seconds=lasted,
        samples=seen.samples,
        slots=seen.slots,
        slot_seconds=lasted * seen.busy / seen.samples,
        deferred=seen.deferred,
        connections=seen.connections,
        by_holder=dict(sorted(seen.by_holder.items())),
        cpu=cpu,
        elsewhere=busy * 60 / lasted - sum(cpu.values()),
        memory={name: memory_bytes(component_pids(world.stack, name)) for name in after},
    )


def _cpu(world: World) -> dict[str, float]:
    return {name: cpu_seconds(component_pids(world.stack, name)) for name in world.stack.wanted()}


def _busy() -> float:
    """CPU seconds of the whole machine since it began."""
    times = psutil.cpu_times()
    return float(sum(getattr(times, name, 0.0) for name in ("user", "nice", "system", "irq", "softirq")))


class _Holders:
    """Which component holds each connection to the product's database, by the port at the other end."""

    def __init__(self, world: World, connection: psycopg.Connection[Any]) -> None:
        self._world = world
        self._connection = connection
        self._known: dict[Backend, str] = {}

    def now(self) -> list[str]:
        """Component and application_name of each connection."""
        rows = self._connection.execute(_BACKENDS, [UPGRADES_DATABASE, UPGRADES_DATABASE]).fetchall()
        if any((pid, port) not in self._known for pid, port, _ in rows):
            owners = dict(self._owners())
            for pid, port, name in rows:
                self._known.setdefault(
                    (pid, port), f"{owners.get(port, 'closed before it was looked up')}: {name or '–'}"
                )
        return [self._known[pid, port] for pid, port, _ in rows]

    def _owners(self) -> Iterator[tuple[int, str]]:
        for name in AIRFLOW:
            for pid in component_pids(self._world.stack, name):
                with suppress(psutil.Error):
                    for each in psutil.Process(pid).net_connections("tcp"):
                        yield each.laddr.port, name
