"""What the events tell, a class a type (contract section 10); that of a status is in events.py."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from upgrade_orchestrator.domain.checks.checks import CheckName, CheckStatus
from upgrade_orchestrator.domain.execution.commands import Command, Decision, Source
from upgrade_orchestrator.domain.execution.events import EventData, EventType, StatusChanged
from upgrade_orchestrator.domain.execution.execution import Strategy
from upgrade_orchestrator.domain.execution.states import ExecutionStatus
from upgrade_orchestrator.domain.instance.instance import InstanceStatus


@dataclass(frozen=True, slots=True, kw_only=True)
class Created(EventData):
    """The execution was created: its plan is frozen, nothing has begun."""

    WHAT = EventType.CREATED

    tenant_id: str
    "Whose instances."
    component_id: str
    "Of which component."
    from_version: str
    "The version that the deployment runs, as the fleet is told it."
    to_version: str
    "The version that it is upgraded to."
    strategy: Strategy
    "How the instances are brought there."
    total_instances: int
    "How many instances the plan has."
    batches: int
    "How many batches the plan has, the canaries' one among them."
    plan_hash: str
    "Of the frozen plan."
    created_by: str
    "The authenticated user."
    initiated_by: str | None
    "The label that the request came with."
    retry_of: str | None
    "The execution whose rest this one is."


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckCompleted(EventData):
    """A pre-upgrade check has its result."""

    WHAT = EventType.CHECK_COMPLETED

    name: CheckName
    "Which check."
    status: CheckStatus
    "Its result."
    message: str
    "What it found, in words."


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchPayload(EventData):
    """A batch and how its instances stand."""

    batch: int
    "Its number in the plan, from 1 on; 0 is the rollback's."
    kind: str
    "CANARY, BATCH, STAGE, GREEN or ALL as in the plan, or ROLLBACK."
    instances: Sequence[str]
    "Ids of its instances, in the plan's order."
    completed: int
    "How many of them are COMPLETED."
    failed: int
    "How many of them are FAILED."


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchStarted(BatchPayload):
    """The first instance of a batch is about to be worked on."""

    WHAT = EventType.BATCH_STARTED


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchCompleted(BatchPayload):
    """Every instance of a batch has come to its end, good or bad."""

    WHAT = EventType.BATCH_COMPLETED


@dataclass(frozen=True, slots=True, kw_only=True)
class InstanceChanged(EventData):
    """An instance went from one status to another, or one step further on its way back."""

    WHAT = EventType.INSTANCE_CHANGED

    instance_id: str
    "Which instance."
    batch: int
    "The number of its batch."
    from_: InstanceStatus
    "The status before."
    to: InstanceStatus
    "The status from now on."
    from_version: str
    "The version that it ran before this execution."
    to_version: str
    "The version that it is brought to."
    attempts: int
    "How many tries were begun."
    revert: InstanceStatus | None
    "The step of its way back; null before a rollback has begun with it."
    error: str | None
    "What went wrong."


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress(EventData):
    """How far the execution is: counts of all its instances."""

    WHAT = EventType.PROGRESS

    percentage: int
    "Of the instances, those that are COMPLETED; rounded down."
    total: int
    "All instances of the plan."
    pending: int
    "Not touched."
    in_flight: int
    "Being worked on."
    completed: int
    "On the target version and healthy."
    failed: int
    "Did not get there."
    rolled_back: int
    "Back on their own previous version."


@dataclass(frozen=True, slots=True, kw_only=True)
class CanaryPolled(EventData):
    """The canaries' monitor has looked at them."""

    WHAT = EventType.CANARY_POLLED

    healthy: bool | None
    "Whether all are well; null when not all could be asked, which is no verdict."
    unhealthy: Mapping[str, str]
    "Instance id to what is wrong with it."
    not_asked: Sequence[str]
    "Ids of those that did not answer."
    polls: int
    "How many polls have had a verdict."
    current_failures: int
    "What counts towards failureThreshold, this poll included."


@dataclass(frozen=True, slots=True, kw_only=True)
class ApprovalRequested(EventData):
    """A stage waits for an approval."""

    WHAT = EventType.APPROVAL_REQUESTED

    stage: int
    "The stage's number, from 2 on."
    plan_hash: str
    "The plan that is asked about."


@dataclass(frozen=True, slots=True, kw_only=True)
class ApprovalDecided(EventData):
    """A stage was approved or rejected."""

    WHAT = EventType.APPROVAL_DECIDED

    stage: int
    "The stage's number."
    decision: Decision
    "What became of it."
    decided_by: str
    "Who decided."
    source: Source
    "Through which door the decision came."
    reason: str | None
    "Why, in words."
    plan_hash: str
    "The plan that was asked about."


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandReceived(EventData):
    """A command was accepted; what follows from it comes with the next events."""

    WHAT = EventType.COMMAND_RECEIVED

    command: Command
    "What was asked."
    actor: str
    "By whom."
    source: Source
    "Through which door it came."
    reason: str | None
    "Why, in words."


@dataclass(frozen=True, slots=True, kw_only=True)
class RollbackStarted(EventData):
    """The way back begins."""

    WHAT = EventType.ROLLBACK_STARTED

    reason: str
    "Why, in words."
    initiated_by: str
    "Who or what asked for it."


@dataclass(frozen=True, slots=True, kw_only=True)
class RollbackCompleted(EventData):
    """The way back is over; whether it got there, the status says."""

    WHAT = EventType.ROLLBACK_COMPLETED

    status: ExecutionStatus
    "ROLLED_BACK or FAILED."
    reason: str
    "Why, in words."
    rolled_back_instances: Sequence[str]
    "Ids of those that are back."


BOOK: tuple[type[EventData], ...] = (
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
    CommandReceived,
    RollbackStarted,
    RollbackCompleted,
)
"Every type once."
