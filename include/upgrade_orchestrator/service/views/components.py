"""Use cases: the page of all components, and the one of a component with its versions, paths and deployments."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from upgrade_orchestrator.domain.errors import NotFound
from upgrade_orchestrator.domain.registry.entries import Backup, Component, ComponentVersion, Deployment, UpgradePath
from upgrade_orchestrator.domain.registry.schemes import Scheme, is_downgrade, key_of
from upgrade_orchestrator.service.ports.stores.catalogue import ComponentSummary, LastUpgrade, Tenants
from upgrade_orchestrator.service.ports.unit_of_work import Ports, UnitOfWork

MOST_VERSIONS, MOST_PATHS = 1000, 3000
"How many versions and paths of a component are read at most."


@dataclass(frozen=True, slots=True)
class Part:
    """Which part of a component's lists is read; the limits are of deployments and backups."""

    tenants: Tenants = None
    """Those that the caller may see; None: all."""
    after_tenant: str = ""
    before_backup: tuple[datetime, str] | None = None
    limit: int = 20


@dataclass(frozen=True, slots=True)
class ComponentDetail:
    """A component with all that its page shows; deployments and backups are those of the caller's tenants."""

    component: Component
    scheme: Scheme
    versions: Sequence[ComponentVersion]
    """Newest first."""
    paths: Sequence[UpgradePath]
    deployments: Sequence[Deployment]
    running: Mapping[str, int]
    """The number of deployments by the id of their current version."""
    last: Mapping[str, LastUpgrade]
    """By tenant."""
    backups: Sequence[Backup]
    now: datetime

    def downgrade(self, source: ComponentVersion, target: ComponentVersion) -> bool:
        """Whether ``target`` is lower than ``source``."""
        return is_downgrade(self.scheme, source.version, target.version)


async def show_components(
    ports: Ports, tenants: Tenants, text: str | None, after: str, limit: int
) -> list[ComponentSummary]:
    """Components by name, from after ``after``, with the counts of these tenants."""
    async with ports.work() as work:
        return await work.catalogue.components(tenants, text, after, limit)


async def load_component(ports: Ports, component_id: str, part: Part) -> ComponentDetail:
    """Read all from one snapshot, with a fixed number of SQL statements.

    :raises NotFound: there is no such component.
    """
    async with ports.work() as work:
        await work.use_snapshot()
        component, scheme, versions = await versions_of(work, component_id)
        lists = work.catalogue
        deployments = await lists.deployments(component_id, part.tenants, part.after_tenant, part.limit)
        last = await lists.newest(component_id, [each.tenant_id for each in deployments])
        return ComponentDetail(
            component,
            scheme,
            versions,
            await work.registry.paths(component_id, "", MOST_PATHS),
            deployments,
            await lists.running(component_id, part.tenants),
            {each.tenant_id: each for each in last},
            await lists.backups(component_id, part.tenants, part.before_backup, part.limit),
            await work.now(),
        )


async def versions_of(work: UnitOfWork, component_id: str) -> tuple[Component, Scheme, list[ComponentVersion]]:
    """The component, the scheme of its versions, and these, newest first.

    :raises NotFound: there is no such component.
    """
    component = await work.registry.component(component_id)
    if component is None:
        raise NotFound(f"there is no component {component_id}")
    scheme = (await work.registry.schemes([component_id]))[component_id]
    return component, scheme, newest_first(await work.registry.versions(component_id, "", MOST_VERSIONS), scheme)


def newest_first(versions: Iterable[ComponentVersion], scheme: Scheme) -> list[ComponentVersion]:
    """By the scheme; versions without an order come last, by their text."""
    keyed = [(key_of(scheme, each.version), each) for each in versions]
    ordered = sorted(((key, each) for key, each in keyed if key is not None), key=lambda pair: pair[0], reverse=True)
    others = sorted((each for key, each in keyed if key is None), key=lambda each: each.version)
    return [each for _, each in ordered] + others
