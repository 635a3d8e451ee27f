"""Whether upgrading to a version is allowed: path, target, platform and dependencies (specification section 7)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from upgrade_orchestrator.domain.checks.checks import Findings
from upgrade_orchestrator.domain.execution.execution import Strategy, UpgradeRequest
from upgrade_orchestrator.domain.registry.clauses import Clause
from upgrade_orchestrator.domain.registry.entries import (
    ComponentVersion,
    Deployment,
    RiskLevel,
    UpgradePath,
    VersionStatus,
)
from upgrade_orchestrator.domain.registry.ranges import VersionRange
from upgrade_orchestrator.domain.registry.schemes import Scheme, is_downgrade
from upgrade_orchestrator.domain.registry.texts import quoted
from upgrade_orchestrator.domain.registry.versions import Version


@dataclass(frozen=True, slots=True)
class Compatibility:
    """Everything that the check of version compatibility reads; ``scheme`` orders the component's versions."""

    request: UpgradeRequest
    source: ComponentVersion
    target: ComponentVersion
    path: UpgradePath | None
    deployment: Deployment
    platform_version: str | None
    scheme: Scheme = Scheme.AUTO
    reverts: bool = False
    """It brings instances back to versions that they ran before: whatever is found here only warns (section 1)."""


def compatibility(case: Compatibility, now: datetime, *, finishing: bool = False) -> Findings:
    """VERSION_COMPATIBILITY: path, target, current version and platform.

    ``finishing``: the upgrade is under way. Then only a closed path blocks it; what has changed around the target
    meanwhile warns, because half a fleet must be finishable (section 3).
    """
    if case.reverts:
        return _only_warning(
            _way_back(case) + _target(case.target, now) + _platform(case.target, case.platform_version)
        )
    way = path_findings(case.source, case.target, case.path, case.request.strategy, case.scheme)
    rest = _target(case.target, now) + _current(case) + _platform(case.target, case.platform_version)
    return way + (_only_warning(rest) if finishing else rest)


def _way_back(case: Compatibility) -> Findings:
    if case.path is not None:
        return path_findings(case.source, case.target, case.path, case.request.strategy, case.scheme)
    return Findings((), (f"no path from {case.source.version} to {case.target.version} is registered",))


def _only_warning(findings: Findings) -> Findings:
    return Findings((), findings.blockers + findings.warnings)


def target_findings(target: ComponentVersion, platform_version: str | None, now: datetime) -> Findings:
    """Whether an upgrade to ``target`` is allowed on this platform, from any version."""
    return _target(target, now) + _platform(target, platform_version)


def path_findings(
    source: ComponentVersion,
    target: ComponentVersion,
    path: UpgradePath | None,
    strategy: Strategy | None,
    scheme: Scheme = Scheme.AUTO,
) -> Findings:
    """The findings on the upgrade path: missing, closed, or its warnings; ``strategy`` None: not chosen yet."""
    way = f"{source.version} to {target.version}"
    if path is None:
        kind = "downgrade path" if is_downgrade(scheme, source.version, target.version) else "upgrade path"
        todo = "register one with POST /upgrade-paths, or go in several upgrades (GET /upgrade-paths/calculate)"
        return Findings((f"no {kind} from {way} is registered: {todo}",))
    blockers = tuple(f"the path {way} is closed: {text}" for text in path.blockers)
    return Findings(blockers, _path_warnings(path, strategy, way))


def _path_warnings(path: UpgradePath, strategy: Strategy | None, way: str) -> tuple[str, ...]:
    warnings = []
    if not path.tested:
        warnings.append(f"the path {way} is not marked as tested")
    if path.risk_level is RiskLevel.HIGH:
        warnings.append(f"the path {way} has HIGH risk")
    if path.requires_downtime and strategy is None:
        warnings.append(f"the path {way} requires downtime, only strategy RECREATE allows for it")
    elif path.requires_downtime and strategy is not Strategy.RECREATE:
        warnings.append(f"the path {way} requires downtime, which strategy {strategy} does not provide for")
    return tuple(warnings)


def _target(target: ComponentVersion, now: datetime) -> Findings:
    blockers, call = [], f"PUT /versions/{target.id}/status"
    if target.status is not VersionStatus.STABLE:
        found = f"version {target.version} is {target.status}, only STABLE versions are upgraded to"
        blockers.append(f"{found}: choose another one, or make it STABLE ({call})")
    if target.is_past_end_of_life(now.date()):
        found = f"version {target.version} is past its end of life ({target.end_of_life_date})"
        blockers.append(f"{found}: choose another one, or give it a later endOfLifeDate ({call})")
    return Findings(tuple(blockers))


def _current(case: Compatibility) -> Findings:
    runs, mixed = case.deployment.current_version_id, case.deployment.mixed or {}
    if runs == case.source.id or case.source.version in mixed:
        return Findings()
    found = f"the deployment runs version {runs}, fromVersionId says {case.source.id}"
    return Findings((f"{found}: start from {runs}, or correct the deployment (PUT .../deployment)",))


def _platform(target: ComponentVersion, platform: str | None) -> Findings:
    low, high = target.min_platform_version, target.max_platform_version
    if low is None and high is None:
        return Findings()
    wanted = f"version {target.version} requires platform {low or 'any'} to {high or 'any'}"
    if platform is None:
        return Findings((f"{wanted}, the platform's version is not known; set upgrades_platform_version",))
    try:
        fits = _between(platform, low, high)
    except ValueError as error:
        return Findings((f"{wanted}, the platform {platform} cannot be compared: {error}",))
    if fits:
        return Findings()
    return Findings((f"{wanted}, the platform is {platform}: upgrade the platform, or choose another version",))


def _between(platform: str, low: str | None, high: str | None) -> bool:
    bounds = ((">=", low), ("<=", high))
    clauses = [Clause(operator, Version.parse(bound)) for operator, bound in bounds if bound is not None]
    return all(clause.allows(Version.parse(platform)) for clause in clauses)


@dataclass(frozen=True, slots=True)
class Dependency:
    """A dependency of the target: the range it needs, the version found, and the problem (None: satisfied)."""

    name: str
    wanted: str
    found: str | None
    problem: str | None


def dependencies(target: ComponentVersion, installed: Mapping[str, str] | None) -> Findings:
    """DEPENDENCY_CHECK: a blocker for each dependency of the target that is missing or out of its range."""
    return Findings(tuple(each.problem for each in dependencies_of(target, installed) if each.problem))


def dependencies_of(target: ComponentVersion, installed: Mapping[str, str] | None) -> list[Dependency]:
    """All dependencies of the target by name, each with the version found."""
    found = installed or {}
    return [_dependency(name, wanted, found.get(name)) for name, wanted in sorted(target.dependencies.items())]


def _dependency(name: str, wanted: str, found: str | None) -> Dependency:
    return Dependency(name, wanted, found, _problem(f"{name} {wanted} is needed", wanted, found))


def _problem(needed: str, wanted: str, found: str | None) -> str | None:
    if found is None:
        return f"{needed} and not in installedComponents: install it, or name the version that is installed"
    try:
        fits = VersionRange.parse(wanted).allows(found)
    except ValueError as error:
        return f"{needed}, {quoted(found)} in installedComponents cannot be compared with it: {error}"
    return None if fits else f"{needed}, {found} is installed: install one in this range before the upgrade"
