"""The rows of an execution's instances and of its rollback's, in memory (a part of port ``Executions``)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from upgrade_orchestrator.adapters.memory.engine.tables import BATCH, EXECUTION, INSTANCE, ROLLBACK_INSTANCE
from upgrade_orchestrator.adapters.memory.engine.transaction import Transaction
from upgrade_orchestrator.domain.execution.execution import Execution
from upgrade_orchestrator.domain.execution.states import ExecutionStatus
from upgrade_orchestrator.domain.instance.instance import ROLLBACK_BATCH, Instance, InstanceStatus
from upgrade_orchestrator.domain.plan.batch import Batch
from upgrade_orchestrator.domain.plan.pools import by_serving_pool
from upgrade_orchestrator.service.ports.stores.executions import Follower


class MemoryInstances:
    """Uses the unit of work's transaction."""

    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction

    async def instances(self, execution_id: str) -> list[Instance]:
        """All instances, in the plan's order."""
        await self._transaction.statement()
        return instances_of(self._transaction, execution_id)

    async def save_instances(self, execution_id: str, instances: Sequence[Instance]) -> None:
        """Instances without a row are skipped."""
        await self._transaction.statement()
        for each in instances:
            if self._transaction.get(INSTANCE, execution_id, each.instance_id):
                await self._transaction.write(INSTANCE, each, execution_id, each.instance_id)

    async def rollback_instances(self, execution_id: str) -> list[Instance]:
        """All rows of the rollback, in its order."""
        await self._transaction.statement()
        return sorted(self._transaction.rows(ROLLBACK_INSTANCE, execution_id), key=lambda each: each.position)

    async def save_rollback_instances(self, execution_id: str, instances: Sequence[Instance]) -> None:
        """Insert or replace."""
        await self._transaction.statement()
        for each in instances:
            await self._transaction.write(ROLLBACK_INSTANCE, each, execution_id, each.instance_id)

    async def save_clocks(self, execution_id: str, instances: Sequence[Instance], batch: Batch) -> None:
        """Only for rows that are still in the same step."""
        await self._transaction.statement()
        table = ROLLBACK_INSTANCE if batch.number == ROLLBACK_BATCH else INSTANCE
        for each in instances:
            row = self._transaction.get(table, execution_id, each.instance_id)
            if row is not None and (row.status, row.attempts) == (each.status, each.attempts):
                clocks = replace(
                    row,
                    step_seconds=each.step_seconds,
                    healthy_seconds=each.healthy_seconds,
                    absent_seconds=each.absent_seconds,
                )
                await self._transaction.write(table, clocks, execution_id, each.instance_id)
        found = self._transaction.get(BATCH, execution_id, batch.number)
        if found is not None and batch.clock_runs:
            counted = replace(
                found,
                blocked_seconds=batch.blocked_seconds,
                soak_seconds=batch.soak_seconds,
                healthy_seconds=batch.healthy_seconds,
            )
            await self._transaction.write(BATCH, counted, execution_id, batch.number)

    async def newer(self, execution: Execution, before: Execution | None = None) -> str | None:
        """Over the executions of the same tenant and component."""
        await self._transaction.statement()
        of = (execution.tenant_id, execution.request.component_id)
        every = [row.execution for row in self._transaction.rows(EXECUTION)]
        later = [
            each
            for each in every
            if (each.tenant_id, each.request.component_id) == of
            and _place(each) > _place(execution)
            and (before is None or _place(each) < _place(before))
            and each.revert_of != execution.id
            and _changed(self._transaction, each)
        ]
        return max(later, key=_place).id if later else None

    async def followers(self, execution: Execution) -> list[Follower]:
        """Over all executions."""
        await self._transaction.statement()
        every = [row.execution for row in self._transaction.rows(EXECUTION)]
        made = [each for each in every if execution.id in (each.retry_of, each.revert_of)]
        newest = sorted(made, key=_place, reverse=True)[:20]
        return [Follower(each.id, each.status, each.revert_of == execution.id) for each in newest]


def _changed(transaction: Transaction, execution: Execution) -> bool:
    """Whether it has touched an instance that serves, or given a new pool the traffic, and was not rolled back."""
    rows = by_serving_pool(instances_of(transaction, execution.id), transaction.rows(BATCH, execution.id))
    touched = any(each.status is not InstanceStatus.PENDING for each in rows)
    return touched and execution.status is not ExecutionStatus.ROLLED_BACK


def _place(execution: Execution) -> tuple[datetime, str]:
    return execution.created_at, execution.id


def instances_of(transaction: Transaction, execution_id: str) -> list[Instance]:
    """The instances in the plan's order."""
    return sorted(transaction.rows(INSTANCE, execution_id), key=lambda each: (each.batch, each.position))
