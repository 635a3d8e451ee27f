"""The data of the events that list instances.

A count beside a list is set by the class: it counts all, the list is cut when it is stored (``factory.data_of``).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from upgrade_orchestrator.domain.execution.events import Event, EventType
from upgrade_orchestrator.domain.execution.states import ExecutionStatus


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchPayload(Event):
    """A batch and the state of its instances."""

    batch: int
    "Its number in the plan, from 1 on; 0 for the rollback."
    kind: str
    "CANARY, BATCH, STAGE, GREEN or ALL as in the plan, or ROLLBACK."
    instances: Sequence[str]
    "Ids of its instances, in the plan's order; the first 100."
    instance_count: int = 0
    "How many instances it has."
    completed: int
    "How many of them are COMPLETED."
    failed: int
    "How many of them are FAILED."

    def __post_init__(self) -> None:
        object.__setattr__(self, "instance_count", len(self.instances))


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchStarted(BatchPayload):
    """Work on the first instance of a batch begins."""

    what = EventType.BATCH_STARTED


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchCompleted(BatchPayload):
    """Every instance of a batch has ended, successfully or not."""

    what = EventType.BATCH_COMPLETED


@dataclass(frozen=True, slots=True, kw_only=True)
class CanaryPolled(Event):
    """The canary monitor has polled the canaries."""

    what = EventType.CANARY_POLLED

    healthy: bool | None
    "Whether all are healthy; null, no result, when some did not respond."
    unhealthy: Mapping[str, str]
    "Instance id to its problem; the first 100."
    unhealthy_count: int = 0
    "How many are unhealthy."
    not_asked: Sequence[str]
    "Ids of those that did not respond; the first 100."
    not_asked_count: int = 0
    "How many did not respond."
    polls: int
    "How many polls have had a result."
    current_failures: int
    "The failures that count towards failureThreshold, including this poll."

    def __post_init__(self) -> None:
        object.__setattr__(self, "unhealthy_count", len(self.unhealthy))
        object.__setattr__(self, "not_asked_count", len(self.not_asked))


@dataclass(frozen=True, slots=True, kw_only=True)
class RollbackCompleted(Event):
    """The rollback has ended; the status says whether it succeeded."""

    what = EventType.ROLLBACK_COMPLETED

    status: ExecutionStatus
    "ROLLED_BACK or FAILED."
    reason: str
    "Why, in words."
    rolled_back_instances: Sequence[str]
    "Ids of the instances that are back on their previous version; the first 100."
    rolled_back_count: int = 0
    "How many instances are back."

    def __post_init__(self) -> None:
        object.__setattr__(self, "rolled_back_count", len(self.rolled_back_instances))
