"""The rows of an execution's instances and of its rollback's, in PostgreSQL (a part of port ``Executions``)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from sqlalchemy import BindParameter, Table, Update, and_, bindparam, exists, or_, select, tuple_, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncConnection

from upgrade_orchestrator.adapters.postgres.schema import rows, tables
from upgrade_orchestrator.domain.execution.execution import Execution, Strategy
from upgrade_orchestrator.domain.execution.states import ExecutionStatus
from upgrade_orchestrator.domain.instance.instance import ROLLBACK_BATCH, Instance, InstanceStatus
from upgrade_orchestrator.domain.plan.batch import SWITCHED, Batch
from upgrade_orchestrator.service.ports.stores.executions import Follower

# Built once, as in executions.py, because runners use them all the time.
_OF: BindParameter[str] = bindparam("of")
_INSTANCES = (
    select(tables.instance)
    .where(tables.instance.c.execution_id == _OF)
    .order_by(tables.instance.c.batch, tables.instance.c.position)
)
_SAVE_INSTANCE = (
    update(tables.instance)
    .where(tables.instance.c.execution_id == _OF, tables.instance.c.instance_id == bindparam("v_instance_id"))
    .values(
        {
            each.name: bindparam(f"v_{each.name}")
            for each in tables.instance.c
            if each.name not in ("execution_id", "instance_id")
        }
    )
)
_ROLLBACK_INSTANCES = (
    select(tables.rollback_instance)
    .where(tables.rollback_instance.c.execution_id == _OF)
    .order_by(tables.rollback_instance.c.position)
)
_SAVE_ROLLBACK_INSTANCE = upsert(tables.rollback_instance).on_conflict_do_update(
    index_elements=["execution_id", "instance_id"],
    set_={each.name: upsert(tables.rollback_instance).excluded[each.name] for each in tables.rollback_instance.c},
)


_INSTANCE_CLOCKS = ("step_seconds", "healthy_seconds", "absent_seconds")


def _save_steps(table: Table) -> Update:
    """An update that skips rows which have left the step whose seconds were counted."""
    step = [table.c[name] == bindparam(f"v_{name}") for name in ("instance_id", "status", "attempts")]
    clocks = [name for name in _INSTANCE_CLOCKS if name in table.c]
    values: dict[str, Any] = {name: bindparam(f"v_{name}") for name in clocks}
    return update(table).where(table.c.execution_id == _OF, *step).values(values)


_SAVE_STEPS = _save_steps(tables.instance)
_SAVE_ROLLBACK_STEPS = _save_steps(tables.rollback_instance)
_BATCH_CLOCKS = ("blocked_seconds", "soak_seconds", "healthy_seconds")
_SAVE_BATCH_CLOCKS = (
    update(tables.batch)
    .where(tables.batch.c.execution_id == _OF, tables.batch.c.number == bindparam("v_number"))
    .values({name: bindparam(f"v_{name}") for name in _BATCH_CLOCKS})
)

E, N, B = tables.execution.c, tables.instance.c, tables.batch.c
_TOUCHED = exists().where(N.execution_id == E.id, N.status != InstanceStatus.PENDING)
_SWITCHED = exists().where(B.execution_id == E.id, B.phase.in_(SWITCHED))
_CHANGED = and_(_TOUCHED, or_(E.strategy != Strategy.BLUE_GREEN, _SWITCHED))


class PostgresInstances:
    """Uses the unit of work's connection."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def instances(self, execution_id: str) -> list[Instance]:
        """All instances, in the plan's order."""
        found = await self._connection.execute(_INSTANCES, {"of": execution_id})
        return [rows.instance_from(row) for row in found.mappings()]

    async def save_instances(self, execution_id: str, instances: Sequence[Instance]) -> None:
        """One statement for all instances."""
        of = {"of": execution_id}
        given = [of | {f"v_{name}": value for name, value in asdict(each).items()} for each in instances]
        if given:
            await self._execute(_SAVE_INSTANCE, given)

    async def rollback_instances(self, execution_id: str) -> list[Instance]:
        """All rows of the rollback, in its order."""
        found = await self._connection.execute(_ROLLBACK_INSTANCES, {"of": execution_id})
        return [rows.rollback_instance_from(row) for row in found.mappings()]

    async def save_rollback_instances(self, execution_id: str, instances: Sequence[Instance]) -> None:
        """Insert or replace, in one statement."""
        names = tables.rollback_instance.c.keys()
        given = [asdict(each) | {"execution_id": execution_id} for each in instances]
        if given:
            await self._execute(_SAVE_ROLLBACK_INSTANCE, [{name: each[name] for name in names} for each in given])

    async def save_clocks(self, execution_id: str, instances: Sequence[Instance], batch: Batch) -> None:
        """One statement for the instances and one for the batch, each only if there is something to write."""
        of = {"of": execution_id}
        names = ("instance_id", "status", "attempts", *_INSTANCE_CLOCKS)
        given = [of | {f"v_{name}": getattr(each, name) for name in names} for each in instances]
        if given:
            await self._execute(_SAVE_ROLLBACK_STEPS if batch.number == ROLLBACK_BATCH else _SAVE_STEPS, given)
        if batch.clock_runs:
            clocks = {f"v_{name}": getattr(batch, name) for name in ("number", *_BATCH_CLOCKS)}
            await self._execute(_SAVE_BATCH_CLOCKS, of | clocks)

    async def newer(self, execution: Execution, before: Execution | None = None) -> str | None:
        """Uses the index of a tenant's executions of a component."""
        position, later = tuple_(E.created_at, E.id), [E.status != ExecutionStatus.ROLLED_BACK, _CHANGED]
        later += [E.tenant_id == execution.tenant_id, E.component_id == execution.request.component_id]
        later += [position > tuple_(execution.created_at, execution.id), E.revert_of.is_distinct_from(execution.id)]
        if before is not None:
            later.append(position < tuple_(before.created_at, before.id))
        newest = select(E.id).where(*later).order_by(E.created_at.desc(), E.id.desc()).limit(1)
        found: str | None = await self._connection.scalar(newest)
        return found

    async def followers(self, execution: Execution) -> list[Follower]:
        """Uses the index of a tenant's executions of a component."""
        made_from = or_(E.revert_of == execution.id, E.retry_of == execution.id)
        later = [E.tenant_id == execution.tenant_id, E.component_id == execution.request.component_id, made_from]
        reverts = E.revert_of.is_not_distinct_from(execution.id).label("reverts")
        newest = select(E.id, E.status, reverts).where(*later, E.created_at >= execution.created_at)
        found = await self._connection.execute(newest.order_by(E.created_at.desc(), E.id.desc()).limit(20))
        return [Follower(row.id, ExecutionStatus(row.status), row.reverts) for row in found]

    async def _execute(self, statement: Any, values: Any) -> None:
        await self._connection.execute(statement, values)
