"""Executions with their batches, instances and checks, in memory (port ``Executions``)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta

from upgrade_orchestrator.adapters.memory.engine.locks import Strength
from upgrade_orchestrator.adapters.memory.engine.tables import (
    BATCH,
    CHECK_RESULT,
    COMPONENT,
    COMPONENT_VERSION,
    EXECUTION,
    INSTANCE,
    ExecutionRow,
)
from upgrade_orchestrator.adapters.memory.engine.transaction import Transaction
from upgrade_orchestrator.adapters.memory.engine.values import own
from upgrade_orchestrator.adapters.memory.executions import audit, statistics
from upgrade_orchestrator.adapters.memory.executions.instances import MemoryInstances
from upgrade_orchestrator.domain.airflow.drift import ExecutionSummary
from upgrade_orchestrator.domain.checks.checks import CheckName, CheckResult, CheckStatus
from upgrade_orchestrator.domain.errors import ActiveUpgradeExists, AlreadyExists, ConcurrentChange, NotFound
from upgrade_orchestrator.domain.execution.attention import Attention
from upgrade_orchestrator.domain.execution.commands import Actor
from upgrade_orchestrator.domain.execution.execution import Execution, UpgradeRequest
from upgrade_orchestrator.domain.execution.states import ExecutionStatus
from upgrade_orchestrator.domain.instance.instance import Instance
from upgrade_orchestrator.domain.operations.statistics import History, HistoryOf, Statistics
from upgrade_orchestrator.domain.plan.batch import Batch
from upgrade_orchestrator.domain.plan.plan import Plan

_CHECK_ORDER = list(CheckName)


class MemoryExecutions(MemoryInstances):
    """Uses the unit of work's transaction."""

    def __init__(self, transaction: Transaction) -> None:
        super().__init__(transaction)
        self.read_at: datetime | None = None

    async def add(self, execution: Execution, plan: Plan, instances: Iterable[Instance]) -> None:
        """Insert the execution with its batches, instances and pending checks."""
        transaction, of = self._transaction, execution.id
        await transaction.statement()
        await transaction.lock(EXECUTION, of)
        if transaction.get(EXECUTION, of):
            raise transaction.failed(AlreadyExists(f"there is an execution {of}"))
        if execution.settled_at is None:
            await self._take_active_slot(execution)
        await self._refer(execution.request)
        await transaction.write(EXECUTION, ExecutionRow(stored(execution), plan), of)
        for batch in plan.batches:
            await transaction.write(BATCH, Batch(batch.number, batch.kind.value), of, batch.number)
        for instance in instances:
            await transaction.write(INSTANCE, instance, of, instance.instance_id)
        for name in CheckName:
            await transaction.write(CHECK_RESULT, CheckResult(name, CheckStatus.PENDING), of, name)

    async def _take_active_slot(self, execution: Execution) -> None:
        slot = (execution.tenant_id, execution.request.component_id)
        await self._transaction.claim(EXECUTION, *slot)
        if holder_of(self._transaction, *slot):
            raise self._transaction.failed(ActiveUpgradeExists())

    async def _refer(self, request: UpgradeRequest) -> None:
        await self._transaction.refer(COMPONENT, request.component_id)
        await self._transaction.refer(COMPONENT_VERSION, request.from_version_id)
        await self._transaction.refer(COMPONENT_VERSION, request.to_version_id)

    async def get(self, execution_id: str) -> Execution:
        """Read without a lock."""
        await self._transaction.statement()
        return self._read(execution_id)

    async def lock(self, execution_id: str) -> Execution:
        """Read, and block every other writer until this unit of work ends."""
        await self._transaction.statement()
        await self._transaction.lock(EXECUTION, execution_id, strength=Strength.ALONE)
        return self._read(execution_id)

    def _read(self, execution_id: str) -> Execution:
        found = stored(row_of(self._transaction, execution_id).execution)
        self.read_at = self._transaction.database.now()
        return found

    async def save(self, execution: Execution) -> Execution:
        """Write the columns that can change after creation, with an optimistic version check."""
        await self._transaction.statement()
        self._require_unchanged(execution)
        await self._transaction.lock(EXECUTION, execution.id)
        row = self._require_unchanged(execution)
        if (row.execution.settled_at is None) is not (execution.settled_at is None):
            await self._transaction.claim(EXECUTION, row.execution.tenant_id, row.execution.request.component_id)
        saved = replace(execution, version=execution.version + 1)
        changed = replace(row, execution=_changed(row.execution, saved))
        await self._transaction.write(EXECUTION, changed, execution.id)
        return saved

    async def note_attention(self, execution_id: str, attention: Attention | None) -> None:
        """The version stays as it is."""
        await self._transaction.statement()
        await self._transaction.lock(EXECUTION, execution_id)
        row = row_of(self._transaction, execution_id)
        if row.execution.settled_at is not None:
            return
        noted = replace(row, execution=replace(row.execution, attention=attention))
        await self._transaction.write(EXECUTION, noted, execution_id)

    def _require_unchanged(self, execution: Execution) -> ExecutionRow:
        row = self._transaction.get(EXECUTION, execution.id)
        if row is None or row.execution.version != execution.version:
            raise ConcurrentChange(f"execution {execution.id} was changed in the meantime")
        return row

    async def active(self, tenant_id: str, component_id: str) -> Execution | None:
        """The execution that holds the active slot of tenant and component."""
        await self._transaction.statement()
        found = holder_of(self._transaction, tenant_id, component_id)
        return stored(found.execution) if found else None

    async def unsettled(self, status: ExecutionStatus | None = None) -> list[ExecutionSummary]:
        """Executions that were started and hold their active slot."""
        await self._transaction.statement()
        every = (row.execution for row in self._transaction.rows(EXECUTION))
        waits = (each for each in every if each.started_at is not None and each.settled_at is None)
        return [ExecutionSummary.of(each) for each in waits if status in (None, each.status)]

    async def may_begin_in_worker(self, places: int, seconds: float) -> bool:
        """Serialised by a lock: a concurrent caller waits, and then counts the start of the first one."""
        await self._transaction.statement()
        await self._transaction.claim(EXECUTION, "begins in a worker")
        now = self._transaction.database.now()
        begun = [row.execution for row in self._transaction.rows(EXECUTION) if row.execution.begins_in_worker]
        return sum(_has_just_begun(each, now - timedelta(seconds=seconds), now) for each in begun) < places

    async def statistics(self, component_id: str) -> Statistics:
        """Over all executions of the component."""
        await self._transaction.statement()
        every = (row.execution for row in self._transaction.rows(EXECUTION))
        return statistics.statistics_of(component_id, every)

    async def history(self, of: HistoryOf, since: date, until: date) -> History:
        """Over the executions that ``of`` selects, in total and by week."""
        await self._transaction.statement()
        every = (row.execution for row in self._transaction.rows(EXECUTION))
        return statistics.history_of(of, since, until, every)

    async def plan(self, execution_id: str) -> Plan:
        """The plan as it was frozen."""
        await self._transaction.statement()
        return row_of(self._transaction, execution_id).plan

    async def batches(self, execution_id: str, first: int = 1, limit: int | None = None) -> list[Batch]:
        """Ordered by number."""
        await self._transaction.statement()
        found = [each for each in self._transaction.rows(BATCH, execution_id) if each.number >= first]
        return sorted(found, key=lambda each: each.number)[:limit]

    async def save_batch(self, execution_id: str, batch: Batch) -> None:
        """Insert or replace."""
        await self._transaction.statement()
        if not self._transaction.get(BATCH, execution_id, batch.number):
            await self._transaction.refer(EXECUTION, execution_id)
        await self._transaction.write(BATCH, batch, execution_id, batch.number)

    async def checks(self, execution_id: str) -> list[CheckResult]:
        """All of them, in their fixed order."""
        await self._transaction.statement()
        return checks_of(self._transaction, execution_id)

    async def save_checks(self, execution_id: str, results: Sequence[CheckResult]) -> None:
        """Insert or replace."""
        await self._transaction.statement()
        for result in results:
            if not self._transaction.get(CHECK_RESULT, execution_id, result.name):
                await self._transaction.refer(EXECUTION, execution_id)
            await self._transaction.write(CHECK_RESULT, result, execution_id, result.name)

    async def add_command(self, execution_id: str, command: str, actor: Actor, reason: str | None) -> None:
        """Add one audit row."""
        await self._transaction.statement()
        await audit.add(self._transaction, execution_id, command, actor, reason)


