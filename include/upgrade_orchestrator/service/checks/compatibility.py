"""Use case: check by the registry whether a version may be upgraded to (specification section 1)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from upgrade_orchestrator.domain.checks.checks import Findings
from upgrade_orchestrator.domain.checks.compatibility import (
    Dependency,
    dependencies,
    dependencies_of,
    path_findings,
    target_findings,
)
from upgrade_orchestrator.domain.errors import ValidationFailed
from upgrade_orchestrator.domain.execution.execution import Strategy
from upgrade_orchestrator.domain.registry.entries import ComponentVersion
from upgrade_orchestrator.service.ports.unit_of_work import Ports, UnitOfWork
from upgrade_orchestrator.service.registry.upgrade_paths import PathView
from upgrade_orchestrator.service.registry.write import require_version, version_of


@dataclass(frozen=True, slots=True)
class CompatibilityQuery:
    """Where the version would run. None: not checked; for the platform: the version from the settings."""

    installed_components: Mapping[str, str] | None = None
    platform_version: str | None = None
    from_version_id: str | None = None
    strategy: Strategy | None = None


@dataclass(frozen=True, slots=True)
class CompatibilityVerdict:
    """The findings on the version, its dependencies, and the path to it if a source version was given."""

    version: ComponentVersion
    platform_version: str | None
    findings: Findings
    dependencies: list[Dependency]
    path: PathView | None


async def check_compatibility(ports: Ports, version_id: str, query: CompatibilityQuery) -> CompatibilityVerdict:
    """Check the version with all its findings at once.

    :raises NotFound: no such version.
    :raises VersionMismatch: fromVersionId is one of another component.
    :raises ValidationFailed: fromVersionId is the version itself.
    """
    platform = query.platform_version or ports.options.platform_version
    async with ports.work() as work:
        version = await require_version(work, version_id)
        way, path = await _way(work, version, query)
        findings = way + target_findings(version, platform, await work.now())
    findings += dependencies(version, query.installed_components)
    return CompatibilityVerdict(version, platform, findings, dependencies_of(version, query.installed_components), path)


async def _way(
    work: UnitOfWork, version: ComponentVersion, query: CompatibilityQuery
) -> tuple[Findings, PathView | None]:
    if query.from_version_id is None:
        return Findings(), None
    if query.from_version_id == version.id:
        raise ValidationFailed.of("fromVersionId", "must differ from the version that is checked")
    source = await version_of(work, version.component_id, "fromVersionId", query.from_version_id)
    path = await work.registry.path(source.id, version.id)
    scheme = (await work.registry.schemes([version.component_id]))[version.component_id]
    findings = path_findings(source, version, path, query.strategy, scheme)
    return findings, PathView(path, source, version, scheme) if path else None
