"""What the use cases need of the component registry's store (see ports.py)."""

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


class Registry(Protocol):
    """Components, versions, paths, deployments, backups; lists are by id, those above ``after``."""

    async def component(self, component_id: str) -> Component | None: ...
    async def components(self, after: str, limit: int) -> list[Component]: ...
    async def versions(self, component_id: str, after: str, limit: int) -> list[ComponentVersion]: ...
    async def paths(self, component_id: str | None, after: str, limit: int) -> list[UpgradePath]: ...
    async def version(self, version_id: str) -> ComponentVersion | None: ...
    async def path(self, from_version_id: str, to_version_id: str) -> UpgradePath | None: ...
    async def deployment(self, tenant_id: str, component_id: str) -> Deployment | None: ...
    async def ways(self, limit: int) -> list[Deployment]:
        """A deployment for each driver and connection in use, those with an upgrade under way first."""

    async def backups(self, tenant_id: str, component_id: str) -> list[Backup]: ...
    async def versions_by_id(self, version_ids: Iterable[str]) -> dict[str, ComponentVersion]: ...
    async def everything(self) -> list[RegistryEntry]:
        """Parents first, each kind in the order of its key."""

    async def lock(self) -> None:
        """Nobody else adds to the registry before this unit of work ends; reading goes on."""

    async def put(self, thing: RegistryEntry) -> None:
        """Insert, or replace what has the same key.

        :raises AlreadyExists: what must be unique beside the key is taken.
        """

    async def add(self, thing: Component | ComponentVersion | UpgradePath | Backup) -> None:
        """:raises AlreadyExists: the id, or what must be unique beside it, is taken."""

    async def recommend_only(self, version: ComponentVersion) -> None:
        """Take the recommendation from the component's other versions."""
