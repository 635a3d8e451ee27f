"""Pages of lists (specification section 1): limit, cursor and ``{"items", "nextCursor"}``."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Annotated, Generic, TypeVar

from pydantic import Field, StringConstraints

from upgrade_orchestrator.domain.execution.execution import Strategy
from upgrade_orchestrator.domain.execution.states import ExecutionStatus
from upgrade_orchestrator.schemas.base import BIGGEST, Id, Query, ResponseBody, TimeIn

A = TypeVar("A", bound=ResponseBody)
R = TypeVar("R")

Cursor = Annotated[str, StringConstraints(min_length=1, max_length=512)]


class PageQuery(Query):
    """The parameters of every list: page size and cursor."""

    limit: Annotated[int, Field(ge=1, le=200)] = 50
    cursor: Cursor | None = None


class ExecutionsQuery(PageQuery):
    """The list of executions and its filters."""

    status: ExecutionStatus | None = None
    component_id: Id | None = None
    strategy: Strategy | None = None
    since: TimeIn | None = None


class EventsQuery(PageQuery):
    """The event log: ``after`` is the sequence of the last event seen."""

    after: Annotated[int, Field(ge=0, le=BIGGEST)] | None = None


class PathsQuery(PageQuery):
    """The list of upgrade paths and its filter."""

    component_id: Id | None = None


class Page(ResponseBody, Generic[A]):
    """A page of items and the cursor of the next page, null after the last."""

    items: list[A]
    next_cursor: str | None = None


def page_of(rows: Sequence[R], limit: int, shown: Callable[[R], A], cursor: Callable[[R], str]) -> Page[A]:
    """The page from ``rows``, which has one row more than ``limit`` if there is a next page."""
    kept = rows[:limit]
    return Page(items=[shown(row) for row in kept], next_cursor=cursor(kept[-1]) if len(rows) > limit else None)
