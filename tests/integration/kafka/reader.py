"""A consumer as users write theirs: every record of a topic from the beginning, read as CloudEvents by the library."""

import time
import uuid
from collections import defaultdict
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from typing import Any

from cloudevents.core.base import BaseCloudEvent
from cloudevents.core.bindings.kafka import KafkaMessage, from_structured
from cloudevents.core.formats.json import JSONFormat
from confluent_kafka import Consumer, KafkaError, Message


@dataclass(frozen=True)
class Record:
    """One record, and when (monotonic seconds) it was read."""

    event: BaseCloudEvent
    key: bytes
    partition: int
    headers: dict[str, bytes]
    value: bytes
    read_at: float

    @property
    def execution(self) -> str:
        return str(self.event.get_subject())

    @property
    def sequence(self) -> int:
        return int(self.event.get_extension("sequence"))


@dataclass
class Reader:
    """Reads further records on request."""

    address: str
    topic: str
    records: list[Record] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._consumer = Consumer(
            {
                "bootstrap.servers": self.address,
                "group.id": uuid.uuid4().hex,
                "group.protocol": "consumer",
                "auto.offset.reset": "earliest",
                "enable.auto.commit": False,
                "reconnect.backoff.max.ms": 500,
                "log_level": 0,
            }
        )
        self._consumer.subscribe([self.topic])

    def until(self, enough: Callable[[], bool], seconds: float = 60) -> None:
        """Read until the condition holds; fails after that many seconds."""
        deadline = time.monotonic() + seconds
        while not enough():
            assert time.monotonic() < deadline, f"not enough after {seconds} s: {len(self.records)} records"
            for message in self._consumer.consume(500, 0.1):
                self._take(message)

    def poll(self, seconds: float) -> None:
        """Read what comes within that time."""
        for message in self._consumer.consume(500, seconds):
            self._take(message)

    def _take(self, message: Message) -> None:
        error = message.error()
        if error is not None:
            assert error.retriable() or error.code() in (KafkaError._ALL_BROKERS_DOWN, KafkaError._TRANSPORT), error
            return
        self.records.append(record_of(message))

    def ids(self, executions: Collection[str] | None = None) -> set[str]:
        """The ids of all events, or of these executions' events."""
        return {each.event.get_id() for each in self.records if executions is None or each.execution in executions}

    def sequences(self, executions: Collection[str] | None = None) -> dict[str, list[int]]:
        """The sequences of each execution, in the order in which they came; a repeated event (same id) is left out."""
        found: dict[str, list[int]] = defaultdict(list)
        ids: dict[tuple[str, int], str] = {}
        for each in (each for each in self.records if executions is None or each.execution in executions):
            key = (each.execution, each.sequence)
            if key in ids:
                assert ids[key] == each.event.get_id(), f"two events are {key}"
                continue
            ids[key] = each.event.get_id()
            found[each.execution].append(each.sequence)
        return dict(found)

    @property
    def again(self) -> int:
        """How many events came more than once."""
        return len(self.records) - len(self.ids())

    def close(self) -> None:
        self._consumer.close()


def record_of(message: Message) -> Record:
    """The library detects the version, checks every attribute and reads the data."""
    headers: dict[str, Any] = dict(message.headers() or [])
    value = message.value() or b""
    assert headers["content-type"] == b"application/cloudevents+json"
    event = from_structured(KafkaMessage(headers, None, value), JSONFormat())
    partition = message.partition()
    assert partition is not None
    return Record(event, message.key() or b"", partition, headers, value, time.monotonic())
