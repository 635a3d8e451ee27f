"""The ids of a stage's tasks in Airflow: the DAG is built with them, and the API server finds the tasks by them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from upgrade_orchestrator.domain.approval.approval import Answer
from upgrade_orchestrator.domain.execution.commands import Decision

APPROVE = "approve"
"The task within a stage's group that asks for the approval."
APPROVE_OPTION, REJECT_OPTION = "Approve", "Reject"
"The two options of Airflow's approval operator."
MAX_REASON_LENGTH = 1000
"Characters of a reason that are stored, the same limit as over REST."


def stage_group(stage: int) -> str:
    """The task group of a stage."""
    return f"stage_{stage:02d}"


def approve_task(stage: int) -> str:
    """The id of the task that asks for a stage's approval."""
    return f"{stage_group(stage)}.{APPROVE}"


def answer_given(
    user: Mapping[str, str] | None, at: datetime, options: Sequence[str] | None, form: Mapping[str, object] | None
) -> Answer | None:
    """The answer that a person gave, as stored by Airflow; None when Airflow or this product released the task.

    Airflow's form accepts any text as a reason; the database does not accept NUL characters.
    """
    if not user:
        return None
    choice = Decision.APPROVED if list(options or ()) == [APPROVE_OPTION] else Decision.REJECTED
    reason = str((form or {}).get("reason") or "").replace("\x00", "")[:MAX_REASON_LENGTH]
    return Answer(choice, user["name"], user["id"], at, reason or None)
