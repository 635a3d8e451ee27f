"""Use cases of upgrade paths: add, list, and calculate routes between versions (specification section 1)."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace

from upgrade_orchestrator.domain.errors import ValidationFailed
from upgrade_orchestrator.domain.registry.entries import ComponentVersion, RiskLevel, UpgradePath
from upgrade_orchestrator.domain.registry.rules import risk_of
from upgrade_orchestrator.domain.registry.schemes import Scheme
from upgrade_orchestrator.domain.routes.search import RouteResult, Search, find_routes
from upgrade_orchestrator.service.ports.unit_of_work import Ports, UnitOfWork
from upgrade_orchestrator.service.registry.write import require_component, version_of

EVERY = 1_000_000
"A limit that is higher than any component's number of versions or paths."


@dataclass(frozen=True, slots=True)
class PathView:
    """A path with its two versions, and the scheme that orders them."""

    path: UpgradePath
    source: ComponentVersion
    target: ComponentVersion
    scheme: Scheme


@dataclass(frozen=True, slots=True)
class Calculated:
    """The input of the search and its result."""

    search: Search
    result: RouteResult


async def add_path(ports: Ports, path: UpgradePath, risk: RiskLevel | None) -> PathView:
    """Add a path between two versions of its component; without ``risk`` the risk follows from the upgrade's type.

    :raises NotFound: no such component or version.
    :raises VersionMismatch: a version of another component.
    :raises AlreadyExists: the id is taken, or there is a path between the two versions.
    """
    async with ports.work() as work:
        source, target = await _ends(work, path.component_id, path.from_version_id, path.to_version_id)
        scheme = (await work.registry.schemes([path.component_id]))[path.component_id]
        added = replace(path, risk_level=risk or risk_of(scheme, source, target))
        await work.registry.add(added)
        await work.commit()
    return PathView(added, source, target, scheme)


async def list_paths(ports: Ports, component_id: str | None, after: str, limit: int) -> list[PathView]:
    """Paths by id, from after ``after``."""
    async with ports.work() as work:
        found = await work.registry.paths(component_id, after, limit)
        ids = {each for path in found for each in (path.from_version_id, path.to_version_id)}
        versions = await work.registry.versions_by_id(ids)
        schemes = await work.registry.schemes({path.component_id for path in found})
    return [
        PathView(path, versions[path.from_version_id], versions[path.to_version_id], schemes[path.component_id])
        for path in found
    ]


async def calculate_route(ports: Ports, component_id: str, from_version_id: str, to_version_id: str) -> Calculated:
    """The routes from one version to another, best first; without any, the missing paths.

    :raises NotFound: no such component or version.
    :raises VersionMismatch: a version of another component.
    :raises ValidationFailed: the two are the same.
    """
    if from_version_id == to_version_id:
        raise ValidationFailed.of("toVersionId", "must differ from fromVersionId")
    async with ports.work() as work:
        source, target = await _ends(work, component_id, from_version_id, to_version_id)
        scheme = (await work.registry.schemes([component_id]))[component_id]
        versions = {each.id: each for each in await work.registry.versions(component_id, "", EVERY)}
        paths = await work.registry.paths(component_id, "", EVERY)
        now = await work.now()
    search = Search(versions, paths, source, target, ports.options.platform_version, now, scheme)
    # in a thread, because with hundreds of versions it would block the event loop for too long
    return Calculated(search, await asyncio.to_thread(find_routes, search))


async def _ends(
    work: UnitOfWork, component_id: str, from_version_id: str, to_version_id: str
) -> tuple[ComponentVersion, ComponentVersion]:
    await require_component(work, component_id)
    source = await version_of(work, component_id, "fromVersionId", from_version_id)
    return source, await version_of(work, component_id, "toVersionId", to_version_id)
