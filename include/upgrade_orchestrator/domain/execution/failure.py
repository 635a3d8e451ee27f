"""How an execution fails from wherever it is, in legal steps (contract section 3)."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from upgrade_orchestrator.domain.execution.commands import Actor
from upgrade_orchestrator.domain.execution.events import Event
from upgrade_orchestrator.domain.execution.execution import Execution, advance
from upgrade_orchestrator.domain.execution.states import ExecutionStatus

S = ExecutionStatus

_FIRST: dict[ExecutionStatus, ExecutionStatus] = {S.PAUSED: S.IN_PROGRESS, S.CANARY_MONITORING: S.IN_PROGRESS}
"The step before FAILED where none leads there directly."


def fail_from_anywhere(execution: Execution, reason: str, actor: Actor, now: datetime) -> tuple[Execution, list[Event]]:
    """FAILED with ``reason``; a rollback that fails says that it was one.

    :raises InvalidState: when it was never started or has ended already.
    """
    told, phase = [], "ROLLBACK" if execution.status is S.ROLLING_BACK else execution.failure_phase
    if first := _FIRST.get(execution.status):
        execution, event = advance(execution, first, reason, actor, now)
        told.append(event)
    execution, event = advance(execution, S.FAILED, reason, actor, now)
    return replace(execution, failure_phase=phase), [*told, event]
