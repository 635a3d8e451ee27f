from collections.abc import Iterator
from pathlib import Path

import pytest
from confluent_kafka import Consumer, Message, Producer

from tests.integration.kafka.broker import MockKafka


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[MockKafka]:
    own = MockKafka(tmp_path)
    own.start()
    yield own
    own.kill()


def _producer(broker: MockKafka) -> Producer:
    return Producer({"bootstrap.servers": broker.address, "enable.idempotence": True, "acks": "all"})


def _deliver(producer: Producer, value: str) -> list[object]:
    errors: list[object] = []
    producer.produce("events", value.encode(), key=b"tenant", on_delivery=lambda error, _: errors.append(error))
    assert producer.flush(30) == 0
    return errors


def _first(broker: MockKafka) -> Message:
    consumer = Consumer(
        {
            "bootstrap.servers": broker.address,
            "group.id": "test",
            "group.protocol": "consumer",
            "auto.offset.reset": "earliest",
        }
    )
    consumer.subscribe(["events"])
    try:
        message = consumer.poll(20)
        assert message is not None
        return message
    finally:
        consumer.close()


def test_kafka_returns_the_produced_messages(broker: MockKafka) -> None:
    assert _deliver(_producer(broker), "one") == [None]
    message = _first(broker)
    assert (message.key(), message.value()) == (b"tenant", b"one")


def test_producer_continues_after_kafka_was_killed_and_restarted(broker: MockKafka) -> None:
    producer = Producer({"bootstrap.servers": broker.address, "acks": "all", "reconnect.backoff.max.ms": 500})
    assert _deliver(producer, "before") == [None]
    broker.kill()
    broker.start()
    assert _deliver(producer, "after") == [None]
    assert _first(broker).value() == b"after"
