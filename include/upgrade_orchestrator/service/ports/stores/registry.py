"""The store of the component registry."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

from upgrade_orchestrator.domain.registry.entries import (
    Backup,
    Component,
    ComponentVersion,
    Deployment,
    RegistryEntry,
    UpgradePath,
)
from upgrade_orchestrator.domain.registry.schemes import Scheme


class Registry(Protocol):
    """Components, versions, paths, deployments and backups; lists are ordered by id and begin after ``after``."""

    async def component(self, component_id: str) -> Component | None: ...
    async def components(self, after: str, limit: int) -> list[Component]: ...
    async def versions(self, component_id: str, after: str, limit: int) -> list[ComponentVersion]: ...
    async def paths(self, component_id: str | None, after: str, limit: int) -> list[UpgradePath]: ...
    async def version(self, version_id: str) -> ComponentVersion | None: ...
    async def path(self, from_version_id: str, to_version_id: str) -> UpgradePath | None: ...
    async def deployment(self, tenant_id: str, component_id: str) -> Deployment | None: ...
    async def deployment_of_fleet(self, conn_id: str, fleet: str) -> Deployment | None:
        """The deployment to which the fleet ``fleet`` of the connection ``conn_id`` belongs."""

    async def connections(self, limit: int) -> list[Deployment]:
        """One deployment for each driver and connection in use, those with a running upgrade first."""

    async def backups(self, tenant_id: str, component_id: str) -> list[Backup]: ...
    async def versions_by_id(self, version_ids: Iterable[str]) -> dict[str, ComponentVersion]: ...
    async def schemes(self, component_ids: Iterable[str]) -> dict[str, Scheme]:
        """The scheme that orders each component's versions, found out where AUTO is declared; unknown ids left out."""

    async def everything(self) -> list[RegistryEntry]:
        """All entries, parents first, each kind ordered by its key."""

    async def lock(self) -> None:
        """Lock the registry for writing until this unit of work ends; reads are not blocked."""

    async def put(self, thing: RegistryEntry) -> None:
        """Insert the entry, or replace the one with the same key.

        :raises AlreadyExists: another value that must be unique is taken.
        """

    async def add(self, thing: Component | ComponentVersion | UpgradePath | Backup) -> None:
        """:raises AlreadyExists: the id, or another value that must be unique, is taken."""

    async def recommend_only(self, version: ComponentVersion) -> None:
        """Remove the recommendation from the component's other versions."""
