"""Executions with their batches, instances and checks, in PostgreSQL (port ``Executions``)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, replace
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import BindParameter, Integer, Select, and_, bindparam, func, insert, select, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from upgrade_orchestrator.adapters.postgres.executions.instances import PostgresInstances
from upgrade_orchestrator.adapters.postgres.executions.statistics import (
    history_from,
    history_query,
    statistics_from,
    statistics_query,
)
from upgrade_orchestrator.adapters.postgres.schema import rows, tables
from upgrade_orchestrator.domain.airflow.drift import ExecutionSummary
from upgrade_orchestrator.domain.checks.checks import CheckName, CheckResult, CheckStatus
from upgrade_orchestrator.domain.errors import ActiveUpgradeExists, AlreadyExists, ConcurrentChange, NotFound
from upgrade_orchestrator.domain.execution.attention import Attention
from upgrade_orchestrator.domain.execution.commands import Actor
from upgrade_orchestrator.domain.execution.execution import Execution
from upgrade_orchestrator.domain.execution.states import ExecutionStatus
from upgrade_orchestrator.domain.instance.instance import Instance
from upgrade_orchestrator.domain.operations.statistics import History, HistoryOf, Statistics
from upgrade_orchestrator.domain.plan.batch import Batch
from upgrade_orchestrator.domain.plan.plan import Plan

E = tables.execution.c
_HIDDEN = {"plan"}
SHOWN = [column for column in tables.execution.c if column.name not in _HIDDEN]
_CLOCK = func.clock_timestamp().label("read_at")
_BEGINS = 0x7570677262656769
"Number of an advisory lock in our own database, used for nothing else."
_CHECK_ORDER = list(CheckName)

# Built once: otherwise each of a runner's frequent calls would build the statement and its key in SQLAlchemy's cache of
# compiled statements again.
_OF: BindParameter[str] = bindparam("of")
_GET = select(*SHOWN, _CLOCK).where(E.id == _OF)
_LOCK = _GET.with_for_update()
_BATCHES = (
    select(tables.batch)
    .where(tables.batch.c.execution_id == _OF, tables.batch.c.number >= bindparam("first"))
    .order_by(tables.batch.c.number)
    .limit(bindparam("limit", type_=Integer))
)
_UNSETTLED = select(E.id, E.status, E.run_ref, E.dag_paused, E.attention, E.started_at).where(
    E.started_at.is_not(None), E.settled_at.is_(None)
)
_CHECKS = select(tables.check_result).where(tables.check_result.c.execution_id == _OF)
_SAVE_BATCH = upsert(tables.batch).on_conflict_do_update(
    index_elements=["execution_id", "number"],
    set_={each.name: upsert(tables.batch).excluded[each.name] for each in tables.batch.c},
)


class PostgresExecutions(PostgresInstances):
    """Uses the unit of work's connection; every method is one or two statements."""

    def __init__(self, connection: AsyncConnection) -> None:
        super().__init__(connection)
        self.read_at: datetime | None = None

    async def add(self, execution: Execution, plan: Plan, instances: Iterable[Instance]) -> None:
        """Insert the execution with its batches, instances and pending checks."""
        try:
            await self._execute(insert(tables.execution), rows.new_execution_to(execution, plan))
        except IntegrityError as error:
            if "pk_execution" in str(error.orig):
                raise AlreadyExists(f"there is an execution {execution.id}") from None
            if "uq_execution_active" not in str(error.orig):
                raise
            raise ActiveUpgradeExists from None  # the caller adds the id, in a new transaction
        of = {"execution_id": execution.id}
        await self._execute(insert(tables.batch), [of | {"number": b.number, "kind": b.kind} for b in plan.batches])
        await self._execute(insert(tables.instance), [of | asdict(each) for each in instances])
        pending = [CheckResult(name, CheckStatus.PENDING) for name in CheckName]
        await self._execute(insert(tables.check_result), [of | asdict(each) for each in pending])

    async def get(self, execution_id: str) -> Execution:
        """Read without a lock."""
        return await self._one(_GET, execution_id)

    async def lock(self, execution_id: str) -> Execution:
        """Read, and block every other writer until this unit of work ends."""
        return await self._one(_LOCK, execution_id)

    async def _one(self, query: Select[Any], execution_id: str) -> Execution:
        row = (await self._connection.execute(query, {"of": execution_id})).mappings().first()
        if row is None:
            raise NotFound(f"there is no execution {execution_id}")
        self.read_at = row["read_at"]
        return rows.execution_from(row)

    async def save(self, execution: Execution) -> Execution:
        """Write with an optimistic version check."""
        saved = replace(execution, version=execution.version + 1)
        statement = (
            update(tables.execution)
            .where(E.id == execution.id, E.version == execution.version)
            .values(**rows.execution_to(saved))
        )
        if (await self._connection.execute(statement)).rowcount != 1:
            raise ConcurrentChange(f"execution {execution.id} was changed in the meantime")
        return saved

    async def note_attention(self, execution_id: str, attention: Attention | None) -> None:
        """One statement, without a version check."""
        statement = update(tables.execution).where(E.id == execution_id, E.settled_at.is_(None))
        await self._connection.execute(statement.values(attention=rows.attention_to(attention)))

    async def active(self, tenant_id: str, component_id: str) -> Execution | None:
        """The execution that holds the active slot of tenant and component."""
        query = select(*SHOWN).where(E.tenant_id == tenant_id, E.component_id == component_id, E.settled_at.is_(None))
        row = (await self._connection.execute(query)).mappings().first()
        return rows.execution_from(row) if row else None

    async def unsettled(self, status: ExecutionStatus | None = None) -> list[ExecutionSummary]:
        """Uses the index of taken active slots, so the time does not grow with stored history."""
        query = _UNSETTLED
        if status is not None:
            query = query.where(E.status == status)
        found = (await self._connection.execute(query)).all()
        return [rows.summary_from(row) for row in found]

    async def may_begin_in_worker(self, places: int, seconds: float) -> bool:
        """Does not wait for a concurrent start: False at once is cheaper than waiting for the lock."""
        if not await self._connection.scalar(select(func.pg_try_advisory_xact_lock(_BEGINS))):
            return False
        now = func.clock_timestamp()  # a later start means that the clock was set back since
        just_now = and_(E.started_at > now - timedelta(seconds=seconds), E.started_at <= now)
        begun = select(func.count()).where(E.begins_in_worker, E.settled_at.is_(None), just_now)
        return (await self._connection.scalar(begun) or 0) < places

    async def statistics(self, component_id: str) -> Statistics:
        """One pass over an index that has all the columns."""
        found = (await self._connection.execute(statistics_query(component_id))).mappings()
        return statistics_from(component_id, found)

    async def history(self, of: HistoryOf, since: date, until: date) -> History:
        """Uses the index that fits: by component, by tenant or by end time."""
        found = (await self._connection.execute(history_query(of, since))).mappings()
        return history_from(since, until, found)

    async def plan(self, execution_id: str) -> Plan:
        """The plan as it was frozen."""
        stored = await self._connection.scalar(select(E.plan).where(E.id == execution_id))
        if stored is None:
            raise NotFound(f"there is no execution {execution_id}")
        return rows.plan_from(stored)

    async def batches(self, execution_id: str, first: int = 1, limit: int | None = None) -> list[Batch]:
        """Ordered by number."""
        found = await self._connection.execute(_BATCHES, {"of": execution_id, "first": first, "limit": limit})
        return [rows.batch_from(row) for row in found.mappings()]

    async def save_batch(self, execution_id: str, batch: Batch) -> None:
        """Insert or replace."""
        await self._execute(_SAVE_BATCH, asdict(batch) | {"execution_id": execution_id})

    async def checks(self, execution_id: str) -> list[CheckResult]:
        """All of them, in their fixed order."""
        found = (await self._connection.execute(_CHECKS, {"of": execution_id})).mappings()
        return sorted((rows.check_from(row) for row in found), key=lambda each: _CHECK_ORDER.index(each.name))

    async def save_checks(self, execution_id: str, results: Sequence[CheckResult]) -> None:
        """Insert or replace, in one statement."""
        statement = upsert(tables.check_result).values(
            [asdict(each) | {"execution_id": execution_id} for each in results]
        )
        changed = {name: statement.excluded[name] for name in ("status", "message", "started_at", "completed_at")}
        await self._connection.execute(
            statement.on_conflict_do_update(index_elements=["execution_id", "name"], set_=changed)
        )

    async def add_command(self, execution_id: str, command: str, actor: Actor, reason: str | None) -> None:
        """Add one audit row."""
        values = rows.command_values(execution_id, command, actor, reason)
        await self._connection.execute(insert(tables.command).values(**values))
