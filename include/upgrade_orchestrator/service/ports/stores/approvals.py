"""The store of approvals."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from upgrade_orchestrator.domain.approval.approval import Approval


class Approvals(Protocol):
    """One row for each requested approval; written under the execution's lock."""

    async def of(self, *execution_ids: str) -> list[Approval]:
        """The approvals of these executions, by stage."""

    async def save(self, approval: Approval) -> None:
        """Insert or update the row."""

    async def asked(self) -> list[Approval]:
        """Approvals that wait for an answer, of executions that can still continue."""

    async def answered(self) -> list[Approval]:
        """Approvals with an answer to apply, of executions that are IN_PROGRESS; oldest answer first."""

    async def over(self, execution_ids: Sequence[str]) -> list[Approval]:
        """Approvals of these executions that are decided, or that are no longer needed."""
