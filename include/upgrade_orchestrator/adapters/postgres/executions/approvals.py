"""Approvals of stages in PostgreSQL (port ``Approvals``)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from sqlalchemy import Select, or_, select
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.engine import RowMapping
from sqlalchemy.ext.asyncio import AsyncConnection

from upgrade_orchestrator.adapters.postgres.schema.rows import pick
from upgrade_orchestrator.adapters.postgres.schema.tables import approval, execution
from upgrade_orchestrator.domain.approval.approval import WAITS_IN, Approval
from upgrade_orchestrator.domain.execution.commands import Decision, Source
from upgrade_orchestrator.domain.execution.states import ExecutionStatus

A, E = approval.c, execution.c
_WITH_EXECUTION = approval.join(execution, A.execution_id == E.id)
_JUDGED = E.status == ExecutionStatus.IN_PROGRESS


class PostgresApprovals:
    """Uses the unit of work's connection; every method is one statement."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def of(self, *execution_ids: str) -> list[Approval]:
        """Uses the primary key."""
        return await self._read(select(approval).where(A.execution_id.in_(execution_ids)).order_by(A.stage))

    async def save(self, approved: Approval) -> None:
        """Insert or replace."""
        values = asdict(approved)
        statement = upsert(approval).values(**values)
        await self._connection.execute(
            statement.on_conflict_do_update(index_elements=["execution_id", "stage"], set_=values)
        )

    async def asked(self) -> list[Approval]:
        """Starts from the executions that hold their active slot, which are few however long the history is."""
        waits = (A.decision.is_(None), A.answer.is_(None), E.settled_at.is_(None), E.status.in_(WAITS_IN))
        return await self._read(select(approval).select_from(_WITH_EXECUTION).where(*waits))

    async def answered(self) -> list[Approval]:
        """Has its own index: this runs every second, and nearly always finds none."""
        waits = (A.answered_at.is_not(None), A.decision.is_(None), A.answer.is_not(None))
        return await self._read(
            select(approval).select_from(_WITH_EXECUTION).where(*waits, _JUDGED).order_by(A.answered_at)
        )

    async def over(self, execution_ids: Sequence[str]) -> list[Approval]:
        """Uses the primary key."""
        done = or_(A.decision.is_not(None), E.status.not_in(WAITS_IN))
        query = select(approval).select_from(_WITH_EXECUTION).where(A.execution_id.in_(execution_ids), done)
        return await self._read(query)

    async def _read(self, query: Select[Any]) -> list[Approval]:
        return [_approval(row) for row in (await self._connection.execute(query)).mappings()]


def _approval(row: RowMapping) -> Approval:
    return Approval(
        **pick(
            Approval,
            row,
            answer=Decision(row["answer"]) if row["answer"] else None,
            decision=Decision(row["decision"]) if row["decision"] else None,
            source=Source(row["source"]) if row["source"] else None,
        )
    )
