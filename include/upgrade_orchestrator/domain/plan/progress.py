"""The progress of an execution (specification section 6, ``progress``)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from upgrade_orchestrator.domain.execution.execution import Execution
from upgrade_orchestrator.domain.execution.states import ExecutionStatus
from upgrade_orchestrator.domain.instance.instance import InstanceStatus, is_in_flight


@dataclass(frozen=True, slots=True)
class Progress:
    """Counts of instances, the current batch, and the estimated end; ``percentage`` is 0 to 100.

    ``estimated_completion_at`` is None while something keeps the execution from going on; it is in the past when the
    upgrade takes longer than estimated.
    """

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


@dataclass(frozen=True, slots=True)
class Tally:
    """The number of instances by status; ``current_batch`` is the last one begun, 0 before the first."""

    counts: Counter[InstanceStatus]
    in_flight: int
    current_batch: int
    total_batches: int

    @classmethod
    def of(
        cls, groups: Iterable[tuple[InstanceStatus, InstanceStatus | None, int]], current_batch: int, total_batches: int
    ) -> Tally:
        """From rows of (status, status in the rollback, number of instances)."""
        counts, in_flight = Counter[InstanceStatus](), 0
        for status, revert, number in groups:
            counts[status] += number
            in_flight += number if is_in_flight(status, revert) else 0
        return cls(counts, in_flight, current_batch, total_batches)


def progress_of(execution: Execution, tally: Tally, estimated_seconds: int, now: datetime) -> Progress:
    """The progress at ``now``; until a tenth is done the estimate is the plan's, then it follows the pace so far."""
    counts = tally.counts
    completed, total = counts[InstanceStatus.COMPLETED], counts.total()
    done = execution.status is ExecutionStatus.COMPLETED  # also when instances are gone
    return Progress(
        percentage=100 if done else completed * 100 // total if total else 0,
        total=total,
        pending=counts[InstanceStatus.PENDING],
        in_flight=tally.in_flight,
        completed=completed,
        failed=counts[InstanceStatus.FAILED],
        rolled_back=counts[InstanceStatus.ROLLED_BACK],
        current_batch=tally.current_batch,
        total_batches=tally.total_batches,
        estimated_completion_at=_estimate(execution, completed, total, estimated_seconds, now),
    )


def _estimate(
    execution: Execution, completed: int, total: int, estimated_seconds: int, now: datetime
) -> datetime | None:
    if execution.started_at is None or execution.is_terminal or execution.paused_at is not None:
        return None
    if execution.attention is not None:
        return None
    paused = timedelta(seconds=execution.paused_seconds)
    if completed * 10 < total:
        return execution.started_at + paused + timedelta(seconds=estimated_seconds)
    worked = now - execution.started_at - paused
    return now + worked * (total - completed) / max(1, completed)
