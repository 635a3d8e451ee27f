"""Clocks stop while nobody looks: a time-out counts only the time in which somebody watched (docs/adr/0016).

Nothing began in the future: where the database's clock was set back, what seems to have begun later begins now, so a
time-out is at most as long again.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from upgrade_orchestrator.domain.instance.instance import Instance
from upgrade_orchestrator.domain.plan.batch import Batch
from upgrade_orchestrator.domain.plan.plan import BatchKind


def excuse(instance: Instance, by: timedelta, now: datetime) -> Instance:
    """The instance with the clocks of its step and its soak pushed out ``by`` so much, not beyond ``now``."""
    if not instance.in_flight:
        return instance
    return replace(
        instance,
        step_started_at=_later(instance.step_started_at, by, now),
        healthy_since=_later(instance.healthy_since, by, now),
    )


def excuse_batch(batch: Batch, soak: timedelta, by: timedelta, now: datetime) -> Batch:
    """The batch with the clocks of its waits pushed out; its delay is none of them: it is over when it is over.

    What is left of a pool's soak is left afterwards too, but never more than all of it.
    """
    if batch.completed_at is not None and batch.kind != BatchKind.GREEN:
        return batch
    blocked = replace(batch, blocked_since=_later(batch.blocked_since, by, now))
    if batch.switched_at is None or batch.soaked_at is not None:
        return blocked
    due = None if batch.due_at is None else min(batch.due_at + by, now + soak)
    return replace(blocked, switched_at=_later(batch.switched_at, by, now), due_at=due)


def _later(moment: datetime | None, by: timedelta, now: datetime) -> datetime | None:
    return None if moment is None else min(moment + by, now)
