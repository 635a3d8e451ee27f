"""What the tasks of a stage are called in Airflow: the flow names them so, and the API server finds them again."""

from __future__ import annotations


def stage_group(stage: int) -> str:
    """The task group of a stage."""
    return f"stage_{stage:02d}"


APPROVE = "approve"
"The task within the group that asks."


def approve_task(stage: int) -> str:
    """The id of the task that asks before a stage."""
    return f"{stage_group(stage)}.{APPROVE}"
