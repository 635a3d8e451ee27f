"""The board in PostgreSQL (port ``Board``): pages by keyset over the ids, UUIDv7, which grow with time."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from sqlalchemy import ColumnElement, Select, any_, exists, func, or_, select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from upgrade_orchestrator.adapters.postgres.executions.overviews import OVERVIEW, overview_from
from upgrade_orchestrator.adapters.postgres.schema import tables
from upgrade_orchestrator.domain.approval.approval import WAITS_IN
from upgrade_orchestrator.domain.execution.states import TERMINAL, ExecutionStatus
from upgrade_orchestrator.service.ports.stores.board import BoardFilter, Counts, Group
from upgrade_orchestrator.service.ports.stores.overviews import Overview

E, A = tables.execution.c, tables.approval.c
_ENDED_WITHIN = timedelta(days=1)
_SEARCHED = (E.id, E.tenant_id, E.component_id, E.from_version, E.to_version, E.created_by)
_WAITS = exists(select(A.stage).where(A.execution_id == E.id, A.decision.is_(None)))
# every unfinished execution holds its active slot, so the small index of taken slots finds it
_UNFINISHED = (E.settled_at.is_(None), E.status.not_in(TERMINAL))
_AWAITING = (E.settled_at.is_(None), E.status.in_(WAITS_IN))
# an equality, since PostgreSQL expects few rows of it and then reads the taken slots, not all executions by id
_STUCK = (E.settled_at.is_(None), func.jsonb_typeof(E.attention) == "object")
_INDEXED = text("execution.status <> 'PENDING'")
"The condition of the partial index over ends, as literal text: with a parameter the index would not be used."


class PostgresBoard:
    """Uses the unit of work's connection; every method is one statement."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def page(self, wanted: BoardFilter) -> Sequence[Overview]:
        """Selects the ids first and reads the details only of those."""
        found = (await self._connection.execute(page_query(wanted))).mappings()
        return [overview_from(row) for row in found]

    async def counts(self, tenants: frozenset[str] | None) -> Counts:
        """Uses the index of unfinished executions and the one of end times."""
        rows = (await self._connection.execute(counts_query(tenants))).all()
        found = {ExecutionStatus(row.status): row.number for row in rows}
        active = {status: number for status, number in found.items() if status not in TERMINAL}
        ended = {status: number for status, number in found.items() if status in TERMINAL}
        return Counts(active, ended, *((rows[0].awaiting, rows[0].attention) if rows else (0, 0)))

    async def tenants(self) -> frozenset[str]:
        """Read from the deployments: every execution has one."""
        found = await self._connection.execute(select(tables.deployment.c.tenant_id).distinct())
        return frozenset(found.scalars())


def page_query(wanted: BoardFilter) -> Select[Any]:
    """The statement of a page. It passes an array of ids: a join would be planned as a sort of all executions."""
    chosen = select(E.id).where(*_conditions(wanted)).order_by(E.id.desc()).limit(wanted.limit)
    ids = func.array(chosen.correlate(None).scalar_subquery())
    return OVERVIEW.where(E.id == any_(ids)).order_by(E.id.desc())


def counts_query(tenants: frozenset[str] | None) -> Select[Any]:
    """The statement of the counts."""
    counted, narrowed = (E.status, func.count().label("number")), _of_tenants(tenants)
    unfinished = select(*counted).where(*_UNFINISHED, *narrowed).group_by(E.status)
    recent = E.completed_at > func.now() - _ENDED_WITHIN
    ended = select(*counted).where(_INDEXED, E.status.in_(TERMINAL), recent, *narrowed).group_by(E.status)
    both = unfinished.union_all(ended).subquery()
    joined = tables.execution.join(tables.approval, A.execution_id == E.id)
    waits = select(func.count()).select_from(joined).where(*_AWAITING, A.decision.is_(None), *narrowed)
    stuck = select(func.count()).select_from(tables.execution).where(*_STUCK, *narrowed)
    return select(both, waits.scalar_subquery().label("awaiting"), stuck.scalar_subquery().label("attention"))


def _of_tenants(tenants: frozenset[str] | None) -> list[ColumnElement[bool]]:
    return [] if tenants is None else [E.tenant_id.in_(sorted(tenants))]


def _conditions(wanted: BoardFilter) -> list[ColumnElement[bool]]:
    exact = {E.component_id: wanted.component_id, E.strategy: wanted.strategy}
    found = [column == value for column, value in exact.items() if value is not None]
    found += [*_of_tenants(wanted.tenants), *_status_conditions(wanted.status)]
    if wanted.text:
        found.append(or_(*(column.icontains(wanted.text, autoescape=True) for column in _texts())))
    if wanted.after is not None:
        found.append(E.id < wanted.after)
    return found


def _texts() -> list[ColumnElement[str]]:
    return [*_SEARCHED, func.coalesce(E.request["initiated_by"].astext, "")]


def _status_conditions(status: ExecutionStatus | Group | None) -> list[ColumnElement[bool]]:
    if status is None:
        return []
    if status is Group.AWAITING_APPROVAL:
        return [*_AWAITING, _WAITS]
    if status is Group.NEEDS_ATTENTION:
        return list(_STUCK)
    if status is Group.ACTIVE:
        return list(_UNFINISHED)
    holds_slot = [] if status in TERMINAL else [E.settled_at.is_(None)]
    return [*holds_slot, E.status == status]
