"""Ports of the relay: the outbox, the stream into Kafka, and the relay's state for the health check."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from upgrade_orchestrator.domain.execution.commands import Actor
from upgrade_orchestrator.service.ports.stores.events import StoredEvent


class RelayState(StrEnum):
    """The state of the relay; DOWN is never stored: it follows from a missing or old note."""

    RUNNING = "running"
    WAITING = "waiting"
    OFF = "off"
    DOWN = "down"


@dataclass(frozen=True, slots=True)
class StoredRelayState:
    """The state that the relay stored last, and its age in seconds."""

    state: RelayState
    detail: str
    age_seconds: float


@dataclass(frozen=True, slots=True)
class Lag:
    """The unpublished events: their number and the oldest one's age in seconds; and the number of parked events."""

    rows: int
    seconds: float
    parked: int


@dataclass(frozen=True, slots=True)
class ParkedEvent:
    """An event that Kafka rejects; it is left out of the stream until it is released."""

    id: str
    execution_id: str
    tenant_id: str
    sequence: int
    what: str
    parked_at: datetime
    reason: str


class Outbox(Protocol):
    """The committed events that are not published yet.

    Every call raises Unavailable when the database does not respond.
    """

    async def pending(self, limit: int) -> list[StoredEvent]:
        """The first unpublished events; those of an execution in the order of their sequence, without a gap."""

    async def mark_published(self, events: Sequence[StoredEvent]) -> None:
        """Mark the events as published."""

    async def park(self, event: StoredEvent, reason: str) -> None:
        """Leave the event out of the stream from now on."""

    async def parked(self, after: tuple[datetime, str] | None, limit: int) -> list[ParkedEvent]:
        """Parked events after the position (parkedAt, id), oldest first."""

    async def release(self, event_id: str, actor: Actor) -> ParkedEvent:
        """Put the event back into the stream, with an audit row.

        :raises NotFound: no such event is parked.
        """

    async def lag(self) -> Lag:
        """How far Kafka lags behind the database."""

    async def save_state(self, state: RelayState, detail: str) -> None:
        """Store the relay's state, so that every process can read it."""

    async def state(self) -> StoredRelayState | None:
        """The note that was stored last; None when there is none."""


class KafkaNotConfigured(Exception):
    """No Kafka connection is defined: the relay has nothing to do."""


class KafkaUnavailable(Exception):
    """Kafka does not accept events now; the text says why, without addresses and secrets."""


@dataclass(frozen=True, slots=True)
class RejectedEvent:
    """A rejected event; ``certain``: it is the cause itself, not another event in the same request."""

    event: StoredEvent
    reason: str
    certain: bool


@dataclass(slots=True)
class Sent:
    """The result of sending a wave. ``broken``: the stream must be opened again; the rest of the wave is unknown."""

    delivered: list[StoredEvent] = field(default_factory=list)
    refused: list[RejectedEvent] = field(default_factory=list)
    trouble: str | None = None
    broken: bool = False


class EventStream(Protocol):
    """A stream into Kafka that keeps the order of events; events after a failed one are not delivered."""

    async def send(self, events: Sequence[StoredEvent]) -> Sent:
        """Send the events to Kafka and wait for its delivery reports."""

    async def close(self) -> None:
        """Close the stream; unfinished deliveries are dropped."""


OpenStream = Callable[[], Awaitable[EventStream]]
"""Opens a stream with the current connection.

:raises KafkaNotConfigured: no connection is defined.
:raises KafkaUnavailable: Kafka does not respond.
"""