def row_of(transaction: Transaction, execution_id: str) -> ExecutionRow:
    """The execution's row.

    :raises NotFound: there is no such execution.
    """
    row = transaction.get(EXECUTION, execution_id)
    if row is None:
        raise NotFound(f"there is no execution {execution_id}")
    return row


def holder_of(transaction: Transaction, tenant_id: str, component_id: str) -> ExecutionRow | None:
    """The row of the execution that holds the active slot, if any."""
    for row in transaction.rows(EXECUTION):
        each = row.execution
        if each.settled_at is None and (each.tenant_id, each.request.component_id) == (tenant_id, component_id):
            return row
    return None


def checks_of(transaction: Transaction, execution_id: str) -> list[CheckResult]:
    """The check results in their fixed order."""
    return sorted(transaction.rows(CHECK_RESULT, execution_id), key=lambda each: _CHECK_ORDER.index(each.name))


def stored(execution: Execution) -> Execution:
    """A copy that does not share its request's mappings with the caller."""
    return (
        execution
        if execution.request.installed_components is None
        else replace(execution, request=own(execution.request))
    )


def _has_just_begun(execution: Execution, since: datetime, now: datetime) -> bool:
    return execution.settled_at is None and execution.started_at is not None and since < execution.started_at <= now


def _changed(before: Execution, after: Execution) -> Execution:
    """``after`` with the columns of ``before`` that never change after creation."""
    return replace(
        stored(after),
        tenant_id=before.tenant_id,
        request=before.request,
        total_instances=before.total_instances,
        from_version=before.from_version,
        to_version=before.to_version,
        plan_hash=before.plan_hash,
        created_by=before.created_by,
        created_at=before.created_at,
        retry_of=before.retry_of,
        revert_of=before.revert_of,
        further_targets=before.further_targets,
    )
