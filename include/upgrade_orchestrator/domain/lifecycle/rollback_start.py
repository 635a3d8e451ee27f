"""How a rollback begins: from wherever the contract takes one, in legal steps (sections 3 and 4)."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from upgrade_orchestrator.domain.events.payloads import RollbackStarted
from upgrade_orchestrator.domain.execution.commands import Actor, Command, require_allowed
from upgrade_orchestrator.domain.execution.events import Event
from upgrade_orchestrator.domain.execution.execution import Execution, RollbackInfo, advance
from upgrade_orchestrator.domain.execution.states import ExecutionStatus

S = ExecutionStatus

_FIRST: dict[ExecutionStatus, ExecutionStatus] = {S.PAUSED: S.IN_PROGRESS, S.CANARY_RUNNING: S.CANARY_MONITORING}
"The step before ROLLING_BACK where none leads there directly."


def begin_rollback(execution: Execution, reason: str, actor: Actor, now: datetime) -> tuple[Execution, list[Event]]:
    """ROLLING_BACK with its reason, time and who or what asked for it.

    :raises InvalidState: from a status that takes no rollback; a rollback is never rolled back.
    """
    require_allowed(Command.ROLLBACK, execution.status)
    told = []
    if first := _FIRST.get(execution.status):
        execution, event = advance(execution, first, reason, actor, now)
        told.append(event)
    execution, event = advance(execution, S.ROLLING_BACK, reason, actor, now)
    info = RollbackInfo(reason=reason, initiated_at=now, initiated_by=actor.name)
    started = Event.of(RollbackStarted(reason=reason, initiated_by=actor.name))
    return replace(execution, rollback=info), [*told, event, started]
