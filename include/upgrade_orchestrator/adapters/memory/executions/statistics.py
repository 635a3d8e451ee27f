"""Statistics in memory, computed from all executions."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, date, datetime, time, timedelta
from math import floor
from statistics import fmean

from upgrade_orchestrator.domain.execution.execution import Execution, Strategy
from upgrade_orchestrator.domain.execution.states import TERMINAL, ExecutionStatus
from upgrade_orchestrator.domain.operations.statistics import (
    NOT_SUCCESSFUL,
    Figures,
    History,
    HistoryOf,
    Statistics,
    Week,
    mondays,
)


def statistics_of(component_id: str, executions: Iterable[Execution]) -> Statistics:
    """The statistics of a component over all tenants."""
    found = [each for each in executions if each.request.component_id == component_id]
    return Statistics(component_id, _figures(found), _by_strategy(found))


def history_of(of: HistoryOf, since: date, until: date, executions: Iterable[Execution]) -> History:
    """The history of executions that ended since then; weeks in which none ended are included."""
    begin = datetime.combine(since, time(), UTC)
    found = [(each, each.completed_at) for each in executions if _is_of(each, of)]
    ended = [(each, at) for each, at in found if at is not None and at >= begin]
    weeks = [
        Week(monday, _figures([each for each, at in ended if _monday_of(at) == monday]))
        for monday in mondays(since, until)
    ]
    every = [each for each, _ in ended]
    return History(_figures(every), _by_strategy(every), weeks)


def _is_of(execution: Execution, of: HistoryOf) -> bool:
    of_component = of.component_id in (None, execution.request.component_id)
    return of_component and of.tenant_id in (None, execution.tenant_id)


def _monday_of(ended: datetime) -> date:
    day = ended.astimezone(UTC).date()
    return day - timedelta(days=day.weekday())


def _by_strategy(executions: Sequence[Execution]) -> dict[Strategy, Figures]:
    occurring = sorted({each.request.strategy for each in executions})
    return {name: _figures([each for each in executions if each.request.strategy is name]) for name in occurring}


def _figures(executions: Sequence[Execution]) -> Figures:
    def number(fits: Callable[[ExecutionStatus], bool]) -> int:
        return sum(fits(each.status) for each in executions)

    completed = [each for each in executions if each.status is ExecutionStatus.COMPLETED]
    took = sorted(_seconds(each) for each in completed)
    return Figures(
        total_executions=len(executions),
        successful_executions=len(completed),
        failed_executions=number(lambda status: status in NOT_SUCCESSFUL),
        cancelled_executions=number(lambda status: status is ExecutionStatus.CANCELLED),
        active_executions=number(lambda status: status not in TERMINAL),
        average_duration_seconds=fmean(took) if took else 0.0,
        p50_duration_seconds=_percentile(took, 0.5),
        p95_duration_seconds=_percentile(took, 0.95),
        average_paused_seconds=fmean(each.paused_seconds for each in completed) if completed else 0.0,
    )


def _seconds(execution: Execution) -> float:
    """The duration; 0 if the clock was set back in between."""
    if execution.started_at is None or execution.completed_at is None:
        return 0.0
    return max(0.0, (execution.completed_at - execution.started_at).total_seconds())


def _percentile(rising: Sequence[float], part: float) -> float:
    """Linear interpolation between the two nearest ranks."""
    if not rising:
        return 0.0
    rank = (len(rising) - 1) * part
    low, high = rising[floor(rank)], rising[min(floor(rank) + 1, len(rising) - 1)]
    return low + (high - low) * (rank - floor(rank))
