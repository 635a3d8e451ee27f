"""What those need who read every event once, without slowing down whoever writes them."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Protocol

from upgrade_orchestrator.domain.events.event_metrics import Told
from upgrade_orchestrator.domain.events.metrics import Figure


@dataclass(frozen=True, slots=True)
class Span:
    """The events of an execution from behind ``after`` up to ``last``, which a follower has not had."""

    execution_id: str
    after: int
    last: int


@dataclass(frozen=True, slots=True)
class Waiting:
    """Approvals that nobody has decided: how many, and for how many seconds the oldest has waited."""

    approvals: int
    oldest_seconds: float


class EventCursors(Protocol):
    """How far each follower has come in each execution; every call raises Unavailable when the database is away."""

    async def spans(self, follower: str, limit: int) -> list[Span]:
        """What it has not had, of executions that have not ended or ended within the last hour."""

    async def mark(self, follower: str, spans: Sequence[Span]) -> list[Span]:
        """It has had them; returns those that nobody else had marked before."""

    async def told(self, spans: Sequence[Span], what: Collection[str]) -> list[Told]:
        """Their events of these types, each execution's in order."""

    async def counts(self) -> dict[tuple[str, str], int]:
        """How many executions that hold their place are in which status, by strategy."""

    async def waiting(self) -> Waiting:
        """How approvals stand."""


class Metrics(Protocol):
    """Where figures go: wherever the Airflow deployment sends its own."""

    def are_on(self) -> bool:
        """Whether anybody wants them."""

    def show(self, figure: Figure) -> None:
        """Send it off; nobody waits, and what gets lost is lost."""
