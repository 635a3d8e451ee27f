"""What is committed is published: as CloudEvents, in order, normally once, and nothing is left out."""

import asyncio
import json
import time
from datetime import UTC, datetime

import pytest

from tests.integration.kafka.conftest import Append, eventually, read, relaying
from tests.integration.kafka.reader import Reader
from tests.integration.store.conftest import Added, Store
from tests.labs.any_event import any_event
from upgrade_orchestrator.domain.execution.events import EventType
from upgrade_orchestrator.service.events import relay
from upgrade_orchestrator.service.events.cloud_event import cloud_event
from upgrade_orchestrator.service.ports.unit_of_work import Ports

pytestmark = pytest.mark.usefixtures("relay")


async def test_event_is_published_as_the_cloud_event_that_the_api_shows(
    added: Added, append: Append, store: Store, reader: Reader
) -> None:
    execution = await added()
    await append(execution, "Größe")
    await read(reader, lambda: len(reader.records) == 1)
    async with store() as work:
        (stored,) = await work.events.page(execution.id, 0, 10)
    (record,) = reader.records
    assert json.loads(record.value) == cloud_event(stored)
    event = record.event
    assert (event.get_specversion(), event.get_type()) == ("1.0", EventType.PROGRESS.cloud_type)
    assert (event.get_source(), event.get_subject()) == (f"/registry/upgrades/{execution.id}", execution.id)
    assert (event.get_data(), event.get_extension("sequence")) == ({"text": "Größe"}, 1)
    assert abs((event.get_time() or datetime.now(UTC)) - stored.time).total_seconds() == 0
    assert record.key == execution.tenant_id.encode()


async def test_every_sequence_is_published_in_order_under_eight_writers(
    added: Added, append: Append, reader: Reader, ports: Ports
) -> None:
    executions = [await added() for _ in range(8)]

    async def write(number: int) -> None:
        for _ in range(25):
            await append(executions[number % 8], "a", "b")
            await append(executions[(number + 1) % 8], "c")

    await asyncio.gather(*(write(each) for each in range(8)))
    await read(reader, lambda: len(reader.records) == 8 * 75)
    assert reader.sequences() == {each.id: list(range(1, 76)) for each in executions}
    assert reader.again == 0
    await eventually(lambda: _is_empty(ports))


async def test_events_of_a_tenant_share_a_partition(added: Added, append: Append, reader: Reader) -> None:
    executions = [await added(tenant_id=f"tenant-{each}") for each in range(12)]
    for each in executions:
        await append(each, *"abc")
    await read(reader, lambda: len(reader.records) == 36)
    places = {(each.key, each.partition) for each in reader.records}
    assert len(places) == len({each.tenant_id for each in executions})
    assert len({partition for _, partition in places}) > 1


async def test_event_is_published_soon_after_its_commit(
    added: Added, append: Append, reader: Reader, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(relay, "POLL_SECONDS", 3600.0)
    execution = await added()
    await append(execution, "first")
    await read(reader, lambda: len(reader.records) == 1)
    began = time.monotonic()
    await append(execution, "second")
    await read(reader, lambda: len(reader.records) == 2)
    assert reader.records[1].read_at - began < 1


async def test_event_that_is_rolled_back_is_not_published(
    added: Added, append: Append, store: Store, reader: Reader
) -> None:

    execution = await added()
    async with store() as work:
        await work.events.append(execution, [any_event(EventType.PROGRESS, {"text": "never"})])
    await append(execution, "kept")
    await read(reader, lambda: len(reader.records) == 1)
    assert reader.sequences() == {execution.id: [1]}
    assert reader.records[0].event.get_data() == {"text": "kept"}


async def test_relay_runs_in_one_of_two_processes(
    postgres_url: str, added: Added, append: Append, reader: Reader, ports: Ports
) -> None:
    execution = await added()
    async with relaying(postgres_url):
        for _ in range(50):
            await append(execution, "x")
        await read(reader, lambda: len(reader.records) >= 50)
        await eventually(lambda: _is_empty(ports))
    assert reader.sequences() == {execution.id: list(range(1, 51))}
    assert reader.again == 0


async def _is_empty(ports: Ports) -> bool:
    return (await ports.outbox.lag()).rows == 0
