"""Resumes a paused execution, for a command over REST as well as for a DAG that was unpaused in Airflow."""

from __future__ import annotations

from datetime import datetime

from upgrade_orchestrator.domain.execution.commands import Actor
from upgrade_orchestrator.domain.execution.execution import Execution
from upgrade_orchestrator.domain.lifecycle import transitions
from upgrade_orchestrator.domain.lifecycle.failures import apply_threshold
from upgrade_orchestrator.domain.lifecycle.transitions import Moved
from upgrade_orchestrator.service.ports.unit_of_work import UnitOfWork


async def resume_in(work: UnitOfWork, execution: Execution, reason: str | None, actor: Actor, now: datetime) -> Moved:
    """The resumed execution (not saved yet); the due times of its batches are moved by the length of the pause.

    :raises InvalidState: it is not PAUSED.
    """
    moved, events = transitions.resume(execution, reason, actor, now)
    if execution.paused_at is not None:
        for batch in transitions.shift_due_times(await work.executions.batches(execution.id), execution.paused_at, now):
            await work.executions.save_batch(execution.id, batch)
    counted, more = apply_threshold(moved, now)  # instances in flight may have failed during the pause
    return counted, [*events, *more]
