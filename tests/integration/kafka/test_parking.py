"""An event that Kafka does not accept is parked: it delays no other, is named, and can be released."""

import psycopg
import pytest
from sqlalchemy.engine import make_url

from tests.integration.kafka.broker import RealKafka
from tests.integration.kafka.conftest import Append, eventually, read, relaying
from tests.integration.kafka.reader import Reader
from tests.integration.store.conftest import Added
from upgrade_orchestrator.domain.errors import NotFound
from upgrade_orchestrator.domain.execution.commands import Actor
from upgrade_orchestrator.service.ports.outbox import ParkedEvent
from upgrade_orchestrator.service.ports.unit_of_work import Ports
from upgrade_orchestrator.service.views.health import relay_health

SMALL, LARGE = 20_000, "x" * 40_000


@pytest.fixture
def small_topic(real_kafka: RealKafka, topic: str) -> str:
    """A topic that accepts no record batch over 20 kB."""
    real_kafka.set_topic(topic, max_message_bytes=str(SMALL))
    return topic


async def _parked(ports: Ports, count: int = 1) -> list[ParkedEvent]:
    async def there() -> bool:
        return len(await ports.outbox.parked(None, 100)) == count

    await eventually(there)
    return await ports.outbox.parked(None, 100)


async def _drained(ports: Ports) -> None:
    async def there() -> bool:
        return (await ports.outbox.lag()).rows == 0

    await eventually(there)


async def test_poisoned_event_delays_no_other_and_is_published_on_release(
    small_topic: str,
    added: Added,
    append: Append,
    reader: Reader,
    ports: Ports,
    real_kafka: RealKafka,
    postgres_url: str,
) -> None:
    executions = [await added() for _ in range(5)]
    for number, each in enumerate(executions):
        await append(each, "one", LARGE if number == 2 else "two", "three")
    async with relaying(postgres_url):
        await read(reader, lambda: len(reader.records) >= 14)
        (parked,) = await _parked(ports)
        assert (parked.execution_id, parked.sequence, parked.tenant_id) == (
            executions[2].id,
            2,
            executions[2].tenant_id,
        )
        assert "MSG_SIZE_TOO_LARGE" in parked.reason
        expected = {each.id: [1, 2, 3] for each in executions} | {executions[2].id: [1, 3]}
        assert reader.sequences() == expected
        health = await relay_health(ports)
        assert ([each.id for each in health.parked], health.lag.parked, health.lag.rows) == ([parked.id], 1, 0)

        real_kafka.set_topic(small_topic, max_message_bytes="1000000")
        assert (await ports.outbox.release(parked.id, Actor("olga"))).id == parked.id
        await read(reader, lambda: executions[2].id in {e.execution for e in reader.records if e.sequence == 2})
        await _drained(ports)
    assert reader.sequences()[executions[2].id] == [1, 3, 2]
    assert (await relay_health(ports)).parked == []


async def test_released_event_that_is_still_refused_is_parked_again(
    small_topic: str, added: Added, append: Append, reader: Reader, ports: Ports, postgres_url: str
) -> None:
    execution = await added()
    await append(execution, LARGE)
    async with relaying(postgres_url):
        (first,) = await _parked(ports)
        await ports.outbox.release(first.id, Actor("olga"))
        await append(execution, "after it")
        await read(reader, lambda: len(reader.records) == 1)
        (second,) = await _parked(ports)
    assert second.parked_at > first.parked_at
    assert reader.sequences() == {execution.id: [2]}


async def test_small_events_of_a_batch_that_is_too_large_are_all_published_in_order(
    small_topic: str, added: Added, append: Append, reader: Reader, ports: Ports, postgres_url: str
) -> None:
    executions = [await added() for _ in range(3)]
    for each in executions:
        await append(each, *["y" * 3000] * 20)
    async with relaying(postgres_url):
        await read(reader, lambda: len({e.event.get_id() for e in reader.records}) == 60)
        await _drained(ports)
    assert reader.sequences() == {each.id: list(range(1, 21)) for each in executions}
    assert await ports.outbox.parked(None, 10) == []


async def test_event_too_large_for_the_producer_is_parked(
    topic: str, added: Added, append: Append, reader: Reader, ports: Ports, postgres_url: str
) -> None:
    execution = await added()
    await append(execution, "before", "z" * 1_100_000, "after")
    async with relaying(postgres_url):
        await read(reader, lambda: len(reader.records) == 2)
        (parked,) = await _parked(ports)
    assert (parked.sequence, reader.sequences()) == (2, {execution.id: [1, 3]})


async def test_event_of_an_unknown_type_is_parked_and_delays_no_other(
    topic: str, added: Added, append: Append, reader: Reader, ports: Ports, postgres_url: str
) -> None:
    execution = await added()
    await append(execution, "one", "two")
    dsn = make_url(postgres_url).set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute("UPDATE event SET what = 'of-the-future' WHERE sequence = 1")
    async with relaying(postgres_url):
        await read(reader, lambda: len(reader.records) == 1)
        (parked,) = await _parked(ports)
    assert (parked.what, "of-the-future" in parked.reason) == ("of-the-future", True)
    assert reader.sequences() == {execution.id: [2]}


async def test_only_parked_events_can_be_released_and_the_release_is_audited(
    small_topic: str, added: Added, append: Append, ports: Ports, postgres_url: str
) -> None:
    execution = await added()
    await append(execution, LARGE)
    async with relaying(postgres_url):
        (parked,) = await _parked(ports)
    await ports.outbox.release(parked.id, Actor("olga"))
    with pytest.raises(NotFound):
        await ports.outbox.release(parked.id, Actor("olga"))
    dsn = make_url(postgres_url).set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(dsn) as connection:
        rows = connection.execute("SELECT command, actor, source, detail ->> 'eventId' FROM command").fetchall()
    assert rows == [("release-event", "olga", "API", parked.id)]
