"""The board: the executions of all tenants that a caller may see, as the status view lists them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from upgrade_orchestrator.domain.execution.execution import Strategy
from upgrade_orchestrator.domain.execution.states import ExecutionStatus
from upgrade_orchestrator.service.ports.stores.overviews import Overview


class Group(StrEnum):
    """Groups of statuses by which the list can be filtered."""

    ACTIVE = "ACTIVE"
    "Executions that have not ended."
    AWAITING_APPROVAL = "AWAITING_APPROVAL"
    "Executions with a stage that waits for a decision."
    NEEDS_ATTENTION = "NEEDS_ATTENTION"
    "Executions that something keeps from going on."


@dataclass(frozen=True, slots=True)
class BoardFilter:
    """The filter of the board; ``tenants`` None: all tenants. ``after`` is the last id of the page before."""

    tenants: frozenset[str] | None = None
    status: ExecutionStatus | Group | None = None
    component_id: str | None = None
    strategy: Strategy | None = None
    text: str | None = None
    after: str | None = None
    limit: int = 25


@dataclass(frozen=True, slots=True)
class Counts:
    """The number of executions by status: the unfinished ones, and those that ended within the last day."""

    active: dict[ExecutionStatus, int]
    ended: dict[ExecutionStatus, int]
    awaiting: int
    """Stages that wait for an approval."""
    attention: int = 0
    """Executions that something keeps from going on."""


class Board(Protocol):
    """Executions of all tenants; every method is one SQL statement."""

    async def page(self, wanted: BoardFilter) -> Sequence[Overview]:
        """A page, newest first: by id, as ids grow with time."""

    async def counts(self, tenants: frozenset[str] | None) -> Counts:
        """The counts of these tenants (None: of all)."""

    async def tenants(self) -> frozenset[str]:
        """Every tenant that has a deployment."""
