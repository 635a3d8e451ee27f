"""Executions as the API and the pages show them, in memory (port ``Overviews``)."""

from __future__ import annotations

from collections.abc import Sequence

from upgrade_orchestrator.adapters.memory.engine.tables import BATCH, EXECUTION, ExecutionRow
from upgrade_orchestrator.adapters.memory.engine.transaction import Transaction
from upgrade_orchestrator.adapters.memory.executions.executions import (
    checks_of,
    holder_of,
    row_of,
    stored,
)
from upgrade_orchestrator.adapters.memory.executions.instances import instances_of
from upgrade_orchestrator.domain.execution.execution import Execution
from upgrade_orchestrator.domain.instance.instance import ROLLBACK_BATCH, InstanceStatus
from upgrade_orchestrator.domain.plan.progress import Tally
from upgrade_orchestrator.service.ports.stores.overviews import ExecutionFilter, Overview


class MemoryOverviews:
    """Uses the unit of work's transaction."""

    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction

    async def get(self, execution_id: str) -> Overview:
        """Read by id."""
        await self._transaction.statement()
        return overview_of(self._transaction, row_of(self._transaction, execution_id))

    async def active(self, tenant_id: str, component_id: str) -> Overview | None:
        """The execution that holds the active slot."""
        await self._transaction.statement()
        row = holder_of(self._transaction, tenant_id, component_id)
        return overview_of(self._transaction, row) if row else None

    async def page(self, wanted: ExecutionFilter) -> Sequence[Overview]:
        """Pages by keyset (created_at, id), newest first."""
        await self._transaction.statement()
        found = [row for row in self._transaction.rows(EXECUTION) if _fits(row.execution, wanted)]
        found.sort(key=lambda row: (row.execution.created_at, row.execution.id), reverse=True)
        return [overview_of(self._transaction, row) for row in found[: wanted.limit]]


def _fits(execution: Execution, wanted: ExecutionFilter) -> bool:
    request = execution.request
    return (
        execution.tenant_id == wanted.tenant_id
        and wanted.status in (None, execution.status)
        and wanted.component_id in (None, request.component_id)
        and wanted.strategy in (None, request.strategy)
        and (wanted.since is None or execution.created_at >= wanted.since)
        and (wanted.after is None or (execution.created_at, execution.id) < wanted.after)
    )


def overview_of(transaction: Transaction, row: ExecutionRow) -> Overview:
    """The execution with everything that its representation contains."""
    of = row.execution.id
    instances = instances_of(transaction, of)
    batches = [each for each in transaction.rows(BATCH, of) if each.number != ROLLBACK_BATCH]
    begun = max((each.number for each in batches if each.started_at is not None), default=0)
    return Overview(
        execution=stored(row.execution),
        read_at=transaction.database.now(),
        sequence=row.last_sequence,
        canary=list(row.plan.canary),
        estimated_seconds=row.plan.estimated_seconds,
        tally=Tally.of(((each.status, each.revert, 1) for each in instances), begun, len(batches)),
        rolled_back=[each.instance_id for each in instances if each.status is InstanceStatus.ROLLED_BACK],
        checks=checks_of(transaction, of),
    )
