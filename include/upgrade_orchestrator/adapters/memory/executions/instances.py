"""The rows of an execution's instances and of its rollback's, in memory (a part of port ``Executions``)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from upgrade_orchestrator.adapters.memory.engine.tables import BATCH, INSTANCE, ROLLBACK_INSTANCE
from upgrade_orchestrator.adapters.memory.engine.transaction import Transaction
from upgrade_orchestrator.domain.instance.instance import ROLLBACK_BATCH, Instance
from upgrade_orchestrator.domain.plan.batch import Batch


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


def instances_of(transaction: Transaction, execution_id: str) -> list[Instance]:
    """The instances in the plan's order."""
    return sorted(transaction.rows(INSTANCE, execution_id), key=lambda each: (each.batch, each.position))
