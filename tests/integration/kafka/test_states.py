"""The relay's health, and how long it waits: without a connection, a topic, or Kafka; and with the mock cluster."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from local.ports import HOST, free_port
from tests.integration.kafka.broker import MockKafka, RealKafka
from tests.integration.kafka.conftest import Append, eventually, read, relaying
from tests.integration.kafka.reader import Reader
from tests.integration.store.conftest import Added
from upgrade_orchestrator.service.events import relay
from upgrade_orchestrator.service.ports.outbox import RelayState
from upgrade_orchestrator.service.ports.unit_of_work import Ports
from upgrade_orchestrator.service.views.health import relay_health

CONNECTION = "AIRFLOW_CONN_KAFKA_EVENTS"


@pytest.fixture
def mock_kafka(tmp_path: Path) -> Iterator[str]:
    """The address of the stack's own Kafka."""
    own = MockKafka(tmp_path)
    own.start()
    yield own.address
    own.kill()


async def _stands(ports: Ports, state: RelayState, words: str = "") -> None:
    async def stands() -> bool:
        health = await relay_health(ports)
        return health.state is state and words in health.detail

    await eventually(stands)


def _address(where: str) -> str:
    return f'{{"conn_type": "kafka", "extra": {{"bootstrap.servers": "{where}"}}}}'


async def test_relay_publishes_to_the_mock_cluster_of_the_stack(
    mock_kafka: str, added: Added, append: Append, ports: Ports, postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(CONNECTION, _address(mock_kafka))
    execution = await added()
    await append(execution, *"abc")
    async with relaying(postgres_url):
        await _stands(ports, RelayState.RUNNING)
        reader = Reader(mock_kafka, "registry.upgrade-orchestration-events")
        await read(reader, lambda: len(reader.records) == 3)
        reader.close()
    assert reader.sequences() == {execution.id: [1, 2, 3]}


async def test_relay_without_a_connection_is_off_and_logs_it_once(
    added: Added,
    append: Append,
    ports: Ports,
    postgres_url: str,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.delenv(CONNECTION, raising=False)
    monkeypatch.setenv("AIRFLOW__UPGRADES__KAFKA_CONN_ID", "nowhere_defined")
    monkeypatch.setattr(relay, "OFF_SECONDS", 0.05)
    caplog.set_level("INFO")
    await append(await added(), "waits")
    async with relaying(postgres_url):
        await _stands(ports, RelayState.OFF, "nowhere_defined is not defined")
    health = await relay_health(ports)
    assert (health.is_healthy, health.lag.rows) == (True, 1)
    assert len([each for each in caplog.records if "relay of events" in each.getMessage()]) == 1


async def test_relay_starts_when_a_connection_is_defined(
    mock_kafka: str, added: Added, append: Append, ports: Ports, postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(CONNECTION, raising=False)
    monkeypatch.setattr(relay, "OFF_SECONDS", 0.05)
    await append(await added(), "waits")
    async with relaying(postgres_url):
        await _stands(ports, RelayState.OFF)
        monkeypatch.setenv(CONNECTION, _address(mock_kafka))
        await _stands(ports, RelayState.RUNNING)
        await eventually(lambda: _is_empty(ports))


async def test_relay_waits_for_an_unreachable_kafka(
    ports: Ports, postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(CONNECTION, _address(f"{HOST}:{free_port()}"))
    async with relaying(postgres_url):
        await _stands(ports, RelayState.WAITING, "Kafka does not answer")
    assert not (await relay_health(ports)).is_healthy


async def test_unusable_connection_is_named_without_its_secrets(
    ports: Ports, postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    extra = '{"bootstrap.servers": "x:1", "sasl.password": "geheim", "no.such.setting": "geheim"}'
    monkeypatch.setenv(CONNECTION, f'{{"conn_type": "kafka", "extra": {extra}}}')
    async with relaying(postgres_url):
        await _stands(ports, RelayState.WAITING, "kafka_events cannot be used")
    detail = (await relay_health(ports)).detail
    assert "no.such.setting" in detail
    assert "geheim" not in detail


async def test_relay_names_a_missing_topic_and_continues_once_it_is_created(
    real_kafka: RealKafka,
    added: Added,
    append: Append,
    ports: Ports,
    postgres_url: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv(CONNECTION, real_kafka.connection())
    monkeypatch.setenv("AIRFLOW__UPGRADES__KAFKA_TOPIC", "not-made-yet")
    execution = await added()
    await append(execution, *"ab")
    async with relaying(postgres_url):
        await _stands(ports, RelayState.WAITING, "the topic not-made-yet does not exist")
        real_kafka.make_topic("not-made-yet")
        reader = Reader(real_kafka.address, "not-made-yet")
        await read(reader, lambda: len(reader.records) == 2)
        reader.close()
    assert reader.sequences() == {execution.id: [1, 2]}


async def test_stopped_relay_is_distinguished_from_a_running_one(ports: Ports) -> None:
    assert (await relay_health(ports)).state is RelayState.DOWN
    await ports.outbox.save_state(RelayState.RUNNING, "")
    assert (await relay_health(ports)).state is RelayState.RUNNING


async def _is_empty(ports: Ports) -> bool:
    return (await ports.outbox.lag()).rows == 0
