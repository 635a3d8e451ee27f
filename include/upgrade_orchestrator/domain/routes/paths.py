"""Routes of several upgrades over the registered paths, the best one first (specification section 1, calculate)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from itertools import islice

from upgrade_orchestrator.domain.registry.entries import RiskLevel, UpgradePath
from upgrade_orchestrator.domain.routes.k_best import Edge, k_best

_RISKS = tuple(RiskLevel)
"From lowest to highest, in the order of declaration."

Place = tuple[bool, int]
"""Of a version as a stop: whether it is not the recommended one, and how many versions are newer; lower is better."""
Places = Mapping[str, Place]
_Rank = tuple[int, int, bool, int, int, int, int, tuple[str, ...]]
_NO_PLACE: Place = (True, 0)


@dataclass(frozen=True, slots=True)
class Route:
    """Consecutive paths; no version occurs twice. ``places`` say which stops are preferred."""

    paths: tuple[UpgradePath, ...]
    places: Places = field(default_factory=dict, repr=False, compare=False)

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
        """The sort key, lower is better: steps, risk, downtime, stops that are not recommended, age of the stops,
        duration (unknown ones last); ids make it unique.
        """
        steps, plain, age, unknown, minutes = map(
            sum, zip(*(_cost(path, self.places) for path in self.paths), strict=True)
        )
        ids = tuple(path.id for path in self.paths)
        return steps, _RISKS.index(self.risk_level), self.requires_downtime, plain, age, unknown, minutes, ids


def best_routes(
    paths: Sequence[UpgradePath], source: str, target: str, most: int, places: Places | None = None
) -> list[Route]:
    """The ``most`` best routes between two different versions over ``paths``, best first.

    A route's risk and downtime are those of its worst path, so they cannot be added up on the way. But a route that is
    among the best is also among the cheapest of those within its own risk and downtime: so each such limit is tried.
    """
    known = {path.id: path for path in paths}
    found: dict[tuple[str, ...], Route] = {}
    for allowed in _within_limits(paths):
        edges = (Edge(each.id, each.from_version_id, each.to_version_id, _cost(each, places or {})) for each in allowed)
        for way in k_best(edges, source, target, most):
            ids = tuple(edge.id for edge in way)
            found[ids] = Route(tuple(known[each] for each in ids), places or {})
    return list(islice(sorted(found.values(), key=lambda route: route.rank), most))


def _cost(path: UpgradePath, places: Places) -> tuple[int, int, int, int, int]:
    """What does add up. That all routes have the target's place in it, too, changes nothing between them."""
    plain, newer = places.get(path.to_version_id, _NO_PLACE)
    minutes = path.estimated_duration_minutes
    return 1, int(plain), newer, int(minutes is None), minutes or 0


def _within_limits(paths: Sequence[UpgradePath]) -> Iterable[list[UpgradePath]]:
    limits = {(_RISKS.index(path.risk_level), path.requires_downtime) for path in paths}
    for risk in {risk for risk, _ in limits}:
        for downtime in {downtime for _, downtime in limits}:
            yield [
                path for path in paths if _RISKS.index(path.risk_level) <= risk and path.requires_downtime <= downtime
            ]


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
