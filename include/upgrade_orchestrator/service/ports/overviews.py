"""What an execution's body is made of (contract section 6), read at once: a page costs no more statements than one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from upgrade_orchestrator.domain.checks.checks import CheckResult
from upgrade_orchestrator.domain.execution.execution import Execution
from upgrade_orchestrator.domain.plan.progress import Tally


@dataclass(frozen=True, slots=True)
class ExecutionFilter:
    """What a list is narrowed to; ``after`` is the keyset position (createdAt, id) of the last row seen."""

    tenant_id: str
    status: str | None = None
    component_id: str | None = None
    strategy: str | None = None
    since: datetime | None = None
    after: tuple[datetime, str] | None = None
    limit: int = 50


@dataclass(frozen=True, slots=True)
class Overview:
    """An execution and, of what belongs to it, no more than its body shows; ``read_at`` is the database's clock."""

    execution: Execution
    read_at: datetime
    sequence: int
    """Of the last event: with the execution's version it tells whether anything has changed."""
    canary: Sequence[str]
    estimated_seconds: int
    tally: Tally
    rolled_back: Sequence[str]
    checks: Sequence[CheckResult]


class Overviews(Protocol):
    """Executions as they are shown; every method is one statement."""

    async def get(self, execution_id: str) -> Overview:
        """:raises NotFound: when there is none."""

    async def active(self, tenant_id: str, component_id: str) -> Overview | None:
        """The one that is not settled."""

    async def page(self, wanted: ExecutionFilter) -> Sequence[Overview]:
        """Executions of a tenant, newest first."""
