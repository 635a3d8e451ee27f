"""Routes of several upgrades over the registered paths, the best one first (specification section 1, calculate)."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterable, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from functools import reduce

from upgrade_orchestrator.domain.registry.entries import RiskLevel, UpgradePath

_RISKS = tuple(RiskLevel)
"From lowest to highest, in the order of declaration."

_Rank = tuple[int, int, bool, int, int, tuple[str, ...]]
_Cost = tuple[int, int, int, tuple[str, ...]]
_NO_COST: _Cost = (0, 0, 0, ())


@dataclass(frozen=True, slots=True)
class Route:
    """Consecutive paths; no version occurs twice."""

    paths: tuple[UpgradePath, ...]

    @property
    def risk_level(self) -> RiskLevel:
        """The highest risk of its paths."""
        return max((path.risk_level for path in self.paths), key=_RISKS.index)

    @property
    def requires_downtime(self) -> bool:
        """True when any of its paths requires downtime."""
        return any(path.requires_downtime for path in self.paths)

    @property
    def estimated_duration_minutes(self) -> int | None:
        """The sum of its paths' durations; None when one of them has none."""
        known = [each for path in self.paths if (each := path.estimated_duration_minutes) is not None]
        return sum(known) if len(known) == len(self.paths) else None

    @property
    def rank(self) -> _Rank:
        """The sort key, lower is better: steps, risk, downtime, duration (unknown ones last); ids make it unique."""
        steps, unknown, minutes, ids = reduce(_with, self.paths, _NO_COST)
        return steps, _RISKS.index(self.risk_level), self.requires_downtime, unknown, minutes, ids


def best_routes(paths: Sequence[UpgradePath], source: str, target: str, most: int) -> list[Route]:
    """The ``most`` best routes between two different versions over ``paths``, best first.

    This is Yen's algorithm: the next best route leaves a better one at some version, so for each version of that
    route the best deviation is searched while the part before it is kept.
    """
    found: list[Route] = []
    first = _best_behind((), paths, source, target)
    waiting = {first.rank: first} if first else {}
    while waiting and len(found) < most:
        route = waiting.pop(min(waiting))
        found.append(route)
        if len(found) < most:
            waiting |= {each.rank: each for each in _deviations(found, paths, source, target)}
    return found


def _deviations(found: Sequence[Route], paths: Sequence[UpgradePath], source: str, target: str) -> Iterable[Route]:
    """The best routes that leave the latest one at each of its versions, none of them found before."""
    latest = found[-1].paths
    for index in range(len(latest)):
        kept = latest[:index]
        taken = {route.paths[index].id for route in found if route.paths[:index] == kept}
        passed = {path.from_version_id for path in kept}
        left = [path for path in paths if path.id not in taken and path.to_version_id not in passed]
        other = _best_behind(kept, left, kept[-1].to_version_id if kept else source, target)
        if other:
            yield other


def _best_behind(kept: tuple[UpgradePath, ...], paths: Sequence[UpgradePath], source: str, target: str) -> Route | None:
    """The best route that begins with ``kept``.

    A route's risk and downtime are those of its worst path, so they cannot be added up on the way. But the best route
    is the cheapest of those that are within its own risk and downtime: so each such limit is tried.
    """
    routes = (_cheapest(allowed, source, target) for allowed in _within_limits(paths))
    return min((Route(kept + route) for route in routes if route), key=lambda route: route.rank, default=None)


def _within_limits(paths: Sequence[UpgradePath]) -> Iterable[list[UpgradePath]]:
    limits = {(_RISKS.index(path.risk_level), path.requires_downtime) for path in paths}
    for risk in {risk for risk, _ in limits}:
        for downtime in {downtime for _, downtime in limits}:
            yield [
                path for path in paths if _RISKS.index(path.risk_level) <= risk and path.requires_downtime <= downtime
            ]


def _cheapest(paths: Iterable[UpgradePath], source: str, target: str) -> tuple[UpgradePath, ...]:
    """By steps, duration and ids, which do add up (Dijkstra's algorithm); empty when there is none."""
    leaving = _by(lambda path: path.from_version_id, paths)
    waiting: list[tuple[_Cost, str, tuple[UpgradePath, ...]]] = [(_NO_COST, source, ())]
    finished: set[str] = set()
    while waiting:
        cost, version, way = heapq.heappop(waiting)
        if version == target:
            return way
        if version in finished:
            continue
        finished.add(version)
        for path in leaving.get(version, ()):
            if path.to_version_id not in finished:
                heapq.heappush(waiting, (_with(cost, path), path.to_version_id, (*way, path)))
    return ()


def _with(cost: _Cost, path: UpgradePath) -> _Cost:
    steps, unknown, known, ids = cost
    minutes = path.estimated_duration_minutes
    return steps + 1, unknown + (minutes is None), known + (minutes or 0), (*ids, path.id)


def reachable_from(paths: Iterable[UpgradePath], source: str) -> set[str]:
    """The versions to which a route leads, ``source`` among them."""
    leaving = _by(lambda path: path.from_version_id, paths)
    return _spread(source, lambda version: {path.to_version_id for path in leaving.get(version, ())})


def leading_to(paths: Iterable[UpgradePath], target: str) -> set[str]:
    """The versions from which a route leads to ``target``, itself among them."""
    coming = _by(lambda path: path.to_version_id, paths)
    return _spread(target, lambda version: {path.from_version_id for path in coming.get(version, ())})


def _spread(start: str, beside: Callable[[str], AbstractSet[str]]) -> set[str]:
    seen, edge = {start}, {start}
    while edge:
        edge = {each for version in edge for each in beside(version)} - seen
        seen |= edge
    return seen


def _by(key: Callable[[UpgradePath], str], paths: Iterable[UpgradePath]) -> dict[str, list[UpgradePath]]:
    found: dict[str, list[UpgradePath]] = {}
    for path in paths:
        found.setdefault(key(path), []).append(path)
    return found
