"""The approval before a stage: one decision, whichever way it came (contract sections 4 and 9, four eyes)."""

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
"Where a stage can wait for its approval; anywhere else nobody wants it any more."


SAME_ANSWER = timedelta(milliseconds=1)
"An answer's time reaches us on several ways, of which one rounds it."


@dataclass(frozen=True, slots=True)
class Answer:
    """What somebody chose in the Airflow UI, and when (UTC): the user's name there and id. It counts once judged."""

    choice: Decision
    by: str
    by_id: str
    at: datetime
    reason: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Approval:
    """A stage's question, the answer that waits to be judged, and the decision; times are UTC."""

    execution_id: str
    stage: int
    plan_hash: str
    requested_at: datetime
    answer: Decision | None = None
    answered_by: str | None = None
    answered_by_id: str | None = None
    answer_reason: str | None = None
    answered_at: datetime | None = None
    """When the last answer was given, also one that did not count."""
    refused: str | None = None
    """Why the last answer in the Airflow UI did not count."""
    decision: Decision | None = None
    decided_by: str | None = None
    decided_at: datetime | None = None
    source: Source | None = None
    reason: str | None = None


class StageState(StrEnum):
    """How a stage stands with its approval."""

    EARLY = "EARLY"
    "The stage before it has not come to its end: there is nothing to ask yet."
    ASKED = "ASKED"
    "Somebody has to decide."
    ANSWERED = "ANSWERED"
    "Somebody has answered in the Airflow UI, which is yet to be judged."
    APPROVED = "APPROVED"
    "The stage may begin."
    OVER = "OVER"
    "The execution has ended or goes back."


def needs_approval(plan: Plan, number: int) -> bool:
    """Whether batch ``number`` waits for one: every stage but the first."""
    return plan.strategy is Strategy.STAGED and number > 1


def require_stage(plan: Plan, execution_id: str, stage: int) -> None:
    """:raises NotFound: when the plan has no stage of that number."""
    if plan.strategy is not Strategy.STAGED or not 1 <= stage <= len(plan.batches):
        raise NotFound(f"execution {execution_id} has no stage {stage}")


def state_of_stage(execution: Execution, approval: Approval | None, before: Batch) -> StageState:
    """How a stage stands; ``before`` is the stage before it. An approval of another plan is none."""
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
    """The question, and the event that tells of it."""
    approval = Approval(execution_id=execution.id, stage=stage, plan_hash=execution.plan_hash, requested_at=now)
    return approval, Event.of(ApprovalRequested(stage=stage, plan_hash=execution.plan_hash))


def answer(approval: Approval, given: Answer) -> Approval:
    """The answer is kept until it is judged; the first one stands, and a decision outranks it.

    One that was refused already is no new one, whoever comes with it again.
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


def refuse(approval: Approval, why: str) -> Approval:
    """The answer does not count: the question stands again."""
    return replace(
        approval,
        answer=None,
        answered_by=None,
        answered_by_id=None,
        answer_reason=None,
        refused=f"{approval.answered_by}: {why}",
    )


def waiting(approvals: Sequence[Approval]) -> Approval | None:
    """The one that waits for a decision."""
    return next((each for each in approvals if each.decision is None), None)


def decidable(
    execution: Execution, approvals: Sequence[Approval], stage: int, wanted: Decision, actor: Actor, four_eyes: bool
) -> Approval:
    """The approval of ``stage``, which ``actor`` may decide so now.

    :raises InvalidState: nothing is decided in this status, or this stage does not wait;
    :raises Forbidden: ``four_eyes`` keeps who created the execution from approving.
    """
    require_allowed(wanted.command, execution.status)
    found = next((each for each in approvals if each.stage == stage), None)
    if found is None or found.decision is not None:
        raise _not_now(execution, _not_waiting(stage, found, waiting(approvals)))
    if found.plan_hash != execution.plan_hash:
        raise _not_now(execution, f"stage {stage} was asked about for another plan")
    if four_eyes and wanted is Decision.APPROVED and actor.name == execution.created_by:
        raise Forbidden(f"four eyes: {actor.name} created this execution, somebody else has to approve its stages")
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
    """The decision, kept with who, when, why and for which plan, and the event that tells of it."""
    decided = replace(
        approval, decision=decision, decided_by=actor.name, decided_at=now, source=actor.source, reason=reason
    )
    told = ApprovalDecided(
        stage=approval.stage,
        decision=decision,
        decided_by=actor.name,
        source=actor.source,
        reason=reason,
        plan_hash=approval.plan_hash,
    )
    return decided, Event.of(told)
