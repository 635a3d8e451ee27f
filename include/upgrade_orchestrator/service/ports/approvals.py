"""Where the approvals of stages are kept."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from upgrade_orchestrator.domain.approval.approval import Approval


class Approvals(Protocol):
    """One row for each stage that was asked about; written under the execution's lock."""

    async def of(self, *execution_ids: str) -> list[Approval]:
        """By stage."""

    async def save(self, approval: Approval) -> None:
        """Write the row as it is given, a new one where there is none."""

    async def asked(self) -> list[Approval]:
        """Those that wait for an answer, of executions that can still go on."""

    async def answered(self) -> list[Approval]:
        """Those with an answer to judge, of executions that are IN_PROGRESS; oldest answer first."""

    async def over(self, execution_ids: Sequence[str]) -> list[Approval]:
        """Of these executions: those that are decided, or that nobody wants to have decided any more."""
