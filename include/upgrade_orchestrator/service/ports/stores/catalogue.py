"""The registry as its pages list it: over all tenants that a caller may see, page by page."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from upgrade_orchestrator.domain.execution.states import TERMINAL, ExecutionStatus
from upgrade_orchestrator.domain.registry.entries import Backup, Component, Deployment

Tenants = frozenset[str] | None
"""Those whose entries are read; None: all."""


@dataclass(frozen=True, slots=True)
class ComponentSummary:
    """A component with the number of its versions, and of its deployments and unfinished upgrades of these tenants."""

    component: Component
    versions: int
    recommended: str | None
    """The recommended version."""
    deployments: int
    active: int


@dataclass(frozen=True, slots=True)
class LastUpgrade:
    """The newest execution of a deployment; if one is unfinished, it is this one."""

    tenant_id: str
    execution_id: str
    status: ExecutionStatus
    from_version: str
    to_version: str
    created_at: datetime

    @property
    def has_ended(self) -> bool:
        """Whether its status is a terminal one."""
        return self.status in TERMINAL


class Catalogue(Protocol):
    """Reads only; every method is one SQL statement."""

    async def components(self, tenants: Tenants, text: str | None, after: str, limit: int) -> list[ComponentSummary]:
        """Ordered by name, from after the component with the id ``after``; ``text`` is searched in name and id."""

    async def deployments(self, component_id: str, tenants: Tenants, after: str, limit: int) -> list[Deployment]:
        """Ordered by tenant, beginning after the tenant ``after``."""

    async def running(self, component_id: str, tenants: Tenants) -> Mapping[str, int]:
        """The number of deployments by the id of their current version."""

    async def newest(self, component_id: str, tenants: Collection[str]) -> list[LastUpgrade]:
        """The newest execution of the component in each of these tenants that has a deployment and an execution."""

    async def backups(
        self, component_id: str, tenants: Tenants, before: tuple[datetime, str] | None, limit: int
    ) -> list[Backup]:
        """Newest first, those older than ``before`` (createdAt, id)."""
