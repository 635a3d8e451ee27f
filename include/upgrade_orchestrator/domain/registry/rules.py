"""The rules for a registered version, the same for REST and for a registry file (specification section 1)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import date

from upgrade_orchestrator.domain.registry.entries import ComponentVersion, RiskLevel, VersionStatus
from upgrade_orchestrator.domain.registry.ranges import VersionRange
from upgrade_orchestrator.domain.registry.schemes import Scheme, upgrade_type
from upgrade_orchestrator.domain.registry.texts import version_problem
from upgrade_orchestrator.domain.registry.versions import Version

_RISK_OF_TYPE = {None: RiskLevel.HIGH, "PATCH": RiskLevel.LOW, "MINOR": RiskLevel.MEDIUM, "MAJOR": RiskLevel.HIGH}


@dataclass(frozen=True, slots=True)
class Problem:
    """A field, spelled as in the API, and the problem with it."""

    field: str
    message: str


def risk_of(scheme: Scheme, source: ComponentVersion, target: ComponentVersion) -> RiskLevel:
    """The risk by the type of the upgrade; HIGH when the versions cannot be ordered."""
    return _RISK_OF_TYPE[upgrade_type(scheme, source.version, target.version)]


def version_problems(version: ComponentVersion) -> list[Problem]:
    """Texts that are no version, ranges that do not parse, and bounds that cannot be compared or contradict each other.

    Any text is a version; but bounds are compared with the platform's version, so they need an order.
    """
    found = version_problem(version.version)
    bounds = {"minPlatformVersion": version.min_platform_version, "maxPlatformVersion": version.max_platform_version}
    ranges = {f"dependencies.{name}": text for name, text in version.dependencies.items()}
    problems = [Problem("version", found)] if found else []
    problems += [*_unparsable(bounds, Version.parse), *_unparsable(ranges, VersionRange.parse)]
    return [*(problems or _platform_bounds(version)), *_dates(version)]


def version_warnings(version: ComponentVersion) -> list[Problem]:
    """What may be meant in another way: a range that is a bare version means exactly that one."""
    found = []
    for name, text in sorted(version.dependencies.items()):
        with suppress(ValueError):  # a problem, not a warning
            found += [Problem(f"dependencies.{name}", said) for said in VersionRange.parse(text).warnings]
    return found


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
