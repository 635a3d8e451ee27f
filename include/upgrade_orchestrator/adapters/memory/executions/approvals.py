"""Approvals of stages in memory (port ``Approvals``)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from upgrade_orchestrator.adapters.memory.engine.tables import APPROVAL, EXECUTION
from upgrade_orchestrator.adapters.memory.engine.transaction import Transaction
from upgrade_orchestrator.domain.approval.approval import WAITS_IN, Approval
from upgrade_orchestrator.domain.execution.execution import Execution
from upgrade_orchestrator.domain.execution.states import ExecutionStatus


class MemoryApprovals:
    """Uses the unit of work's transaction."""

    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction

    async def of(self, *execution_ids: str) -> list[Approval]:
        """Ordered by stage."""
        await self._transaction.statement()
        return self._of(execution_ids)

    async def save(self, approval: Approval) -> None:
        """Insert or replace."""
        key = (approval.execution_id, approval.stage)
        await self._transaction.statement()
        if not self._transaction.get(APPROVAL, *key):
            await self._transaction.refer(EXECUTION, approval.execution_id)
        await self._transaction.write(APPROVAL, approval, *key)

    async def asked(self) -> list[Approval]:
        """Of executions that hold their active slot."""
        await self._transaction.statement()
        open_ones = [each for each in self._transaction.rows(APPROVAL) if each.decision is None and each.answer is None]
        return [each for each in open_ones if _waits(self._execution(each))]

    async def answered(self) -> list[Approval]:
        """Oldest response first."""
        await self._transaction.statement()
        found = list[tuple[datetime, Approval]]()
        for each in self._transaction.rows(APPROVAL):
            to_judge = each.answer is not None and each.decision is None
            in_progress = self._execution(each).status is ExecutionStatus.IN_PROGRESS
            if each.answered_at is not None and to_judge and in_progress:
                found.append((each.answered_at, each))
        return [each for _, each in sorted(found, key=lambda pair: pair[0])]

    async def over(self, execution_ids: Sequence[str]) -> list[Approval]:
        """Decided, or of an execution in which no decision is possible any more."""
        await self._transaction.statement()
        found = self._of(execution_ids)
        return [each for each in found if each.decision is not None or self._execution(each).status not in WAITS_IN]

    def _of(self, execution_ids: Sequence[str]) -> list[Approval]:
        found = [each for of in set(execution_ids) for each in self._transaction.rows(APPROVAL, of)]
        return sorted(found, key=lambda each: each.stage)

    def _execution(self, approval: Approval) -> Execution:
        row = self._transaction.get(EXECUTION, approval.execution_id)
        assert row is not None  # executions are never deleted
        return row.execution


def _waits(execution: Execution) -> bool:
    return execution.settled_at is None and execution.status in WAITS_IN
