"""The rules for a registered version, the same for REST and for a registry file (specification section 1)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date

from upgrade_orchestrator.domain.registry.entries import ComponentVersion, RiskLevel, VersionStatus
from upgrade_orchestrator.domain.registry.versions import Version, VersionRange, upgrade_type

_RISK_OF_TYPE = {"PATCH": RiskLevel.LOW, "MINOR": RiskLevel.MEDIUM, "MAJOR": RiskLevel.HIGH}


@dataclass(frozen=True, slots=True)
class Problem:
    """A field, spelled as in the API, and the problem with it."""

    field: str
    message: str


def risk_of(source: ComponentVersion, target: ComponentVersion) -> RiskLevel:
    """The risk by the type of the upgrade; HIGH when the versions cannot be ordered."""
    try:
        return _RISK_OF_TYPE[upgrade_type(source.version, target.version)]
    except ValueError:
        return RiskLevel.HIGH


def version_problems(version: ComponentVersion) -> list[Problem]:
    """Versions and ranges that do not parse, and bounds that contradict each other."""
    texts = {
        "version": version.version,
        "minPlatformVersion": version.min_platform_version,
        "maxPlatformVersion": version.max_platform_version,
    }
    ranges = {f"dependencies.{name}": text for name, text in version.dependencies.items()}
    problems = [*_unparsable(texts, Version.parse), *_unparsable(ranges, VersionRange.parse)]
    return [*(problems or _platform_bounds(version)), *_dates(version)]


def life_problems(version: ComponentVersion, today: date) -> list[Problem]:
    """Dates that contradict each other or the status: past its end of life a version counts as EOL."""
    problems = _dates(version)
    if version.status is not VersionStatus.EOL and version.is_past_end_of_life(today):
        found = f"is {version.end_of_life_date}, which has come: the version counts as EOL"
        problems += [Problem("endOfLifeDate", f"{found}; make it {version.status} with a later one, or with null")]
    return problems


def _unparsable(texts: Mapping[str, str | None], parse: Callable[[str], object]) -> Iterable[Problem]:
    for field, text in texts.items():
        try:
            parse(text) if text is not None else None
        except ValueError as error:
            yield Problem(field, str(error))


def _platform_bounds(version: ComponentVersion) -> list[Problem]:
    low, high = version.min_platform_version, version.max_platform_version
    if low is None or high is None or Version.parse(low) <= Version.parse(high):
        return []
    return [Problem("maxPlatformVersion", f"{high} is below minPlatformVersion {low}")]


def _dates(version: ComponentVersion) -> list[Problem]:
    released, ends = version.release_date, version.end_of_life_date
    if released is None or ends is None or released <= ends:
        return []
    return [Problem("endOfLifeDate", f"{ends} is before releaseDate {released}")]
