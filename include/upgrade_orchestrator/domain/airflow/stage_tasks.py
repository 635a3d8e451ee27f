"""The tasks of a stage as Airflow has them: the flow names them so, and the API server finds them again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from upgrade_orchestrator.domain.approval.approval import Answer
from upgrade_orchestrator.domain.execution.commands import Decision

APPROVE = "approve"
"The task within a stage's group that asks."
APPROVE_OPTION, REJECT_OPTION = "Approve", "Reject"
"What can be chosen: the two options of Airflow's approval operator."
MOST_OF_REASON = 1000
"Characters of a reason that are kept, as over REST."


def stage_group(stage: int) -> str:
    """The task group of a stage."""
    return f"stage_{stage:02d}"


def approve_task(stage: int) -> str:
    """The id of the task that asks before a stage."""
    return f"{stage_group(stage)}.{APPROVE}"


def answer_given(
    user: Mapping[str, str] | None, at: datetime, options: Sequence[str] | None, form: Mapping[str, object] | None
) -> Answer | None:
    """What a person answered, by what Airflow keeps of it; None where nobody did (Airflow or we let the task go).

    Airflow's form lets any text pass as a reason, our database does not.
    """
    if not user:
        return None
    choice = Decision.APPROVED if list(options or ()) == [APPROVE_OPTION] else Decision.REJECTED
    reason = str((form or {}).get("reason") or "").replace("\x00", "")[:MOST_OF_REASON]
    return Answer(choice, user["name"], user["id"], at, reason or None)
