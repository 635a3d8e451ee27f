"""Whether a version may be gone to: path, target, platform and dependencies (contract section 7)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from include.upgrades.domain.checks import Findings
from include.upgrades.domain.execution import Strategy, UpgradeRequest
from include.upgrades.domain.registry import ComponentVersion, Deployment, RiskLevel, UpgradePath, VersionStatus
from include.upgrades.domain.versions import Version, VersionRange


@dataclass(frozen=True, slots=True)
class Compatibility:
    """All that version compatibility is judged by."""

    request: UpgradeRequest
    source: ComponentVersion
    target: ComponentVersion
    path: UpgradePath | None
    deployment: Deployment
    platform_version: str | None


def compatibility(case: Compatibility, now: datetime) -> Findings:
    """Path, target, current version and platform (VERSION_COMPATIBILITY)."""
    return _path(case) + _target(case.target, now) + _current(case) + _platform(case.target, case.platform_version)


def _path(case: Compatibility) -> Findings:
    way = f"{case.source.version} to {case.target.version}"
    if case.path is None:
        kind = "downgrade path" if _is_downgrade(case) else "upgrade path"
        return Findings((f"no {kind} from {way} is registered; register one with POST /upgrade-paths",))
    blockers = tuple(f"the path {way} is closed: {text}" for text in case.path.blockers)
    return Findings(blockers, _path_warnings(case.path, case.request.strategy, way))


def _is_downgrade(case: Compatibility) -> bool:
    try:
        return Version.parse(case.target.version) < Version.parse(case.source.version)
    except ValueError:  # names such as "jammy" have no order: only their path is missing
        return False


def _path_warnings(path: UpgradePath, strategy: Strategy, way: str) -> tuple[str, ...]:
    warnings = []
    if not path.tested:
        warnings.append(f"the path {way} is not marked as tested")
    if path.risk_level is RiskLevel.HIGH:
        warnings.append(f"the path {way} has HIGH risk")
    if path.requires_downtime and strategy is not Strategy.RECREATE:
        warnings.append(f"the path {way} requires downtime, strategy {strategy.value} promises none")
    return tuple(warnings)


def _target(target: ComponentVersion, now: datetime) -> Findings:
    blockers = []
    if target.status is not VersionStatus.STABLE:
        blockers.append(f"version {target.version} is {target.status.value}, only STABLE versions are upgraded to")
    if target.end_of_life_date is not None and target.end_of_life_date <= now.date():
        blockers.append(f"version {target.version} is past its end of life ({target.end_of_life_date.isoformat()})")
    return Findings(tuple(blockers))


def _current(case: Compatibility) -> Findings:
    runs, mixed = case.deployment.current_version_id, case.deployment.mixed or {}
    if runs == case.source.id or case.source.version in mixed:
        return Findings()
    return Findings((f"the deployment runs version {runs}, fromVersionId says {case.source.id}",))


def _platform(target: ComponentVersion, platform: str | None) -> Findings:
    low, high = target.min_platform_version, target.max_platform_version
    if low is None and high is None:
        return Findings()
    wanted = f"version {target.version} wants platform {low or 'any'} to {high or 'any'}"
    if platform is None:
        return Findings((f"{wanted}, the platform's version is not known; set upgrades_platform_version",))
    try:
        fits = _between(platform, low, high)
    except ValueError as error:
        return Findings((f"{wanted}, the platform {platform} cannot be compared: {error}",))
    return Findings() if fits else Findings((f"{wanted}, the platform is {platform}",))


def _between(platform: str, low: str | None, high: str | None) -> bool:
    found = Version.parse(platform)
    return not (low and found < Version.parse(low)) and not (high and found > Version.parse(high))


def dependencies(target: ComponentVersion, installed: Mapping[str, str] | None) -> Findings:
    """Every dependency of the target in its range (DEPENDENCY_CHECK), naming each that is not."""
    found = installed or {}
    problems = (_dependency(name, wanted, found.get(name)) for name, wanted in sorted(target.dependencies.items()))
    return Findings(tuple(problem for problem in problems if problem))


def _dependency(name: str, wanted: str, found: str | None) -> str | None:
    if found is None:
        return f"{name} {wanted} is needed and not in installedComponents"
    try:
        fits = VersionRange.parse(wanted).allows(found)
    except ValueError as error:
        return f"{name} {wanted} is needed, {found} cannot be compared: {error}"
    return None if fits else f"{name} {wanted} is needed, {found} is installed"
