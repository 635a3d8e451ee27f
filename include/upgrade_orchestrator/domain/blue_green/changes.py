"""What the steps of a cutover and of its reversal write: rows, counters, status and events (sections 4 and 10)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from upgrade_orchestrator.domain.blue_green.actions import (
    Change,
    GiveUp,
    MarkRolledBack,
    PoolAction,
    RecordUnhealthy,
    SaveBatch,
)
from upgrade_orchestrator.domain.events import factory
from upgrade_orchestrator.domain.execution.commands import SYSTEM
from upgrade_orchestrator.domain.execution.events import Event
from upgrade_orchestrator.domain.execution.execution import Execution, advance
from upgrade_orchestrator.domain.execution.states import ExecutionStatus
from upgrade_orchestrator.domain.instance.instance import Instance, InstanceStatus, move
from upgrade_orchestrator.domain.instance.names import named
from upgrade_orchestrator.domain.instance.rollback import is_touched
from upgrade_orchestrator.domain.lifecycle.failures import reason_of, threshold_reached
from upgrade_orchestrator.domain.lifecycle.rollback_start import begin_rollback
from upgrade_orchestrator.domain.plan.batch import Phase

I = InstanceStatus  # noqa: E741 - as in instance.py


def record_cutover(step: PoolAction, execution: Execution, rows: Sequence[Instance], now: datetime) -> Change:
    """What a step of the cutover writes at ``now``."""
    match step:
        case SaveBatch(batch):
            return Change(execution, batch, _polled(rows, {}, now) if batch.phase is Phase.RETIRE else ())
        case RecordUnhealthy():
            return _note_unhealthy(step, execution, rows, now)
        case GiveUp(phase, reason):
            moved, events = _end(execution, phase, reason, now)
            return Change(moved, events=events)
    return Change(execution)


def _note_unhealthy(step: RecordUnhealthy, execution: Execution, rows: Sequence[Instance], now: datetime) -> Change:
    """Each instance counts as one failure; at the threshold the execution rolls back or is FAILED."""
    first = sum(each.instance_id in step.unhealthy and each.attempts == 1 and each.error is None for each in rows)
    counted = replace(execution, current_failures=execution.current_failures + first)
    after = _polled(rows, step.unhealthy, now)
    fell = {each.instance_id: each for each in rows if each.healthy is not False}
    events = [factory.instance_changed(fell[each.instance_id], each) for each in after if each.instance_id in fell]
    why, ends = step.too_late, list[Event]()
    if first and threshold_reached(counted):
        why = f"{reason_of(counted)}; unhealthy during the soak: {named(step.unhealthy.values(), '; ')}"
    if why is not None:
        counted, ends = _end(counted, Phase.SOAK, why, now)
    return Change(counted, step.batch, after, [*events, *ends])


def _polled(rows: Sequence[Instance], unhealthy: Mapping[str, str], now: datetime) -> list[Instance]:
    """The rows whose health has changed; the last problem stays in the row."""
    return [
        replace(
            each,
            healthy=each.instance_id not in unhealthy,
            last_health_at=now,
            error=unhealthy.get(each.instance_id, each.error),
        )
        for each in rows
        if each.instance_id in unhealthy or each.healthy is False
    ]


def _end(execution: Execution, phase: str, reason: str, now: datetime) -> tuple[Execution, list[Event]]:
    """ROLLING_BACK with automatic rollback, else FAILED. After the soak (RETIRE) there is no automatic rollback."""
    if execution.request.auto_rollback_enabled and phase != Phase.RETIRE:
        return begin_rollback(execution, reason, SYSTEM, now)
    ended, event = advance(execution, ExecutionStatus.FAILED, reason, SYSTEM, now)
    return replace(ended, failure_phase=phase), [event]


def record_revert(step: PoolAction, execution: Execution, rows: Sequence[Instance], now: datetime) -> Change:
    """What a step of the reversal writes at ``now``; the execution's status is decided later, from the rows."""
    match step:
        case MarkRolledBack(healthy):
            after = [_taken_back(each, healthy, now) for each in rows]
        case GiveUp(_, reason) if execution.status is ExecutionStatus.ROLLING_BACK:
            after = [_left(each, reason) for each in rows]
        case GiveUp(_, reason):
            after = [move(each, I.FAILED, now, reason) if each.in_flight else each for each in rows]
        case _:
            return Change(execution)
    changed = [(was, row) for was, row in zip(rows, after, strict=True) if row != was]
    return Change(execution, rows=[row for _, row in changed], events=_events_of(execution, changed, after))


def _taken_back(row: Instance, healthy: Mapping[str, bool], now: datetime) -> Instance:
    if row.status in (I.PENDING, I.ROLLED_BACK):
        return row
    if not is_touched(row):
        return move(row, I.PENDING, now)  # no order for it was sent
    well = healthy.get(row.instance_id, True)
    return replace(move(row, I.ROLLED_BACK, now), revert=I.COMPLETED, healthy=well)


def _left(row: Instance, reason: str) -> Instance:
    """The row of an instance that could not be reverted: no runner works on it any more."""
    return replace(row, revert=I.FAILED, error=reason) if row.status in _TOUCHED_BY_IT else row


_TOUCHED_BY_IT = frozenset(I) - {I.PENDING, I.ROLLED_BACK}


def _events_of(
    execution: Execution, changed: Iterable[tuple[Instance, Instance]], after: Sequence[Instance]
) -> list[Event]:
    events = [factory.instance_changed(was, row) for was, row in changed]
    return [*events, factory.progress(after, execution.attention)] if events else []
