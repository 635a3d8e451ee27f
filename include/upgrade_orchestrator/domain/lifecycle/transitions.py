"""The effect of the commands pause, resume and cancel on an execution and its batches (specification section 3)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from upgrade_orchestrator.domain.execution.commands import Actor, Command, require_allowed
from upgrade_orchestrator.domain.execution.events import Event
from upgrade_orchestrator.domain.execution.execution import Execution, advance
from upgrade_orchestrator.domain.execution.states import ExecutionStatus
from upgrade_orchestrator.domain.instance.fleet import named_version
from upgrade_orchestrator.domain.instance.instance import Instance, InstanceStatus
from upgrade_orchestrator.domain.plan.batch import Batch

Moved = tuple[Execution, list[Event]]


def pause(execution: Execution, reason: str | None, actor: Actor, now: datetime) -> Moved:
    """Pause the execution.

    :raises InvalidState: its status cannot be paused.
    """
    require_allowed(Command.PAUSE, execution.status)
    moved, event = advance(execution, ExecutionStatus.PAUSED, reason or f"paused by {actor.name}", actor, now)
    return moved, [event]


def resume(execution: Execution, reason: str | None, actor: Actor, now: datetime) -> Moved:
    """Return the execution to the status in which the pause began.

    :raises InvalidState: it is not PAUSED.
    """
    require_allowed(Command.RESUME, execution.status)
    back = execution.paused_from or ExecutionStatus.IN_PROGRESS
    moved, event = advance(execution, back, reason or f"resumed by {actor.name}", actor, now)
    return moved, [event]


def shift_due_times(batches: Sequence[Batch], paused_at: datetime, now: datetime) -> list[Batch]:
    """The batches whose delay was not over when the pause began, with their due time moved by its length."""
    by = max(now - paused_at, timedelta())
    waiting = [(each, each.due_at) for each in batches if each.completed_at is None]
    return [replace(each, due_at=due + by) for each, due in waiting if due is not None and due > paused_at]


def cancel(
    execution: Execution, instances: Sequence[Instance], reason: str | None, actor: Actor, now: datetime
) -> Moved:
    """Cancel the execution; the reason says how many instances are on which version.

    :raises InvalidState: it is terminal.
    """
    require_allowed(Command.CANCEL, execution.status)
    why = f"{reason or f'cancelled by {actor.name}'}; {count_by_version(instances)}"
    moved, event = advance(execution, ExecutionStatus.CANCELLED, why, actor, now)
    return moved, [event]


def count_by_version(instances: Sequence[Instance]) -> str:
    """The number of instances on each version, failed, and in flight, in words."""
    counts = Counter(_where(each) for each in instances)
    return ", ".join(f"{count} {where}" for where, count in sorted(counts.items()))


def _where(instance: Instance) -> str:
    if instance.gone:
        return "gone"
    if instance.in_flight:
        return "in flight"
    if instance.status is InstanceStatus.FAILED:
        return "failed"
    there = instance.status is InstanceStatus.COMPLETED
    return f"on {instance.to_version if there else named_version(instance.from_version)}"
