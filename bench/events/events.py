"""Events: how long from the commit to a consumer, and how many a second the relay carries to a real Kafka."""

import asyncio
import json
import statistics
import threading
import time
import uuid
from collections import Counter
from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import partial
from typing import Any, cast

import psycopg
from confluent_kafka import Consumer
from rich.table import Table

from bench.events.world import EXECUTIONS, TOPIC, EventWorld, event_world
from upgrade_orchestrator.adapters.postgres.engine.engine import dispose_engines
from upgrade_orchestrator.adapters.postgres.unit_of_work import PostgresUnitOfWork
from upgrade_orchestrator.domain.execution.events import Event, EventType
from upgrade_orchestrator.domain.execution.execution import Execution

PER_SECOND, SECONDS = 50, 60
BACKLOG, PUBLISHED = 50_000, 1_000_000
"How many events wait for the relay, and how many published ones lie in the same table."
_WITHIN_SECONDS = 300
EventKey = tuple[str, int]
"Identifies an event: its execution's id and its sequence."
_BACKLOG = """
INSERT INTO event (execution_id, sequence, id, tenant_id, what, time, data, published_at)
SELECT 'e' || (n %% %(executions)s + 1), %(first)s + n / %(executions)s, %(kind)s || n,
    't' || (n %% %(executions)s + 1), 'instance-changed', clock_timestamp(),
    jsonb_build_object('instanceId', 'fleet-' || n, 'batch', n %% 50, 'from', 'UPGRADING', 'to', 'HEALTH_CHECKING',
        'fromVersion', '3.6.0', 'toVersion', '3.7.0', 'attempts', 1, 'revert', null, 'error', null),
    CASE WHEN %(kind)s = 'p' THEN clock_timestamp() END
FROM generate_series(0, %(count)s - 1) AS n
"""
_TIMES = "SELECT published_at, count(*) FROM event WHERE id LIKE 'b%' GROUP BY 1 ORDER BY 1"


@dataclass(frozen=True)
class Measured:
    """Times in seconds; rates in events a second."""

    latencies: list[float]
    relay_rate: float
    consumer_rate: float
    lag_read: float

    @property
    def p50(self) -> float:
        """The time within which half of the events have reached the consumer."""
        return statistics.median(self.latencies)

    @property
    def p95(self) -> float:
        """The time within which 19 of 20 events have."""
        return statistics.quantiles(self.latencies, n=20)[-1]

    def table(self) -> Table:
        """The results as rows of a table."""
        table = Table(title="events, from PostgreSQL through the relay to a real Kafka", title_justify="left")
        for name in ("what", "measured", "wanted"):
            table.add_column(name, justify="left" if name == "what" else "right")
        what = f"commit to consumer at {PER_SECOND} events a second"
        table.add_row(f"{what}, p50", f"{self.p50 * 1000:.0f} ms", "")
        table.add_row(f"{what}, p95", f"{self.p95 * 1000:.0f} ms", "1000 ms")
        table.add_row(f"relay, of {BACKLOG} that wait", f"{self.relay_rate:.0f} a second", "2000 a second")
        table.add_row("the same as a consumer sees it", f"{self.consumer_rate:.0f} a second", "")
        table.add_row(f"counting the lag with {BACKLOG} waiting", f"{self.lag_read * 1000:.0f} ms", "")
        return table

    def dump(self) -> dict[str, Any]:
        """The measurement as JSON."""
        return asdict(self) | {"p50": self.p50, "p95": self.p95}


class Listener:
    """Reads the topic while others write: when (monotonic seconds) each event came first."""

    def __init__(self, world: EventWorld) -> None:
        settings = {"bootstrap.servers": world.kafka, "group.id": uuid.uuid4().hex, "group.protocol": "consumer"}
        self._consumer = Consumer(settings | {"auto.offset.reset": "earliest", "log_level": 0})
        self._consumer.subscribe([TOPIC])
        self._ended = threading.Event()
        self.came: dict[EventKey, float] = {}
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def _read(self) -> None:
        while not self._ended.is_set():
            for message in self._consumer.consume(1000, 0.01):
                if message.error() is None:
                    self.came.setdefault(_key_of(message.value() or b""), time.monotonic())

    def until(self, enough: Callable[[], bool]) -> None:
        """Wait until the condition holds.

        :raises RuntimeError: it takes too long.
        """
        deadline = time.monotonic() + _WITHIN_SECONDS
        while not enough():
            if time.monotonic() > deadline:
                raise RuntimeError(f"only {len(self.came)} events came within {_WITHIN_SECONDS} s")
            time.sleep(0.05)

    def end(self) -> None:
        """Stop reading."""
        self._ended.set()
        self._thread.join()
        self._consumer.close()


