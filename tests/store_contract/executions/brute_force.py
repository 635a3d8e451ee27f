"""The figures of executions, computed directly from the specification."""

from dataclasses import asdict
from math import floor
from statistics import fmean

import pytest

from upgrade_orchestrator.domain.execution.execution import Execution
from upgrade_orchestrator.domain.execution.states import TERMINAL, ExecutionStatus
from upgrade_orchestrator.domain.operations.statistics import Figures

S = ExecutionStatus


def brute_force(executions: list[Execution]) -> Figures:
    """The figures by the definitions of the specification."""
    of = [each.status for each in executions]
    took = sorted(_seconds(each) for each in executions if each.status is S.COMPLETED)
    paused = [each.paused_seconds for each in executions if each.status is S.COMPLETED]
    return Figures(
        total_executions=len(of),
        successful_executions=of.count(S.COMPLETED),
        failed_executions=of.count(S.FAILED) + of.count(S.ROLLED_BACK),
        cancelled_executions=of.count(S.CANCELLED),
        active_executions=sum(each not in TERMINAL for each in of),
        average_duration_seconds=fmean(took) if took else 0.0,
        p50_duration_seconds=_percentile(took, 0.5),
        p95_duration_seconds=_percentile(took, 0.95),
        average_paused_seconds=fmean(paused) if paused else 0.0,
    )


def _seconds(execution: Execution) -> float:
    assert execution.started_at is not None
    assert execution.completed_at is not None
    return max(0.0, (execution.completed_at - execution.started_at).total_seconds())


def _percentile(rising: list[float], part: float) -> float:
    """Linear interpolation between the two nearest ranks."""
    if not rising:
        return 0.0
    rank = (len(rising) - 1) * part
    low = floor(rank)
    high = min(low + 1, len(rising) - 1)
    return rising[low] + (rising[high] - rising[low]) * (rank - low)


def same(found: Figures, wanted: Figures) -> bool:
    return asdict(found) == pytest.approx(asdict(wanted), abs=1e-6)
