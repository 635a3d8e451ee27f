"""Finds routes between two versions, or what is missing for one (specification section 1, calculate)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import datetime

from upgrade_orchestrator.domain.checks.compatibility import target_findings
from upgrade_orchestrator.domain.registry.entries import ComponentVersion, UpgradePath
from upgrade_orchestrator.domain.registry.versions import Version, is_downgrade, upgrade_type
from upgrade_orchestrator.domain.routes.paths import Route, best_routes, leading_to, reachable_from

MAX_ROUTES = 6
"The best one and five alternatives."

MAX_MISSING = 10

_TYPES = ("PATCH", "MINOR", "MAJOR")


@dataclass(frozen=True, slots=True)
class Search:
    """The input of the search: a component's versions and paths, source and target, and the platform's version."""

    versions: Mapping[str, ComponentVersion]
    paths: Sequence[UpgradePath]
    source: ComponentVersion
    target: ComponentVersion
    platform_version: str | None
    at: datetime


@dataclass(frozen=True, slots=True)
class ClosedPath:
    """A path between source and target that cannot be used now, with every reason."""

    path: UpgradePath
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class MissingPath:
    """Two versions; registering a path between them would complete a route."""

    source: ComponentVersion
    target: ComponentVersion


@dataclass(frozen=True, slots=True)
class RouteResult:
    """The routes, best first; without any, the reachable versions and the missing paths, smallest jump first.

    ``blockers`` are those of the target itself: no path helps while there are any.
    """

    routes: tuple[Route, ...]
    closed: tuple[ClosedPath, ...]
    reachable: tuple[str, ...] = ()
    leading: tuple[str, ...] = ()
    missing: tuple[MissingPath, ...] = ()
    blockers: tuple[str, ...] = ()


def find_routes(search: Search) -> RouteResult:
    """Search the paths that an upgrade could use: not closed, and to versions that may be upgraded to."""
    refused = {each.id: _refusals(search, each) for each in search.versions.values()}
    closed = {path.id: path.blockers + refused[path.to_version_id] for path in search.paths}
    usable = [path for path in search.paths if not closed[path.id]]
    routes = tuple(best_routes(usable, search.source.id, search.target.id, MAX_ROUTES))
    named = tuple(ClosedPath(path, closed[path.id]) for path in _between(search) if closed[path.id])
    if routes:
        return RouteResult(routes, named)
    reachable, leading = reachable_from(usable, search.source.id), leading_to(usable, search.target.id)
    ends = {each for each in leading if not refused[each]}
    jumps = tuple(_jumps(search, reachable, ends)[:MAX_MISSING])
    return RouteResult((), named, tuple(sorted(reachable)), tuple(sorted(leading)), jumps, refused[search.target.id])


def _refusals(search: Search, version: ComponentVersion) -> tuple[str, ...]:
    return target_findings(version, search.platform_version, search.at).blockers


def _between(search: Search) -> list[UpgradePath]:
    """The paths on any route from source to target, closed ones included."""
    reachable, leading = reachable_from(search.paths, search.source.id), leading_to(search.paths, search.target.id)
    return [path for path in search.paths if path.from_version_id in reachable and path.to_version_id in leading]


def _jumps(search: Search, starts: AbstractSet[str], ends: AbstractSet[str]) -> list[MissingPath]:
    """All jumps that would complete a route: those in the direction of the upgrade first, then the smallest."""
    known = {(path.from_version_id, path.to_version_id) for path in search.paths}
    positions = _positions(search.versions.values())
    back = is_downgrade(search.source.version, search.target.version)

    def size(jump: MissingPath) -> tuple[bool, int, int, str, str]:
        against = is_downgrade(jump.source.version, jump.target.version) is not back
        between = abs(positions.get(jump.source.id, 0) - positions.get(jump.target.id, 0))
        return against, _weight(jump), between, jump.source.id, jump.target.id

    pairs = ((start, end) for start in starts for end in ends if (start, end) not in known)
    return sorted((MissingPath(search.versions[start], search.versions[end]) for start, end in pairs), key=size)


def _weight(jump: MissingPath) -> int:
    kind = type_of(jump.source, jump.target)
    return _TYPES.index(kind) if kind else len(_TYPES)


def _positions(versions: Iterable[ComponentVersion]) -> dict[str, int]:
    """The position of each version among the component's, oldest first; versions without an order are left out."""
    ordered = sorted((found, each.id) for each in versions if (found := _parsed(each.version)))
    return {version_id: position for position, (_, version_id) in enumerate(ordered)}


def _parsed(text: str) -> Version | None:
    try:
        return Version.parse(text)
    except ValueError:
        return None


def type_of(source: ComponentVersion, target: ComponentVersion) -> str | None:
    """PATCH, MINOR or MAJOR; None for names without an order."""
    try:
        return upgrade_type(source.version, target.version)
    except ValueError:
        return None
