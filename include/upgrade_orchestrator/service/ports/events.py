"""The event log of the executions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from upgrade_orchestrator.domain.execution.events import Event, EventType
from upgrade_orchestrator.domain.execution.execution import Execution
from upgrade_orchestrator.domain.execution.states import ExecutionStatus, is_terminal


@dataclass(frozen=True, slots=True)
class StoredEvent:
    """An event as it was written: with its id, time and gap-free sequence."""

    id: str
    execution_id: str
    tenant_id: str
    sequence: int
    time: datetime
    event: Event


@dataclass(frozen=True, slots=True)
class Tail:
    """Where an execution's event log ends: the last sequence, and the status that belongs to it."""

    sequence: int
    status: ExecutionStatus
    settled: bool

    @property
    def ended(self) -> bool:
        """The execution is terminal; instances may still be in flight."""
        return is_terminal(self.status)

    @property
    def over(self) -> bool:
        """Terminal and nothing in flight any more: no event follows."""
        return self.ended and self.settled


class Events(Protocol):
    """The event log, which is the outbox too."""

    async def append(self, execution: Execution, events: Sequence[Event]) -> None:
        """Number the events without a gap and write them; the execution must be locked."""

    async def page(self, execution_id: str, after: int, limit: int) -> list[StoredEvent]:
        """Events with a sequence above ``after``."""

    async def latest(self, execution_id: str, whats: Sequence[EventType], limit: int) -> list[StoredEvent]:
        """The newest events of these types, newest first."""

    async def tail(self, execution_id: str) -> Tail:
        """Where the log ends; read before a page, that page lacks nothing up to there.

        :raises NotFound: when there is no such execution.
        """
