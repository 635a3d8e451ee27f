"""Finds routes between two versions, or what is missing for one (specification section 1, calculate)."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise

from upgrade_orchestrator.domain.checks.compatibility import target_findings
from upgrade_orchestrator.domain.registry.entries import ComponentVersion, UpgradePath
from upgrade_orchestrator.domain.registry.schemes import Scheme, is_downgrade, key_of, numbers_of, type_between
from upgrade_orchestrator.domain.routes.paths import Place, Route, best_routes, leading_to, reachable_from

MAX_ROUTES = 6
"The best one and five alternatives."

MAX_MISSING = 10

_TYPES = ("PATCH", "MINOR", "MAJOR")


@dataclass(frozen=True, slots=True)
class Search:
    """The input of the search: a component's versions and paths, source and target, and the platform's version.

    ``scheme`` orders the versions; it is not AUTO.
    """

    versions: Mapping[str, ComponentVersion]
    paths: Sequence[UpgradePath]
    source: ComponentVersion
    target: ComponentVersion
    platform_version: str | None
    at: datetime
    scheme: Scheme


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
    routes = tuple(best_routes(usable, search.source.id, search.target.id, MAX_ROUTES, _places(search)))
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


def _places(search: Search) -> dict[str, Place]:
    """Each version's place as a stop: the recommended one first, then the newest; without an order as the oldest."""
    positions = _positions(search)
    newest = max(positions.values(), default=0)
    return {each.id: (not each.recommended, newest - positions.get(each.id, -1)) for each in search.versions.values()}


def _positions(search: Search) -> dict[str, int]:
    """The position of each version among the component's, oldest first; versions without an order are left out."""
    keys = {
        each.id: key for each in search.versions.values() if (key := key_of(search.scheme, each.version)) is not None
    }
    ordered = sorted(keys, key=keys.__getitem__)
    position, found = 0, dict.fromkeys(ordered[:1], 0)
    for lower, higher in pairwise(ordered):
        position += keys[lower] < keys[higher]
        found[higher] = position
    return found


_Size = tuple[bool, int, int, str, str]


def _jumps(search: Search, starts: AbstractSet[str], ends: AbstractSet[str]) -> list[MissingPath]:
    """The jumps that would complete a route: those in the direction of the upgrade first, then the smallest."""
    known = {(path.from_version_id, path.to_version_id) for path in search.paths}
    size = _sizes(search)
    pairs = ((start, end) for start in starts for end in ends if (start, end) not in known)
    smallest = heapq.nsmallest(MAX_MISSING, (size(start, end) for start, end in pairs))
    return [MissingPath(search.versions[start], search.versions[end]) for *_, start, end in smallest]


def _sizes(search: Search) -> Callable[[str, str], _Size]:
    """The size of a jump, from what is computed once for each version, because there may be very many jumps."""
    scheme, positions = search.scheme, _positions(search)
    back = is_downgrade(scheme, search.source.version, search.target.version)
    numbers = {each: numbers_of(scheme, search.versions[each].version) for each in positions}

    def size(start: str, end: str) -> _Size:
        begin, stop = positions.get(start), positions.get(end)
        if begin is None or stop is None:
            return back, len(_TYPES), abs((begin or 0) - (stop or 0)), start, end
        kind = type_between(numbers[start], numbers[end])
        weight = _TYPES.index(kind) if kind else len(_TYPES)
        return (stop < begin) is not back, weight, abs(begin - stop), start, end

    return size
