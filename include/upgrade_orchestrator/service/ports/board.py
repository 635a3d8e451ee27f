"""The board: executions of every tenant that somebody may see, as the status view lists them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from upgrade_orchestrator.domain.execution.execution import Strategy
from upgrade_orchestrator.domain.execution.states import ExecutionStatus
from upgrade_orchestrator.service.ports.overviews import Overview


class Group(StrEnum):
    """What the list can be narrowed to beside one status."""

    ACTIVE = "ACTIVE"
    "Whatever has not ended."
    AWAITING_APPROVAL = "AWAITING_APPROVAL"
    "A stage waits for somebody's decision."


@dataclass(frozen=True, slots=True)
class BoardFilter:
    """What the board is narrowed to; ``tenants`` None: all of them. ``after`` is the id of the last row seen."""

    tenants: frozenset[str] | None = None
    status: ExecutionStatus | Group | None = None
    component_id: str | None = None
    strategy: Strategy | None = None
    text: str | None = None
    after: str | None = None
    limit: int = 25


@dataclass(frozen=True, slots=True)
class Counts:
    """How many executions stand where: the unfinished ones, and those that ended within the last day."""

    active: dict[ExecutionStatus, int]
    ended: dict[ExecutionStatus, int]
    awaiting: int
    """Stages that wait for an approval."""


class Board(Protocol):
    """Executions over all tenants; every method is one statement."""

    async def page(self, wanted: BoardFilter) -> Sequence[Overview]:
        """Newest first, by their ids, which grow with time."""

    async def counts(self, tenants: frozenset[str] | None) -> Counts:
        """Of these tenants, None: of all."""

    async def tenants(self) -> frozenset[str]:
        """Every tenant that has a deployment."""
