"""Executions as the API and the pages show them, in PostgreSQL (port ``Overviews``); the database does the counting."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import (
    ColumnElement,
    FromClause,
    Integer,
    RowMapping,
    Select,
    bindparam,
    func,
    literal_column,
    select,
    true,
    tuple_,
    type_coerce,
)
from sqlalchemy.dialects.postgresql import JSONB, aggregate_order_by
from sqlalchemy.ext.asyncio import AsyncConnection

from upgrade_orchestrator.adapters.postgres.executions.executions import SHOWN
from upgrade_orchestrator.adapters.postgres.schema import rows, tables
from upgrade_orchestrator.domain.checks.checks import CheckName, CheckResult, CheckStatus
from upgrade_orchestrator.domain.errors import NotFound
from upgrade_orchestrator.domain.instance.instance import ROLLBACK_BATCH, InstanceStatus
from upgrade_orchestrator.domain.plan.progress import Tally
from upgrade_orchestrator.service.ports.stores.overviews import ExecutionFilter, Overview

E, N, B, C = tables.execution.c, tables.instance.c, tables.batch.c, tables.check_result.c
_CHECK_ORDER = list(CheckName)


def _json(value: Any) -> ColumnElement[Any]:
    return type_coerce(func.coalesce(value, literal_column("'[]'")), JSONB)


def _instances() -> FromClause:
    """The execution's instances counted by status, with the ids of those that were rolled back."""
    groups = select(N.status, N.revert, func.count().label("count"), _rolled_back().label("ids"))
    groups = groups.where(N.execution_id == E.id).group_by(N.status, N.revert)
    counted = groups.correlate(tables.execution).lateral("counted")
    g = counted.c
    numbers = func.json_agg(func.json_build_array(g.status, g.revert, g.count, g.ids))
    return select(_json(numbers).label("instances")).select_from(counted).lateral("of_instances")


def _rolled_back() -> ColumnElement[Any]:
    in_order = func.json_agg(aggregate_order_by(N.instance_id, N.batch, N.position))
    return in_order.filter(N.status == InstanceStatus.ROLLED_BACK)


def _batches() -> FromClause:
    begun = func.coalesce(func.max(B.number).filter(B.started_at.is_not(None)), 0)
    query = select(begun.label("current_batch"), func.count().label("total_batches"))
    query = query.where(B.execution_id == E.id, B.number != ROLLBACK_BATCH)
    return query.correlate(tables.execution).lateral("of_batches")


def _checks() -> FromClause:
    each = func.json_build_array(C.name, C.status, C.message, C.started_at, C.completed_at)
    query = select(_json(func.json_agg(each)).label("checks")).where(C.execution_id == E.id)
    return query.correlate(tables.execution).lateral("of_checks")


def _overview() -> Select[Any]:
    instances, batches, checks = _instances(), _batches(), _checks()
    plan = (E.plan["canary"].label("canary"), E.plan["estimated_seconds"].astext.cast(Integer).label("estimate"))
    shown = (func.clock_timestamp().label("read_at"), *plan, instances, batches, checks)
    joined = tables.execution.join(instances, true()).join(batches, true()).join(checks, true())
    return select(*SHOWN, *shown).select_from(joined)


# built once, so that SQLAlchemy caches the compiled statement
OVERVIEW = _overview()
"The base statement of every read of overviews."
_BY_ID = OVERVIEW.where(E.id == bindparam("id"))
_ACTIVE = OVERVIEW.where(
    E.tenant_id == bindparam("tenant"), E.component_id == bindparam("component"), E.settled_at.is_(None)
)


class PostgresOverviews:
    """Uses the unit of work's connection; every method is one statement."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def get(self, execution_id: str) -> Overview:
        """Uses the primary key."""
        row = (await self._connection.execute(_BY_ID, {"id": execution_id})).mappings().first()
        if row is None:
            raise NotFound(f"there is no execution {execution_id}")
        return overview_from(row)

    async def active(self, tenant_id: str, component_id: str) -> Overview | None:
        """Uses the index of taken active slots."""
        of = {"tenant": tenant_id, "component": component_id}
        row = (await self._connection.execute(_ACTIVE, of)).mappings().first()
        return overview_from(row) if row else None

    async def page(self, wanted: ExecutionFilter) -> Sequence[Overview]:
        """Pages by keyset (created_at, id), newest first, so that the time does not grow with stored history."""
        found = (await self._connection.execute(_page(wanted))).mappings()
        return [overview_from(row) for row in found]


def _page(wanted: ExecutionFilter) -> Select[Any]:
    query = OVERVIEW.where(E.tenant_id == wanted.tenant_id)
    exact = {E.status: wanted.status, E.component_id: wanted.component_id, E.strategy: wanted.strategy}
    query = query.where(*(column == value for column, value in exact.items() if value is not None))
    if wanted.since is not None:
        query = query.where(E.created_at >= wanted.since)
    if wanted.after is not None:
        query = query.where(tuple_(E.created_at, E.id) < tuple_(*wanted.after))
    return query.order_by(E.created_at.desc(), E.id.desc()).limit(wanted.limit)


def overview_from(row: RowMapping) -> Overview:
    """The overview in a row of ``OVERVIEW``."""
    groups = [
        (InstanceStatus(each[0]), InstanceStatus(each[1]) if each[1] else None, each[2]) for each in row["instances"]
    ]
    return Overview(
        execution=rows.execution_from(row),
        read_at=row["read_at"],
        sequence=row["last_sequence"],
        canary=row["canary"],
        estimated_seconds=row["estimate"],
        tally=Tally.of(groups, row["current_batch"], row["total_batches"]),
        rolled_back=[name for each in row["instances"] for name in each[3] or ()],
        checks=sorted(map(_check, row["checks"]), key=lambda each: _CHECK_ORDER.index(each.name)),
    )


def _check(stored: list[Any]) -> CheckResult:
    name, status, message, started, completed = stored
    return CheckResult(CheckName(name), CheckStatus(status), message, _time(started), _time(completed))


def _time(stored: str | None) -> datetime | None:
    return datetime.fromisoformat(stored) if stored else None
