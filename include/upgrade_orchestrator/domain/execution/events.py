"""What is told about an execution: type and data of every event (contract section 10)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from enum import StrEnum
from functools import cache
from typing import ClassVar

from upgrade_orchestrator.domain.execution.commands import Source
from upgrade_orchestrator.domain.execution.states import ExecutionStatus


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

    @classmethod
    def of(cls, told: EventData) -> Event:
        """The event that tells ``told``."""
        return cls(told.WHAT, told.as_json())


@dataclass(frozen=True, slots=True, kw_only=True)
class EventData:
    """What an event of one type tells: one class a type, from which the schemas in docs/events are made.

    Within v1 a field may be added, and none removed, renamed or given another meaning.
    """

    WHAT: ClassVar[EventType]

    def as_json(self) -> dict[str, object]:
        """The ``data`` of the CloudEvent, in camelCase."""
        values = {json_name(each.name): getattr(self, each.name) for each in fields(self)}
        return {name: list(value) if isinstance(value, tuple) else value for name, value in values.items()}


@cache
def json_name(name: str) -> str:
    """``instance_id`` as instanceId; ``from_`` as from, which Python keeps for itself."""
    first, *others = name.rstrip("_").split("_")
    return first + "".join(each.capitalize() for each in others)


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusChanged(EventData):
    """The execution went from one status to another."""

    WHAT = EventType.STATUS_CHANGED

    from_: ExecutionStatus
    "The status before."
    to: ExecutionStatus
    "The status from now on."
    reason: str
    "Why, in words."
    actor: str
    "Who or what brought it about: a user's name, or system."
    source: Source
    "Through which door that came."
