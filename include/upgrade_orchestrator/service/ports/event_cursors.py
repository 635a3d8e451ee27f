"""Ports for consumers that read each event once, without slowing down the transactions that write events."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol

from upgrade_orchestrator.domain.events.event_metrics import RecordedEvent
from upgrade_orchestrator.domain.events.metrics import MetricValue

LONGEST_ABSENCE = timedelta(days=7)
"A consumer that was away for longer does not read what ended before."


@dataclass(frozen=True, slots=True)
class Span:
    """The events of an execution with a sequence above ``after`` up to ``last``, which a consumer has not read."""

    execution_id: str
    after: int
    last: int


@dataclass(frozen=True, slots=True)
class Waiting:
    """Undecided approvals: their number, and for how many seconds the oldest has waited."""

    approvals: int
    oldest_seconds: float


class EventCursors(Protocol):
    """The position of each consumer in each execution's events.

    Every call raises Unavailable when the database does not respond.
    """

    async def spans(self, consumer: str, limit: int) -> list[Span]:
        """The spans that the consumer has not read.

        Of executions that are unfinished, or ended since an hour before the consumer had last read everything, but at
        most ``LONGEST_ABSENCE`` ago: while nobody reads, nothing gets lost. A new consumer begins an hour ago.
        """

    async def mark(self, consumer: str, spans: Sequence[Span]) -> list[Span]:
        """Mark the spans as read; returns those that were not marked before by another process."""

    async def events(self, spans: Sequence[Span], what: Collection[str]) -> list[RecordedEvent]:
        """The events of these types within the spans, in order for each execution."""

    async def counts(self) -> dict[tuple[str, str], int]:
        """The number of executions that are not settled, by status and strategy."""

    async def attention(self) -> dict[str, int]:
        """The number of executions that are not settled and that something keeps from going on, by its code."""

    async def waiting(self) -> Waiting:
        """The undecided approvals."""


class Metrics(Protocol):
    """Sends metrics to where the Airflow deployment sends its own."""

    def are_on(self) -> bool:
        """Whether metrics are enabled."""

    def show(self, figure: MetricValue) -> None:
        """Send the value without waiting; a loss is not repaired."""
