"""A real Apache Kafka for the session, a topic for each test, and the relay in this process or in one of its own."""

import asyncio
import itertools
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, suppress

import psycopg
import pytest
from sqlalchemy.engine import make_url

from local.errors import LocalError
from local.kafka.jars import jars
from tests.integration.kafka.broker import ROOT, RealKafka
from tests.integration.kafka.reader import Reader
from tests.integration.store.conftest import Added, Store, added, store
from tests.labs.any_event import any_event
from upgrade_orchestrator.adapters.postgres.engine.leader import RELAY, PostgresLeadership
from upgrade_orchestrator.bootstrap import ports_for, relay_loops
from upgrade_orchestrator.domain.execution.events import EventType
from upgrade_orchestrator.domain.execution.execution import Execution
from upgrade_orchestrator.service.control.loops import run_control_loops
from upgrade_orchestrator.service.ports.unit_of_work import Ports
from upgrade_orchestrator.settings import Settings

__all__ = ["added", "store"]
REQUIRED = "UPGRADES_REQUIRE_KAFKA"
Append = Callable[..., Awaitable[None]]
_numbers = itertools.count(1)


def require_jars() -> None:
    """Skips where Java or Maven is missing, or fails where they are required."""
    try:
        jars(ROOT)
    except LocalError as error:
        if os.environ.get(REQUIRED) == "1":
            raise
        pytest.skip(f"no real Kafka here: {error}")


@pytest.fixture(scope="session")
def real_kafka(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealKafka]:
    require_jars()
    broker = RealKafka(tmp_path_factory.mktemp("kafka"))
    broker.start()
    yield broker
    broker.kill()


@pytest.fixture
def topic(real_kafka: RealKafka, monkeypatch: pytest.MonkeyPatch) -> str:
    """A topic of its own, with the relay's settings for it; Kafka runs, also after a test that failed during an
    outage.
    """
    real_kafka.start()
    name = f"events-{next(_numbers)}"
    real_kafka.make_topic(name)
    monkeypatch.setenv("AIRFLOW_CONN_KAFKA_EVENTS", real_kafka.connection())
    monkeypatch.setenv("AIRFLOW__UPGRADES__KAFKA_TOPIC", name)
    return name


@pytest.fixture
def reader(real_kafka: RealKafka, topic: str) -> Iterator[Reader]:
    made = Reader(real_kafka.address, topic)
    yield made
    made.close()


@pytest.fixture
def ports(postgres_url: str, store: Store) -> Ports:
    return ports_for(postgres_url, Settings())


LONGEST = 4000
"An event has no longer text; longer ones are those of an earlier version."


@pytest.fixture
def append(store: Store, postgres_url: str) -> Append:
    """Appends events to an execution in one transaction, each with its text as data."""

    async def append(execution: Execution, *texts: str) -> None:
        async with store() as work:
            await work.executions.lock(execution.id)
            await work.events.append(execution, [any_event(EventType.PROGRESS, {"text": each}) for each in texts])
            await work.commit()
        for each in texts:
            if len(each) > LONGEST:
                _write_as_long_as_it_was(postgres_url, execution.id, each)

    return append


def _write_as_long_as_it_was(postgres_url: str, execution_id: str, text: str) -> None:
    dsn = make_url(postgres_url).set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute(
            "UPDATE event SET data = jsonb_build_object('text', %s::text)"
            " WHERE execution_id = %s AND data ->> 'text' LIKE %s",
            (text, execution_id, f"{text[:100]}%"),
        )


@asynccontextmanager
async def relaying(url: str) -> AsyncIterator[None]:
    """Run the relay in this process as an API server's process runs it."""

    async def open_ports() -> Ports:
        return ports_for(url, Settings.read())

    async def open_leadership() -> PostgresLeadership:
        return PostgresLeadership(url, RELAY)

    task = asyncio.create_task(run_control_loops(open_ports, open_leadership, relay_loops()))
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


@pytest.fixture
async def relay(postgres_url: str, topic: str, store: Store) -> AsyncIterator[None]:
    async with relaying(postgres_url):
        yield


async def read(reader: Reader, enough: Callable[[], bool], seconds: float = 120) -> None:
    """Read in a thread, so that the event loop goes on."""
    await asyncio.to_thread(reader.until, enough, seconds)


async def eventually(true: Callable[[], Awaitable[bool]], seconds: float = 90) -> None:
    async with asyncio.timeout(seconds):
        while not await true():  # noqa: ASYNC110 - rows are counted, not signalled
            await asyncio.sleep(0.05)


__all__ += ["Added"]
