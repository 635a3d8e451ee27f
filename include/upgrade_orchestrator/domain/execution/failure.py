"""Sets an execution to FAILED from any active status, by allowed transitions only (specification section 3)."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from upgrade_orchestrator.domain.execution.commands import Actor
from upgrade_orchestrator.domain.execution.events import Event
from upgrade_orchestrator.domain.execution.execution import Execution, advance
from upgrade_orchestrator.domain.execution.states import ExecutionStatus

S = ExecutionStatus

_FIRST: dict[ExecutionStatus, ExecutionStatus] = {S.PAUSED: S.IN_PROGRESS, S.CANARY_MONITORING: S.IN_PROGRESS}
"The status to pass through where no transition leads to FAILED directly."


def fail_from_anywhere(execution: Execution, reason: str, actor: Actor, now: datetime) -> tuple[Execution, list[Event]]:
    """The execution in FAILED with ``reason``; for a rollback that fails, ``failure_phase`` is ROLLBACK.

    :raises InvalidState: it was never started or has ended already.
    """
    events, phase = [], "ROLLBACK" if execution.status is S.ROLLING_BACK else execution.failure_phase
    if first := _FIRST.get(execution.status):
        execution, event = advance(execution, first, reason, actor, now)
        events.append(event)
    execution, event = advance(execution, S.FAILED, reason, actor, now)
    return replace(execution, failure_phase=phase), [*events, event]
