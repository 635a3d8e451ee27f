"""The data of an execution's response body (specification section 6), with one SQL statement for a whole page."""

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
    """The filter of a list; ``after`` is the keyset position (createdAt, id) of the last row of the page before."""

    tenant_id: str
    status: str | None = None
    component_id: str | None = None
    strategy: str | None = None
    since: datetime | None = None
    after: tuple[datetime, str] | None = None
    limit: int = 50


@dataclass(frozen=True, slots=True)
class Overview:
    """An execution with the data that its response body shows; ``read_at`` is by the database's clock."""

    execution: Execution
    read_at: datetime
    sequence: int
    """The sequence of the last event; with the execution's version it shows whether anything has changed."""
    canary: Sequence[str]
    estimated_seconds: int
    tally: Tally
    rolled_back: Sequence[str]
    checks: Sequence[CheckResult]


class Overviews(Protocol):
    """Executions as they are shown; every method is one SQL statement."""

    async def get(self, execution_id: str) -> Overview:
        """:raises NotFound: there is no such execution."""

    async def active(self, tenant_id: str, component_id: str) -> Overview | None:
        """The execution that is not settled."""

    async def page(self, wanted: ExecutionFilter) -> Sequence[Overview]:
        """A page of a tenant's executions, newest first."""