def measure_events(progress: Callable[[str], None]) -> Measured:
    """Run the measurement on servers of its own."""
    progress("starting PostgreSQL and Kafka")
    with event_world() as world:
        listener = Listener(world)
        try:
            progress(f"{PER_SECOND} events a second for {SECONDS} s")
            latencies = _latencies(world, listener)
            progress(f"{BACKLOG} events that wait, beside {PUBLISHED} that were published before")
            lag_read = _pile_up(world)
            rates = _rates(world, listener)
        finally:
            listener.end()
    return Measured(latencies, *rates, lag_read)


def _latencies(world: EventWorld, listener: Listener) -> list[float]:
    world.start_relay()
    committed = asyncio.run(_write(world, listener))
    listener.until(lambda: committed.keys() <= listener.came.keys())
    return [listener.came[each] - at for each, at in committed.items()]


async def _write(world: EventWorld, listener: Listener) -> dict[EventKey, float]:
    """Commit events at a steady rate and return when each was committed. A first event, not counted, shows that all
    runs.
    """
    work = partial(PostgresUnitOfWork, world.url, 10.0)
    counts: Counter[str] = Counter()
    await _one(work, 0, counts)
    await asyncio.to_thread(listener.until, lambda: len(listener.came) == 1)
    committed: dict[EventKey, float] = {}
    began = time.monotonic()
    for number in range(PER_SECOND * SECONDS):
        await asyncio.sleep(max(0.0, began + number / PER_SECOND - time.monotonic()))
        committed[await _one(work, number, counts)] = time.monotonic()
    await dispose_engines()
    return committed


async def _one(work: Callable[[], PostgresUnitOfWork], number: int, counts: Counter[str]) -> EventKey:
    name = number % EXECUTIONS + 1
    event = _Numbered(number=number, percentage=number % 100)
    async with work() as unit:
        await unit.events.append(cast(Execution, _Known(f"e{name}", f"t{name}")), [event])
        await unit.commit()
    counts[f"e{name}"] += 1
    return f"e{name}", counts[f"e{name}"]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Numbered(Event):
    """An event that is found again by its number."""

    what = EventType.PROGRESS
    number: int
    percentage: int


@dataclass(frozen=True)
class _Known:
    id: str
    tenant_id: str


def _pile_up(world: EventWorld) -> float:
    """Seconds that it takes to count the events that wait."""
    world.stop_relay()
    with world.connect() as connection:
        for kind, first, count in (("p", 1_000_000, PUBLISHED), ("b", 2_000_000, BACKLOG)):
            what = {"kind": kind, "first": first, "count": count, "executions": EXECUTIONS}
            connection.execute(_BACKLOG, what)
        connection.execute("ANALYZE event")
        began = time.monotonic()
        connection.execute("SELECT count(*), min(time) FROM event WHERE published_at IS NULL AND parked_at IS NULL")
        return time.monotonic() - began


def _rates(world: EventWorld, listener: Listener) -> tuple[float, float]:
    """The rates: the relay's by the rows (first wave to last), and the consumer's."""
    before = set(listener.came)
    world.start_relay()
    listener.until(lambda: len(listener.came) - len(before) >= BACKLOG)
    times = [at for each, at in listener.came.items() if each not in before]
    with world.connect() as connection:
        (first, of_first), (last, _) = _waves(connection)
    return (BACKLOG - of_first) / (last - first).total_seconds(), BACKLOG / (max(times) - min(times))


def _waves(connection: "psycopg.Connection[tuple[Any, ...]]") -> tuple[Any, Any]:
    """The relay's first and last wave: when it was marked as published, and of how many events it was."""
    deadline = time.monotonic() + _WITHIN_SECONDS
    while True:
        waves = connection.execute(_TIMES).fetchall()
        if waves[-1][0] is not None:
            return waves[0], waves[-1]
        if time.monotonic() > deadline:
            raise RuntimeError("the relay does not come to an end")
        time.sleep(0.1)


def _key_of(value: bytes) -> EventKey:
    event = json.loads(value)
    return event["subject"], event["sequence"]
