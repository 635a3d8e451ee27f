"""What is told about an execution: type and data of every event (contract section 10)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class EventType(StrEnum):
    """The ``<what>`` of ``registry.upgrade.<what>.v1``."""

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
    COMMAND_RECEIVED = "command-received"
    ROLLBACK_STARTED = "rollback-started"
    ROLLBACK_COMPLETED = "rollback-completed"

    @property
    def cloud_type(self) -> str:
        """The CloudEvents ``type`` attribute."""
        return f"registry.upgrade.{self.value}.v1"


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened, before it has an id, a time and a sequence: the store gives those."""

    what: EventType
    data: Mapping[str, object]
