"""Use case: what the form for a new upgrade offers for a tenant, a component and the version to start from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from upgrade_orchestrator.domain.checks.compatibility import target_findings
from upgrade_orchestrator.domain.registry.entries import ComponentVersion, Deployment, UpgradePath
from upgrade_orchestrator.domain.registry.schemes import is_downgrade
from upgrade_orchestrator.service.ports.stores.catalogue import ComponentSummary
from upgrade_orchestrator.service.ports.unit_of_work import Ports, UnitOfWork
from upgrade_orchestrator.service.views.components import MOST_PATHS, versions_of

MOST_COMPONENTS = 500
"How many components are offered at most."


@dataclass(frozen=True, slots=True)
class Target:
    """A version to which a path leads; with ``reasons`` it cannot be chosen now."""

    version: ComponentVersion
    downgrade: bool
    path_reasons: tuple[str, ...] = ()
    """Why the path is closed."""
    version_reasons: tuple[str, ...] = ()
    """Why nothing is upgraded to this version, such as ``is DRAFT, only STABLE versions are upgraded to``."""

    @property
    def reasons(self) -> tuple[str, ...]:
        """Why it cannot be chosen; empty if it can."""
        return self.path_reasons + self.version_reasons


@dataclass(frozen=True, slots=True)
class Choices:
    """What can be chosen. ``deployment`` None: the tenant has none of this component, or one of the two is not chosen.

    ``components``: all of them; those with a deployment of the tenant count one. ``sources``: the version that the
    deployment runs, then others that some of its instances run; ``source``: the chosen one of them. ``targets``: those
    that can be chosen first, of them the recommended one first, then newer before older ones.
    """

    components: Sequence[ComponentSummary]
    deployment: Deployment | None = None
    sources: Sequence[ComponentVersion] = ()
    source: ComponentVersion | None = None
    targets: Sequence[Target] = ()
    without_path: int = 0
    """How many other versions cannot be reached from ``source`` by one path."""


async def form_choices(ports: Ports, tenant_id: str | None, component_id: str | None, from_id: str | None) -> Choices:
    """The choices; unknown ids lead to none, since the API says what is wrong with them."""
    async with ports.work() as work:
        await work.use_snapshot()
        tenants = frozenset({tenant_id} if tenant_id else ())
        components = await work.catalogue.components(tenants, None, "", MOST_COMPONENTS)
        deployment = await work.registry.deployment(tenant_id, component_id) if tenant_id and component_id else None
        if deployment is None:
            return Choices(components)
        return await _of_deployment(work, components, deployment, from_id, ports.options.platform_version)


async def _of_deployment(
    work: UnitOfWork,
    components: Sequence[ComponentSummary],
    deployment: Deployment,
    from_id: str | None,
    platform: str | None,
) -> Choices:
    _, scheme, versions = await versions_of(work, deployment.component_id)
    sources = _sources(versions, deployment)
    source = next((each for each in sources if each.id == from_id), sources[0] if sources else None)
    if source is None:
        return Choices(components, deployment)
    paths = await work.registry.paths(deployment.component_id, "", MOST_PATHS)
    ways = {each.to_version_id: each for each in paths if each.from_version_id == source.id}
    now = await work.now()
    targets = [
        _target(each, ways[each.id], platform, now, downgrade=is_downgrade(scheme, source.version, each.version))
        for each in versions
        if each.id in ways
    ]
    targets.sort(key=lambda each: (bool(each.reasons), each.downgrade, not each.version.recommended))
    return Choices(components, deployment, sources, source, targets, len(versions) - 1 - len(targets))


def _sources(versions: Sequence[ComponentVersion], deployment: Deployment) -> list[ComponentVersion]:
    current = [each for each in versions if each.id == deployment.current_version_id]
    return current + [each for each in versions if each.version in (deployment.mixed or {}) and each not in current]


def _target(
    version: ComponentVersion, path: UpgradePath, platform: str | None, now: datetime, *, downgrade: bool
) -> Target:
    found = target_findings(version, platform, now).blockers
    reasons = (each.partition(": ")[0].removeprefix(f"version {version.version} ") for each in found)
    return Target(version, downgrade, path.blockers, tuple(reasons))
