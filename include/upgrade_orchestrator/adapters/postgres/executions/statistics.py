"""Statistics in one statement: the database does the counting."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, date, datetime, time
from typing import Any

from sqlalchemy import ColumnElement, Float, RowMapping, Select, cast, extract, func, literal_column, select, tuple_

from upgrade_orchestrator.adapters.postgres.schema import tables
from upgrade_orchestrator.domain.execution.execution import Strategy
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

E = tables.execution.c
_COMPLETED = E.status == ExecutionStatus.COMPLETED
_SECONDS = func.greatest(cast(extract("epoch", E.completed_at - E.started_at), Float), 0.0)
"The duration; 0 if the clock was set back in between."
_WEEK: ColumnElement[datetime] = literal_column("date_trunc('week', execution.completed_at AT TIME ZONE 'UTC')")
"The Monday. Literal text, so that PostgreSQL recognises it as the expression that is grouped by."


def statistics_query(component_id: str) -> Select[Any]:
    """A row for each strategy that occurs, and always one without a strategy for the total."""
    return select(E.strategy, *_figures_of()).where(E.component_id == component_id).group_by(func.rollup(E.strategy))


def history_query(of: HistoryOf, since: date) -> Select[Any]:
    """A row for the total, for each strategy and for each week, of executions that ended since then."""
    query = select(E.strategy, _WEEK.label("week"), *_figures_of()).where(
        E.completed_at >= datetime.combine(since, time(), UTC)
    )
    asked = {E.component_id: of.component_id, E.tenant_id: of.tenant_id}
    query = query.where(*(column == value for column, value in asked.items() if value is not None))
    return query.group_by(func.grouping_sets(tuple_(), tuple_(E.strategy), tuple_(_WEEK)))


def _figures_of() -> tuple[ColumnElement[Any], ...]:
    return (
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


def _count(which: ColumnElement[bool], name: str) -> ColumnElement[Any]:
    return func.count().filter(which).label(name)


def _of_completed(aggregate: Any, name: str) -> ColumnElement[Any]:
    return func.coalesce(aggregate.filter(_COMPLETED), 0.0).label(name)


def statistics_from(component_id: str, found: Iterable[RowMapping]) -> Statistics:
    """Build the statistics from the rows of ``statistics_query``."""
    figures = {row["strategy"]: _figures(row) for row in found}
    overall = figures.pop(None)
    return Statistics(component_id, overall, {Strategy(name): each for name, each in sorted(figures.items())})


def history_from(since: date, until: date, found: Iterable[RowMapping]) -> History:
    """Build the history from the rows of ``history_query``; weeks in which nothing ended are included."""
    figures = {(row["strategy"], row["week"] and row["week"].date()): _figures(row) for row in found}
    by_strategy = {Strategy(name): each for (name, _), each in sorted(figures.items(), key=str) if name}
    weeks = [Week(begins, figures.get((None, begins), Figures())) for begins in mondays(since, until)]
    return History(figures[None, None], by_strategy, weeks)


def _figures(row: RowMapping) -> Figures:
    return Figures(**{name: value for name, value in row.items() if name not in ("strategy", "week")})
