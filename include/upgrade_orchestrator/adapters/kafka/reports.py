"""The delivery reports of one batch of messages: delivered, rejected, and other errors."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from confluent_kafka import KafkaError

from upgrade_orchestrator.service.ports.outbox import RejectedEvent, Sent
from upgrade_orchestrator.service.ports.stores.events import StoredEvent

Report = Callable[[KafkaError | None, object], None]

_ABOUT_THE_EVENT = frozenset(
    {
        KafkaError.MSG_SIZE_TOO_LARGE,
        KafkaError.RECORD_LIST_TOO_LARGE,
        KafkaError.INVALID_MSG,
        KafkaError.INVALID_MSG_SIZE,
        KafkaError.INVALID_RECORD,
        KafkaError.INVALID_TIMESTAMP,
        KafkaError.POLICY_VIOLATION,
        KafkaError.UNSUPPORTED_FOR_MESSAGE_FORMAT,
    }
)
"Errors caused by the message itself, which repeating cannot cure; all others are Kafka's and temporary."
_FOLLOWS = frozenset(
    {
        KafkaError._FATAL,
        KafkaError._GAPLESS_GUARANTEE,
        KafkaError._PURGE_QUEUE,
        KafkaError._PURGE_INFLIGHT,
    }
)
"Reported for the messages that follow a failed one; they say nothing about the cause."


def is_about_the_event(error: KafkaError) -> bool:
    """Whether the event itself causes the error."""
    return error.code() in _ABOUT_THE_EVENT


def described(error: KafkaError, size: int) -> str:
    """The error with the message's size in bytes."""
    return f"{error.str()} ({error.name()}, {size} bytes)"


class Reports:
    """Counts messages passed to librdkafka and their reports; ``sent`` is the result."""

    def __init__(self) -> None:
        self.sent = Sent()
        self.open = 0

    def expect(self, event: StoredEvent, size: int) -> Report:
        """The callback for the report of ``event``."""
        self.open += 1
        return partial(self._report, event, size)

    def forget(self) -> None:
        """The last message of ``expect`` was not accepted by librdkafka, so there will be no report."""
        self.open -= 1

    def refuse(self, event: StoredEvent, reason: str) -> None:
        """The event can never be sent."""
        self.sent.refused.append(RejectedEvent(event, reason, certain=True))

    def fail(self, trouble: str) -> None:
        """The stream is broken; the first reason is the one that is reported."""
        self.sent.broken = True
        self.sent.trouble = self.sent.trouble or trouble

    def _report(self, event: StoredEvent, size: int, error: KafkaError | None, _message: object) -> None:
        self.open -= 1
        if error is None:
            self.sent.delivered.append(event)
            return
        self.sent.broken = True
        if is_about_the_event(error):
            self.sent.refused.append(RejectedEvent(event, described(error, size), certain=False))
        elif error.code() not in _FOLLOWS:
            self.fail(f"Kafka does not accept events ({error.name()})")
