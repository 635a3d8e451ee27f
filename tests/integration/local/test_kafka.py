import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from confluent_kafka import Consumer, Message, Producer

from local.ports import HOST, answers, free_port
from local.processes import Command, Processes

ROOT = Path(__file__).resolve().parents[3]


class Broker:
    """The local Kafka on a port of its own."""

    def __init__(self, folder: Path) -> None:
        self.port = free_port()
        self._processes = Processes(folder, folder)

    def start(self) -> None:
        argv = [sys.executable, "-m", "local.kafka", "--port", str(self.port)]
        self._processes.start(Command("kafka", argv, dict(os.environ), ROOT))
        deadline = time.monotonic() + 20
        while not answers(self.port):
            assert time.monotonic() < deadline, self._processes.last_lines("kafka")
            time.sleep(0.05)

    def kill(self) -> None:
        self._processes.kill("kafka")


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Broker]:
    own = Broker(tmp_path)
    own.start()
    yield own
    own.kill()


def _producer(broker: Broker) -> Producer:
    return Producer({"bootstrap.servers": f"{HOST}:{broker.port}", "enable.idempotence": True, "acks": "all"})


def _deliver(producer: Producer, value: str) -> list[object]:
    errors: list[object] = []
    producer.produce("events", value.encode(), key=b"tenant", on_delivery=lambda error, _: errors.append(error))
    assert producer.flush(30) == 0
    return errors


def _first(broker: Broker) -> Message:
    consumer = Consumer(
        {
            "bootstrap.servers": f"{HOST}:{broker.port}",
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


def test_kafka_gives_back_what_was_produced(broker: Broker) -> None:
    assert _deliver(_producer(broker), "one") == [None]
    message = _first(broker)
    assert (message.key(), message.value()) == (b"tenant", b"one")


def test_producer_goes_on_when_kafka_was_killed_and_is_back(broker: Broker) -> None:
    producer = Producer({"bootstrap.servers": f"{HOST}:{broker.port}", "acks": "all", "reconnect.backoff.max.ms": 500})
    assert _deliver(producer, "before") == [None]
    broker.kill()
    broker.start()
    assert _deliver(producer, "after") == [None]
    assert _first(broker).value() == b"after"
