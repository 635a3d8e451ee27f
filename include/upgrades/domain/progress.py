"""How far an execution is (contract section 6, ``progress``)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from include.upgrades.domain.batch import Batch
from include.upgrades.domain.execution import Execution
from include.upgrades.domain.instance import Instance, InstanceStatus


@dataclass(frozen=True, slots=True)
class Progress:
    """Counts of instances, the batch that is worked on, and when it will be over; ``percentage`` is 0 to 100."""

    percentage: int
    total: int
    pending: int
    in_flight: int
    completed: int
    failed: int
    rolled_back: int
    current_batch: int
    total_batches: int
    estimated_completion_at: datetime | None


def progress_of(
    execution: Execution,
    instances: Sequence[Instance],
    batches: Sequence[Batch],
    estimated_seconds: int,
    now: datetime,
) -> Progress:
    """The progress at ``now``; the estimate follows the plan until a tenth is done, then the pace so far."""
    counts = Counter(each.status for each in instances)
    completed, total = counts[InstanceStatus.COMPLETED], len(instances)
    begun = [each.number for each in batches if each.started_at is not None]
    return Progress(
        percentage=completed * 100 // total if total else 0,
        total=total,
        pending=counts[InstanceStatus.PENDING],
        in_flight=sum(each.in_flight for each in instances),
        completed=completed,
        failed=counts[InstanceStatus.FAILED],
        rolled_back=counts[InstanceStatus.ROLLED_BACK],
        current_batch=max(begun, default=0),
        total_batches=len(batches),
        estimated_completion_at=_estimate(execution, completed, total, estimated_seconds, now),
    )


def _estimate(
    execution: Execution, completed: int, total: int, estimated_seconds: int, now: datetime
) -> datetime | None:
    if execution.started_at is None or execution.is_terminal or execution.paused_at is not None:
        return None
    paused = timedelta(seconds=execution.paused_seconds)
    if completed * 10 < total:
        return max(now, execution.started_at + paused + timedelta(seconds=estimated_seconds))
    worked = now - execution.started_at - paused
    return now + worked * (total - completed) / max(1, completed)
