"""What the relay needs from the outside: the outbox, a stream into Kafka, and somewhere to show how it goes."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from upgrade_orchestrator.domain.execution.commands import Actor
from upgrade_orchestrator.service.ports.events import StoredEvent


class RelayState(StrEnum):
    """How the relay stands; what is DOWN nobody notes: it is the absence of notes."""

    RUNNING = "running"
    WAITING = "waiting"
    OFF = "off"
    DOWN = "down"


@dataclass(frozen=True, slots=True)
class Note:
    """What the relay's leader last noted of itself, and how many seconds ago."""

    state: RelayState
    detail: str
    age_seconds: float


@dataclass(frozen=True, slots=True)
class Lag:
    """What is committed and not published: events, the age of the oldest in seconds; and how many are parked."""

    rows: int
    seconds: float
    parked: int


@dataclass(frozen=True, slots=True)
class ParkedEvent:
    """An event that Kafka does not take, left out of the stream until it is released."""

    id: str
    execution_id: str
    tenant_id: str
    sequence: int
    what: str
    parked_at: datetime
    reason: str


class Outbox(Protocol):
    """The events that are committed and not yet published.

    Every call raises Unavailable when the database does not answer.
    """

    async def pending(self, limit: int) -> list[StoredEvent]:
        """The first of them; each execution's in the order of their sequence, none left out in between."""

    async def mark_published(self, events: Sequence[StoredEvent]) -> None:
        """Kafka has them."""

    async def park(self, event: StoredEvent, reason: str) -> None:
        """Leave it out from now on."""

    async def parked(self, after: tuple[datetime, str] | None, limit: int) -> list[ParkedEvent]:
        """Parked events, the oldest first, those after a position (parkedAt, id)."""

    async def release(self, event_id: str, actor: Actor) -> ParkedEvent:
        """Put it back in, with a row of audit. :raises NotFound: no such event is parked."""

    async def lag(self) -> Lag:
        """How far Kafka is behind the database."""

    async def note(self, state: RelayState, detail: str) -> None:
        """Tell every process how the relay stands."""

    async def noted(self) -> Note | None:
        """What was noted last; None before the first time."""


class StreamOff(Exception):
    """There is nowhere to publish to: the relay has nothing to do."""


class StreamAway(Exception):
    """Kafka cannot be written to now; the text says why, without addresses and secrets."""


@dataclass(frozen=True, slots=True)
class Refused:
    """An event that was not taken; ``certain`` that it is its own fault, not that of one sent together with it."""

    event: StoredEvent
    reason: str
    certain: bool


@dataclass(slots=True)
class Sent:
    """What became of a wave. With ``broken`` the stream takes no more: of the rest nothing is known."""

    delivered: list[StoredEvent] = field(default_factory=list)
    refused: list[Refused] = field(default_factory=list)
    trouble: str | None = None
    broken: bool = False


class EventStream(Protocol):
    """Keeps the order in which it is given events; what comes after one that failed does not get through."""

    async def send(self, events: Sequence[StoredEvent]) -> Sent:
        """Give them to Kafka and wait for its reports."""

    async def close(self) -> None:
        """Give up what is under way."""


OpenStream = Callable[[], Awaitable[EventStream]]
"""Connects, as things are now. :raises StreamOff: no connection is defined; :raises StreamAway: Kafka is away."""
