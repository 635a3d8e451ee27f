"""ExecutionStatistics in one statement: the database counts, however many executions there are."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sqlalchemy import ColumnElement, Float, RowMapping, Select, cast, extract, func, select

from include.upgrades.adapters.postgres import tables
from include.upgrades.domain.execution import Strategy
from include.upgrades.domain.states import TERMINAL, ExecutionStatus
from include.upgrades.domain.statistics import NOT_SUCCESSFUL, Figures, Statistics

E = tables.execution.c
_COMPLETED = E.status == ExecutionStatus.COMPLETED
_SECONDS = func.greatest(cast(extract("epoch", E.completed_at - E.started_at), Float), 0.0)
"How long it took; a clock that was set back in between makes it 0, not less."


def statistics_query(component_id: str) -> Select[Any]:
    """A row for each strategy that occurs, and one without a strategy for all of them, also when there are none."""
    return (
        select(
            E.strategy,
            func.count().label("total_executions"),
            _count(_COMPLETED, "successful_executions"),
            _count(E.status.in_(sorted(NOT_SUCCESSFUL)), "failed_executions"),
            _count(E.status == ExecutionStatus.CANCELLED, "cancelled_executions"),
            _count(E.status.not_in(sorted(TERMINAL)), "active_executions"),
            _of_completed(func.avg(_SECONDS), "average_duration_seconds"),
            _of_completed(func.percentile_cont(0.5).within_group(_SECONDS), "p50_duration_seconds"),
            _of_completed(func.percentile_cont(0.95).within_group(_SECONDS), "p95_duration_seconds"),
            _of_completed(func.avg(E.paused_seconds), "average_paused_seconds"),
        )
        .where(E.component_id == component_id)
        .group_by(func.rollup(E.strategy))
    )


def _count(which: ColumnElement[bool], name: str) -> ColumnElement[Any]:
    return func.count().filter(which).label(name)


def _of_completed(aggregate: Any, name: str) -> ColumnElement[Any]:
    return func.coalesce(aggregate.filter(_COMPLETED), 0.0).label(name)


def statistics_from(component_id: str, found: Iterable[RowMapping]) -> Statistics:
    """The rows of ``statistics_query``."""
    figures = {row["strategy"]: _figures(row) for row in found}
    overall = figures.pop(None)
    return Statistics(component_id, overall, {Strategy(name): each for name, each in sorted(figures.items())})


def _figures(row: RowMapping) -> Figures:
    return Figures(**{name: value for name, value in row.items() if name != "strategy"})
