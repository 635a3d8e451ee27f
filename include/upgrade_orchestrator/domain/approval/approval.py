"""The approval of a stage: one decision, made in the UI or by REST (specification sections 4 and 9, four eyes)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from upgrade_orchestrator.domain.errors import Forbidden, InvalidState, NotFound
from upgrade_orchestrator.domain.events.payloads import ApprovalDecided, ApprovalRequested
from upgrade_orchestrator.domain.execution.commands import Actor, Decision, Source, require_allowed
from upgrade_orchestrator.domain.execution.events import Event
from upgrade_orchestrator.domain.execution.execution import Execution, Strategy
from upgrade_orchestrator.domain.execution.states import ExecutionStatus
from upgrade_orchestrator.domain.plan.batch import Batch
from upgrade_orchestrator.domain.plan.plan import Plan

WAITS_IN = frozenset({ExecutionStatus.IN_PROGRESS, ExecutionStatus.PAUSED})
"Statuses in which a stage can wait for its approval; in any other status it is no longer needed."


SAME_ANSWER = timedelta(milliseconds=1)
"Times that differ by less belong to the same answer: one of the paths on which an answer arrives rounds its time."


@dataclass(frozen=True, slots=True)
class Answer:
    """What a person chose in the Airflow UI: the user's name and id there, and when (UTC). It counts once applied."""

    choice: Decision
    by: str
    by_id: str
    at: datetime
    reason: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Approval:
    """The approval request for a stage, the answer that is yet to be applied, and the decision; times are UTC."""

    execution_id: str
    stage: int
    plan_hash: str
    requested_at: datetime
    answer: Decision | None = None
    answered_by: str | None = None
    answered_by_id: str | None = None
    answer_reason: str | None = None
    answered_at: datetime | None = None
    """When the last answer was given, including one that did not count."""
    refused: str | None = None
    """Why the last answer in the Airflow UI did not count."""
    decision: Decision | None = None
    decided_by: str | None = None
    decided_at: datetime | None = None
    source: Source | None = None
    reason: str | None = None


class StageState(StrEnum):
    """The state of a stage's approval."""

    EARLY = "EARLY"
    "The stage before it has not ended, so the approval is not requested yet."
    ASKED = "ASKED"
    "A person has to decide."
    ANSWERED = "ANSWERED"
    "A person has answered in the Airflow UI, and the answer is yet to be applied."
    APPROVED = "APPROVED"
    "The stage may begin."
    OVER = "OVER"
    "The execution has ended or is rolling back."


def needs_approval(plan: Plan, number: int) -> bool:
    """Whether batch ``number`` waits for an approval: every stage but the first does."""
    return plan.strategy is Strategy.STAGED and number > 1


def require_stage(plan: Plan, execution_id: str, stage: int) -> None:
    """:raises NotFound: when the plan has no stage of that number."""
    if plan.strategy is not Strategy.STAGED or not 1 <= stage <= len(plan.batches):
        raise NotFound(f"execution {execution_id} has no stage {stage}")


def state_of_stage(execution: Execution, approval: Approval | None, before: Batch) -> StageState:
    """The state of a stage; ``before`` is the stage before it. An approval of another plan does not count."""
    if execution.is_terminal or execution.status is ExecutionStatus.ROLLING_BACK:
        return StageState.OVER
    if approval is not None and is_approved(execution, approval):
        return StageState.APPROVED
    if before.completed_at is None:
        return StageState.EARLY
    return StageState.ANSWERED if approval is not None and approval.answer is not None else StageState.ASKED


def is_approved(execution: Execution, approval: Approval) -> bool:
    """Whether the stage was approved, and for the plan that the execution has."""
    return approval.decision is Decision.APPROVED and approval.plan_hash == execution.plan_hash


def ask(execution: Execution, stage: int, now: datetime) -> tuple[Approval, Event]:
    """The approval request, and the event that reports it."""
    approval = Approval(execution_id=execution.id, stage=stage, plan_hash=execution.plan_hash, requested_at=now)
    return approval, ApprovalRequested(stage=stage, plan_hash=execution.plan_hash)


def answer(approval: Approval, given: Answer) -> Approval:
    """Store the answer until it is applied; the first answer stands, and a decision overrides it.

    An answer that did not count is ignored when it is reported again.
    """
    if approval.decision is not None or approval.answer is not None:
        return approval
    if approval.answered_at is not None and given.at - approval.answered_at < SAME_ANSWER:
        return approval
    return replace(
        approval,
        answer=given.choice,
        answered_by=given.by,
        answered_by_id=given.by_id,
        answer_reason=given.reason,
        answered_at=given.at,
        refused=None,
    )


def discard_answer(approval: Approval, why: str) -> Approval:
    """The answer does not count, so the approval is open again."""
    return replace(
        approval,
        answer=None,
        answered_by=None,
        answered_by_id=None,
        answer_reason=None,
        refused=f"{approval.answered_by}: {why}",
    )


def waiting(approvals: Sequence[Approval]) -> Approval | None:
    """The approval that waits for a decision, if there is one."""
    return next((each for each in approvals if each.decision is None), None)


def decidable(
    execution: Execution, approvals: Sequence[Approval], stage: int, wanted: Decision, actor: Actor, four_eyes: bool
) -> Approval:
    """The approval of ``stage``, if ``actor`` may make the decision ``wanted`` now.

    :raises InvalidState: this status allows no decision, or this stage does not wait for one.
    :raises Forbidden: by ``four_eyes`` the creator of the execution may not approve its stages.
    """
    require_allowed(wanted.command, execution.status)
    found = next((each for each in approvals if each.stage == stage), None)
    if found is None or found.decision is not None:
        raise _not_now(execution, _not_waiting(stage, found, waiting(approvals)))
    if found.plan_hash != execution.plan_hash:
        raise _not_now(execution, f"the approval of stage {stage} was requested for another plan")
    if four_eyes and wanted is Decision.APPROVED and actor.name == execution.created_by:
        raise Forbidden(f"four eyes: {actor.name} created this execution, so another user has to approve its stages")
    return found


def _not_now(execution: Execution, why: str) -> InvalidState:
    return InvalidState.because(why, execution.status.value, [execution.status.value])


def _not_waiting(stage: int, found: Approval | None, other: Approval | None) -> str:
    why = f"stage {stage} does not wait for an approval"
    if found is not None and found.decision is not None:
        why = f"stage {stage} was {found.decision.value} by {found.decided_by} already"
    return f"{why}; stage {other.stage} waits for one" if other is not None else f"{why}, and no other stage does"


def decide(
    approval: Approval, decision: Decision, reason: str | None, actor: Actor, now: datetime
) -> tuple[Approval, Event]:
    """The decision with its user, time, reason and plan, and the event that reports it."""
    decided = replace(
        approval, decision=decision, decided_by=actor.name, decided_at=now, source=actor.source, reason=reason
    )
    data = ApprovalDecided(
        stage=approval.stage,
        decision=decision,
        decided_by=actor.name,
        source=actor.source,
        reason=reason,
        plan_hash=approval.plan_hash,
    )
    return decided, data
