"""The data of the events, one class for each type (specification section 10).

``StatusChanged`` and ``Settled`` are in domain/execution/events.py, those that list instances in listing_payloads.py.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from upgrade_orchestrator.domain.checks.checks import CheckName, CheckStatus
from upgrade_orchestrator.domain.events.listing_payloads import (
    BatchCompleted,
    BatchStarted,
    CanaryPolled,
    RollbackCompleted,
)
from upgrade_orchestrator.domain.execution.attention import Attention
from upgrade_orchestrator.domain.execution.commands import Command, Decision, Source
from upgrade_orchestrator.domain.execution.events import Event, EventType, Settled, StatusChanged
from upgrade_orchestrator.domain.execution.execution import Strategy
from upgrade_orchestrator.domain.instance.instance import InstanceStatus
from upgrade_orchestrator.domain.instance.note import Note


@dataclass(frozen=True, slots=True, kw_only=True)
class Created(Event):
    """The execution was created: its plan is frozen, nothing has begun."""

    what = EventType.CREATED

    tenant_id: str
    "The tenant whose instances are upgraded."
    component_id: str
    "The component that is upgraded."
    from_version: str
    "The version that the deployment runs, as the fleet knows it."
    to_version: str
    "The target version."
    strategy: Strategy
    "The strategy of the upgrade."
    total_instances: int
    "How many instances the plan has."
    batches: int
    "How many batches the plan has, including that of the canaries."
    plan_hash: str
    "The hash of the frozen plan."
    created_by: str
    "The authenticated user."
    initiated_by: str | None
    "The label initiatedBy of the request."
    retry_of: str | None
    "The ended execution that this one retries."
    revert_of: str | None
    "The ended execution that this one takes back."


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckCompleted(Event):
    """A pre-upgrade check has its result."""

    what = EventType.CHECK_COMPLETED

    name: CheckName
    "Which check."
    status: CheckStatus
    "Its result."
    message: str
    "What the check found, in words."


@dataclass(frozen=True, slots=True, kw_only=True)
class InstanceChanged(Event):
    """An instance changed its status, or made a step of its rollback."""

    what = EventType.INSTANCE_CHANGED

    instance_id: str
    "Which instance."
    batch: int
    "The number of its batch."
    from_: InstanceStatus
    "The status before."
    to: InstanceStatus
    "The new status."
    from_version: str | None
    "The version that it ran before this execution; null: unknown."
    to_version: str
    "The target version."
    attempts: int
    "How many tries were begun."
    revert: InstanceStatus | None
    "Its status in the rollback; null before the rollback has begun with it."
    gone: bool
    "Whether the fleet's list has left it out for too long: it takes no part any more."
    error: str | None
    "What went wrong, with what the instance itself says; it may have several lines."
    notes: Sequence[Note]
    "Orders to it with their answers, and its health, since its last event: at most ten, the oldest first."


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress(Event):
    """The progress of the execution: counts of all its instances, and what keeps it from going on.

    It comes with every change of an instance's status, and when ``attention`` begins, gets another code or ends. The
    end of the execution ends it too.
    """

    what = EventType.PROGRESS

    percentage: int
    "The share of instances that are COMPLETED, in percent; rounded down."
    total: int
    "All instances of the plan."
    pending: int
    "Not touched."
    in_flight: int
    "Being upgraded or rolled back."
    completed: int
    "On the target version and healthy."
    failed: int
    "Did not reach the target version."
    rolled_back: int
    "Back on their own previous version."
    attention: Attention | None
    "What keeps the execution from going on; null when nothing does."


@dataclass(frozen=True, slots=True, kw_only=True)
class ApprovalRequested(Event):
    """A stage waits for an approval."""

    what = EventType.APPROVAL_REQUESTED

    stage: int
    "The stage's number, from 2 on."
    plan_hash: str
    "The hash of the plan that is to be approved."


@dataclass(frozen=True, slots=True, kw_only=True)
class ApprovalDecided(Event):
    """A stage was approved or rejected."""

    what = EventType.APPROVAL_DECIDED

    stage: int
    "The stage's number."
    decision: Decision
    "The decision."
    decided_by: str
    "The user who decided."
    source: Source
    "Where the decision was made."
    reason: str | None
    "Why, in words."
    plan_hash: str
    "The hash of the plan that was approved or rejected."


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandReceived(Event):
    """A command was accepted; the following events report its effects."""

    what = EventType.COMMAND_RECEIVED

    command: Command
    "The command."
    actor: str
    "The user who gave it."
    source: Source
    "Where the command came from."
    reason: str | None
    "Why, in words."


@dataclass(frozen=True, slots=True, kw_only=True)
class RollbackStarted(Event):
    """The rollback begins."""

    what = EventType.ROLLBACK_STARTED

    reason: str
    "Why, in words."
    initiated_by: str
    "Who or what started it: a user's name, or system."


EVENT_CLASSES: tuple[type[Event], ...] = (
    Created,
    StatusChanged,
    CheckCompleted,
    BatchStarted,
    BatchCompleted,
    InstanceChanged,
    Progress,
    CanaryPolled,
    ApprovalRequested,
    ApprovalDecided,
    Settled,
    CommandReceived,
    RollbackStarted,
    RollbackCompleted,
)
"The classes of all event types."
