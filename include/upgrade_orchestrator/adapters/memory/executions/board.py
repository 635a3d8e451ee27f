"""The board in memory (port ``Board``): newest first, by ids that grow with time."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import timedelta

from upgrade_orchestrator.adapters.memory.engine.tables import APPROVAL, DEPLOYMENT, EXECUTION
from upgrade_orchestrator.adapters.memory.engine.transaction import Transaction
from upgrade_orchestrator.adapters.memory.executions.overviews import overview_of
from upgrade_orchestrator.domain.approval.approval import WAITS_IN
from upgrade_orchestrator.domain.execution.execution import Execution
from upgrade_orchestrator.domain.execution.states import ExecutionStatus
from upgrade_orchestrator.service.ports.stores.board import BoardFilter, Counts, Group
from upgrade_orchestrator.service.ports.stores.overviews import Overview

_ENDED_WITHIN = timedelta(days=1)


class MemoryBoard:
    """Uses the unit of work's transaction."""

    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction

    async def page(self, wanted: BoardFilter) -> Sequence[Overview]:
        """Newest first."""
        await self._transaction.statement()
        found = [row for row in self._transaction.rows(EXECUTION) if self._fits(row.execution, wanted)]
        found.sort(key=lambda row: row.execution.id, reverse=True)
        return [overview_of(self._transaction, row) for row in found[: wanted.limit]]

    async def counts(self, tenants: frozenset[str] | None) -> Counts:
        """Unfinished executions, and those that ended within the last day."""
        await self._transaction.statement()
        since = self._transaction.database.now() - _ENDED_WITHIN
        shown = [row.execution for row in self._transaction.rows(EXECUTION) if _is_of(row.execution, tenants)]
        ended = [each for each in shown if each.is_terminal and each.completed_at and each.completed_at > since]
        return Counts(
            active=dict(Counter(each.status for each in shown if _unfinished(each))),
            ended=dict(Counter(each.status for each in ended)),
            awaiting=sum(self._questions(each) for each in shown if _may_await(each)),
            attention=sum(map(_stuck, shown)),
        )

    async def tenants(self) -> frozenset[str]:
        """Read from the deployments: every execution has one."""
        await self._transaction.statement()
        return frozenset(each.tenant_id for each in self._transaction.rows(DEPLOYMENT))

    def _fits(self, execution: Execution, wanted: BoardFilter) -> bool:
        request = execution.request
        return (
            _is_of(execution, wanted.tenants)
            and wanted.component_id in (None, request.component_id)
            and wanted.strategy in (None, request.strategy)
            and (wanted.after is None or execution.id < wanted.after)
            and (not wanted.text or any(wanted.text.lower() in each.lower() for each in _texts(execution)))
            and self._has_status(execution, wanted.status)
        )

    def _has_status(self, execution: Execution, status: ExecutionStatus | Group | None) -> bool:
        match status:
            case None:
                return True
            case Group.ACTIVE:
                return _unfinished(execution)
            case Group.AWAITING_APPROVAL:
                return _may_await(execution) and self._questions(execution) > 0
            case Group.NEEDS_ATTENTION:
                return _stuck(execution)
        shown = execution.is_terminal or execution.settled_at is None
        return execution.status is status and shown

    def _questions(self, execution: Execution) -> int:
        return sum(each.decision is None for each in self._transaction.rows(APPROVAL, execution.id))


def _is_of(execution: Execution, tenants: frozenset[str] | None) -> bool:
    return tenants is None or execution.tenant_id in tenants


def _unfinished(execution: Execution) -> bool:
    return execution.settled_at is None and not execution.is_terminal


def _stuck(execution: Execution) -> bool:
    return execution.settled_at is None and execution.attention is not None


def _may_await(execution: Execution) -> bool:
    return execution.settled_at is None and execution.status in WAITS_IN


def _texts(execution: Execution) -> tuple[str, ...]:
    """The texts in which a search looks."""
    return (
        execution.id,
        execution.tenant_id,
        execution.request.component_id,
        execution.from_version,
        execution.to_version,
        execution.created_by,
        execution.request.initiated_by or "",
    )
