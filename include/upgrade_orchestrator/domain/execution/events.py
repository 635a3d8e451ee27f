"""The events of an execution: their types and the base of their data (specification section 10)."""

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
    """An event before it is stored; storing it adds id, time and sequence."""

    what: EventType
    data: Mapping[str, object]

    @classmethod
    def of(cls, data: EventData) -> Event:
        """The event with this data."""
        return cls(data.WHAT, data.as_json())


@dataclass(frozen=True, slots=True, kw_only=True)
class EventData:
    """The data of an event: one subclass for each type, from which the schemas in docs/events are generated.

    Within v1 a field may be added; none may be removed, renamed or given another meaning.
    """

    WHAT: ClassVar[EventType]

    def as_json(self) -> dict[str, object]:
        """The ``data`` of the CloudEvent, in camelCase."""
        values = {json_name(each.name): getattr(self, each.name) for each in fields(self)}
        return {name: list(value) if isinstance(value, tuple) else value for name, value in values.items()}


@cache
def json_name(name: str) -> str:
    """The camelCase name of a field: instanceId for ``instance_id``, from for ``from_`` (a keyword in Python)."""
    first, *others = name.rstrip("_").split("_")
    return first + "".join(each.capitalize() for each in others)


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusChanged(EventData):
    """The execution went from one status to another."""

    WHAT = EventType.STATUS_CHANGED

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
