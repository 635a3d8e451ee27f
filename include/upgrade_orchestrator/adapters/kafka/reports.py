"""The delivery reports of one wave: what Kafka has, what it does not want, and what else went wrong."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from confluent_kafka import KafkaError

from upgrade_orchestrator.service.ports.events import StoredEvent
from upgrade_orchestrator.service.ports.outbox import Refused, Sent

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
"Errors that come back however often these bytes are sent; all others are Kafka's own and pass."
_FOLLOWS = frozenset(
    {
        KafkaError._FATAL,
        KafkaError._GAPLESS_GUARANTEE,
        KafkaError._PURGE_QUEUE,
        KafkaError._PURGE_INFLIGHT,
    }
)
"What the messages behind a failed one are told."


def is_about_the_event(error: KafkaError) -> bool:
    """Whether the event itself is the reason."""
    return error.code() in _ABOUT_THE_EVENT


def described(error: KafkaError, size: int) -> str:
    """The error with the message's size in bytes."""
    return f"{error.str()} ({error.name()}, {size} bytes)"


class Reports:
    """Counts what is given and reported; ``sent`` is what came of it."""

    def __init__(self) -> None:
        self.sent = Sent()
        self.open = 0

    def expect(self, event: StoredEvent, size: int) -> Report:
        """The callback for the report of ``event``."""
        self.open += 1
        return partial(self._report, event, size)

    def forget(self) -> None:
        """The last expected one was not given after all."""
        self.open -= 1

    def refuse(self, event: StoredEvent, reason: str) -> None:
        """It was never given, and never can be."""
        self.sent.refused.append(Refused(event, reason, certain=True))

    def fail(self, trouble: str) -> None:
        """The stream has come to its end; the first reason is the one that is told."""
        self.sent.broken = True
        self.sent.trouble = self.sent.trouble or trouble

    def _report(self, event: StoredEvent, size: int, error: KafkaError | None, _message: object) -> None:
        self.open -= 1
        if error is None:
            self.sent.delivered.append(event)
            return
        self.sent.broken = True
        if is_about_the_event(error):
            self.sent.refused.append(Refused(event, described(error, size), certain=False))
        elif error.code() not in _FOLLOWS:
            self.fail(f"Kafka does not take events ({error.name()})")
