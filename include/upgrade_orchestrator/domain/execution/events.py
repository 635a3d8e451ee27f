"""The events of an execution: their types and the base of their data (specification section 10)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar

from upgrade_orchestrator.domain.execution.commands import Source
from upgrade_orchestrator.domain.execution.states import ExecutionStatus


class EventType(StrEnum):
    """The types of events; CloudEvents name them ``registry.upgrade.<type>.v1``."""

    CREATED = "created"
    STATUS_CHANGED = "status-changed"
    CHECK_COMPLETED = "check-completed"
    BATCH_STARTED = "batch-started"
    BATCH_COMPLETED = "batch-completed"
    INSTANCE_CHANGED = "instance-changed"
    PROGRESS = "progress"
    CANARY_POLLED = "canary-polled"
    APPROVAL_REQUESTED = "approval-requested"
    APPROVAL_DECIDED = "approval-decided"
    SETTLED = "settled"
    COMMAND_RECEIVED = "command-received"
    ROLLBACK_STARTED = "rollback-started"
    ROLLBACK_COMPLETED = "rollback-completed"

    @property
    def cloud_type(self) -> str:
        """The CloudEvents ``type`` attribute."""
        return f"registry.upgrade.{self.value}.v1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """An event before it is stored, which adds id, time and sequence; its fields are the event's data.

    There is one subclass for each type, from which the schemas in docs/events are generated. Within v1 a field may be
    added; none may be removed, renamed or given another meaning.
    """

    what: ClassVar[EventType]


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusChanged(Event):
    """The execution went from one status to another."""

    what = EventType.STATUS_CHANGED

    from_: ExecutionStatus
    "The status before."
    to: ExecutionStatus
    "The new status."
    reason: str
    "Why, in words."
    actor: str
    "Who or what caused it: a user's name, or system."
    source: Source
    "Where the change came from."


@dataclass(frozen=True, slots=True, kw_only=True)
class Settled(Event):
    """The last event of an execution's work: nothing is in flight any more, and the next upgrade may be created.

    Only a retry or a revert of the ended execution adds a command-received after it.
    """

    what = EventType.SETTLED

    status: ExecutionStatus
    "COMPLETED, ROLLED_BACK, FAILED or CANCELLED."
    reason: str
    "Why it ended, with the final count, in words."
    versions: Mapping[str, int]
    'Version to the number of instances that run it in the end; "unknown" where nobody can say.'
    fleet_seen: bool
    "Whether the fleet was counted; false: it did not respond or was not asked, and the recorded statuses were."
    settled_by: str
    "The user who released it, or system."
