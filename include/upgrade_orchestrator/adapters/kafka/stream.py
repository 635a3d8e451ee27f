"""A stream into Kafka (port ``EventStream``): librdkafka's producer on its own thread."""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TypeVar

from cloudevents.core.exceptions import BaseCloudEventException
from confluent_kafka import KafkaError, KafkaException, Producer

from upgrade_orchestrator.adapters.kafka.messages import message_of
from upgrade_orchestrator.adapters.kafka.reports import Reports, described, is_about_the_event
from upgrade_orchestrator.service.ports.outbox import KafkaUnavailable, Sent
from upgrade_orchestrator.service.ports.stores.events import StoredEvent

log = logging.getLogger(__name__)
T = TypeVar("T")

ANSWER_SECONDS = 5.0
"Time-out for Kafka's metadata of the topic."
DELIVERY_TIMEOUT_SECONDS = 10.0
"After this time without a report the stream is closed, and the connection is looked up again."
_POLL_SECONDS = 0.25

MakeProducer = Callable[[Callable[[KafkaError], None]], Producer]
"""Creates a producer that reports its errors to the given callback.

:raises KafkaNotConfigured: there is no connection.
:raises KafkaUnavailable: the connection cannot be used.
"""


class KafkaStream:
    """Makes all calls into librdkafka on one thread, one after the other."""

    def __init__(self, topic: str) -> None:
        self._topic = topic
        self._thread = ThreadPoolExecutor(1, "upgrades-relay")
        self._given_up = threading.Event()
        self._producer: Producer | None = None
        self._last_error = ""

    async def open(self, make_producer: MakeProducer) -> None:
        """Connect, and check that the topic exists.

        :raises KafkaNotConfigured: no connection is defined.
        :raises KafkaUnavailable: Kafka does not answer or has no such topic.
        """
        await self._on_thread(partial(self._open, make_producer))

    async def send(self, events: Sequence[StoredEvent]) -> Sent:
        """Send in order; return when each event is reported, or when the stream breaks."""
        return await self._on_thread(partial(self._send, events))

    async def close(self) -> None:
        """Drop what is in transit: it stays in the outbox, so it is sent again."""
        self._given_up.set()
        await self._on_thread(self._close)
        self._thread.shutdown(wait=False)

    async def _on_thread(self, call: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, call)

    def _open(self, make_producer: MakeProducer) -> None:
        self._producer = make_producer(self._note_error)
        try:
            error = self._producer.list_topics(self._topic, timeout=ANSWER_SECONDS).topics[self._topic].error
        except KafkaException as problem:
            self._producer.poll(0)
            raise KafkaUnavailable(f"Kafka does not answer ({self._last_error or problem.args[0].name()})") from problem
        if error is None:
            return
        if error.code() == KafkaError.UNKNOWN_TOPIC_OR_PART:
            raise KafkaUnavailable(f"the topic {self._topic} does not exist in Kafka: create it")
        raise KafkaUnavailable(f"the topic {self._topic} cannot be written to ({error.name()})")

    def _note_error(self, error: KafkaError) -> None:
        log.debug("Kafka: %s", error.str())
        if error.code() != KafkaError._ALL_BROKERS_DOWN:  # less precise than the error before it
            self._last_error = error.name()

    def _send(self, events: Sequence[StoredEvent]) -> Sent:
        reports = Reports()
        for event in events:
            if not self._produce(event, reports):
                break
        self._wait(reports)
        return reports.sent

    def _produce(self, event: StoredEvent, reports: Reports) -> bool:
        """Pass one event to librdkafka; False when the events after it must wait for the next call."""
        assert self._producer is not None
        try:
            message = message_of(event)
        except (BaseCloudEventException, TypeError, ValueError) as error:
            reports.refuse(event, f"it is not a valid CloudEvent: {error}")
            return False
        size = len(message.value)
        report = reports.expect(event, size)
        headers = [*message.headers.items()]
        try:
            self._producer.produce(self._topic, message.value, message.key, headers=headers, on_delivery=report)
            return True
        except (KafkaException, BufferError) as error:
            reports.forget()
            self._note_rejection(event, size, error, reports)
            return False

    def _note_rejection(self, event: StoredEvent, size: int, error: Exception, reports: Reports) -> None:
        if isinstance(error, BufferError):
            return  # librdkafka's queue is full: the next call continues from here
        problem: KafkaError = error.args[0]
        if is_about_the_event(problem):
            reports.refuse(event, described(problem, size))
        elif problem.code() == KafkaError._FATAL:
            reports.sent.broken = True  # caused by an earlier message, whose report has the reason
        else:
            reports.fail(f"Kafka does not accept events ({problem.name()})")

    def _wait(self, reports: Reports) -> None:
        since, before = time.monotonic(), reports.open
        while reports.open and not self._given_up.is_set():
            self._poll(reports)
            if reports.open < before:
                since, before = time.monotonic(), reports.open
            elif time.monotonic() - since > DELIVERY_TIMEOUT_SECONDS:
                reports.fail(f"Kafka does not answer ({self._last_error or 'no report'})")
                return

    def _poll(self, reports: Reports) -> None:
        assert self._producer is not None
        try:
            self._producer.poll(_POLL_SECONDS)
        except KafkaException:  # a fatal error of the producer; the reports still give each message's result
            reports.sent.broken = True

    def _close(self) -> None:
        producer, self._producer = self._producer, None
        if producer is not None:
            producer.purge()
            producer.close()
