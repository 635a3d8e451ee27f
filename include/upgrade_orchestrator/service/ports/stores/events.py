"""The store of events: the event log of the executions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from upgrade_orchestrator.domain.execution.events import Event, EventType
from upgrade_orchestrator.domain.execution.execution import Execution
from upgrade_orchestrator.domain.execution.states import ExecutionStatus, is_terminal


@dataclass(frozen=True, slots=True)
class StoredEvent:
    """An event as stored, with its id, time and gap-free sequence."""

    id: str
    execution_id: str
    tenant_id: str
    sequence: int
    time: datetime
    what: EventType
    data: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Tail:
    """The end of an execution's event log: the last sequence, and the execution's status at that point."""

    sequence: int
    status: ExecutionStatus
    settled: bool

    @property
    def is_terminal(self) -> bool:
        """The execution is terminal; instances may still be in flight."""
        return is_terminal(self.status)

    @property
    def is_settled(self) -> bool:
        """The execution is settled, so no event follows."""
        return self.is_terminal and self.settled


class Events(Protocol):
    """The event log, which is also the outbox."""

    async def append(self, execution: Execution, events: Sequence[Event]) -> None:
        """Number the events without a gap and insert them; the execution must be locked."""

    async def page(self, execution_id: str, after: int, limit: int) -> list[StoredEvent]:
        """The next events with a sequence above ``after``, in order."""

    async def latest(self, execution_id: str, whats: Sequence[EventType], limit: int) -> list[StoredEvent]:
        """The newest events of these types, newest first."""

    async def about(self, execution_id: str, instance_id: str, after: int, limit: int) -> list[StoredEvent]:
        """The next events with a sequence above ``after`` that an instance's history is made of, in order.

        These are its own changes, the canary polls that found it unhealthy, and the changes of the execution's status.
        """

    async def tail(self, execution_id: str) -> Tail:
        """The end of the log; a page that is read afterwards has all events up to it.

        :raises NotFound: when there is no such execution.
        """
