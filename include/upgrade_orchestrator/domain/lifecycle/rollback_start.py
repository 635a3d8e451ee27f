"""Begins a rollback from any status that allows one, by allowed transitions only (specification sections 3 and 4)."""

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
"The status to pass through where no transition leads to ROLLING_BACK directly."


def begin_rollback(execution: Execution, reason: str, actor: Actor, now: datetime) -> tuple[Execution, list[Event]]:
    """The execution in ROLLING_BACK, with the rollback's reason, time and initiator.

    :raises InvalidState: the status allows no rollback; a rollback is never rolled back.
    """
    require_allowed(Command.ROLLBACK, execution.status)
    events = []
    if first := _FIRST.get(execution.status):
        execution, event = advance(execution, first, reason, actor, now)
        events.append(event)
    execution, event = advance(execution, S.ROLLING_BACK, reason, actor, now)
    info = RollbackInfo(reason=reason, initiated_at=now, initiated_by=actor.name)
    started = RollbackStarted(reason=reason, initiated_by=actor.name)
    return replace(execution, rollback=info), [*events, event, started]
