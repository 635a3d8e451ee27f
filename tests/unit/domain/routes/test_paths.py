"""Routes against an exhaustive search, on random graphs (specification section 1, calculate)."""

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from upgrade_orchestrator.domain.registry.entries import RiskLevel, UpgradePath
from upgrade_orchestrator.domain.routes.paths import Places, Route, best_routes, leading_to, reachable_from

LOW, MEDIUM, HIGH = RiskLevel


def path(way: str, risk: RiskLevel = LOW, minutes: int | None = 5, **fields: Any) -> UpgradePath:
    """The path "ab" leads from a to b, and is called so."""
    return UpgradePath(
        id=way,
        component_id="aaa-111",
        from_version_id=way[0],
        to_version_id=way[1],
        risk_level=risk,
        estimated_duration_minutes=minutes,
        **fields,
    )


def every_way(paths: Sequence[UpgradePath], version: str, target: str, seen: str = "") -> Iterator[tuple[str, ...]]:
    """All routes without a repeated version, as ids of paths."""
    if version == target:
        yield ()
        return
    for each in paths:
        if each.from_version_id == version and each.to_version_id not in seen + version:
            rest = every_way(paths, each.to_version_id, target, seen + version)
            yield from ((each.id, *way) for way in rest)


def rank_of(paths: Sequence[UpgradePath], ids: Sequence[str], places: Places) -> tuple[Any, ...]:
    """The specification's rank, computed in another way: steps, risk, downtime, stops that are recommended, then new
    ones, duration (unknown ones last).
    """
    stops = [places.get(each[1], (True, 0)) for each in ids[:-1]]
    ways = [next(each for each in paths if each.id == one) for one in ids]
    minutes = [each.estimated_duration_minutes for each in ways]
    return (
        len(ways),
        max("LMH".index(each.risk_level[0]) for each in ways),
        max(each.requires_downtime for each in ways),
        sum(not_recommended for not_recommended, _ in stops),
        sum(newer for _, newer in stops),
        minutes.count(None),
        sum(each or 0 for each in minutes),
        tuple(ids),
    )


risks, durations = st.sampled_from(RiskLevel), st.sampled_from([None, 0, 5, 7, 60])
ways = st.sampled_from([a + b for a in "abcdef" for b in "abcdef" if a != b])
graphs = st.lists(ways, unique=True, max_size=18).flatmap(
    lambda names: st.tuples(
        *(st.builds(path, st.just(name), risks, durations, requires_downtime=st.booleans()) for name in names)
    )
)


placed = st.dictionaries(st.sampled_from("abcdef"), st.tuples(st.booleans(), st.integers(0, 3)))


# fault 44
@given(graphs, st.integers(1, 7), placed)
def test_routes_are_the_best_of_all_in_order(paths: tuple[UpgradePath, ...], most: int, places: Places) -> None:
    expected = sorted(every_way(paths, "a", "f"), key=lambda way: rank_of(paths, way, places))[:most]
    found = best_routes(paths, "a", "f", most, places)
    assert [tuple(each.id for each in route.paths) for route in found] == expected


@given(graphs)
def test_route_rank_has_the_criteria_of_the_specification(paths: tuple[UpgradePath, ...]) -> None:
    for route in best_routes(paths, "a", "f", 3):
        ids = [each.id for each in route.paths]
        steps, risk, downtime, *_, unknown, minutes, _ = rank_of(paths, ids, {})
        assert (len(route.paths), route.risk_level, route.requires_downtime) == (steps, [*RiskLevel][risk], downtime)
        assert route.estimated_duration_minutes == (None if unknown else minutes)
        assert all(one.to_version_id == next_one.from_version_id for one, next_one in pairwise(route.paths))


@given(graphs)
def test_reachable_versions_are_those_that_a_route_connects(paths: tuple[UpgradePath, ...]) -> None:
    assert reachable_from(paths, "a") == {each for each in "abcdef" if any(True for _ in every_way(paths, "a", each))}
    assert leading_to(paths, "f") == {each for each in "abcdef" if any(True for _ in every_way(paths, each, "f"))}


def names(paths: Sequence[UpgradePath], most: int = 9) -> list[str]:
    return ["-".join(each.id for each in route.paths) for route in best_routes(paths, "a", "z", most)]


def test_route_with_fewer_upgrades_comes_first_at_any_risk() -> None:
    assert names([path("am"), path("mz"), path("az", HIGH, requires_downtime=True)]) == ["az", "am-mz"]


@pytest.mark.parametrize(
    ("worse", "why"),
    [
        ({"risk": MEDIUM, "minutes": 1}, "risk before duration"),
        ({"requires_downtime": True, "minutes": 1}, "downtime before duration"),
        ({"minutes": 6}, "the longer one"),
        ({"minutes": None}, "an unknown duration is last"),
    ],
)
def test_route_with_lower_risk_comes_first_among_equally_long_ones(worse: dict[str, Any], why: str) -> None:
    paths = [path("am"), path("mz"), path("ab", **worse), path("bz")]
    assert names(paths) == ["am-mz", "ab-bz"], why


RECOMMENDED, NEWEST, OLDER = (False, 5), (True, 0), (True, 1)


# fault 44
@pytest.mark.parametrize(
    ("stops", "best"),
    [
        ({"m": NEWEST, "b": OLDER}, "am-mz"),
        ({"m": OLDER, "b": NEWEST}, "ab-bz"),
        ({"m": NEWEST, "b": RECOMMENDED}, "ab-bz"),
        ({"m": OLDER, "b": OLDER}, "am-mz"),
    ],
    ids=["newest", "newest is the slower one", "recommended before newest", "as old: the faster one"],
)
def test_route_prefers_recommended_then_newest_stops_before_duration(stops: Places, best: str) -> None:
    paths = [path("am", minutes=1), path("mz"), path("ab", minutes=9), path("bz")]
    assert "-".join(each.id for each in best_routes(paths, "a", "z", 2, stops)[0].paths) == best


@pytest.mark.parametrize("worse", [{"risk": MEDIUM}, {"requires_downtime": True}], ids=["risk", "downtime"])
def test_route_over_a_recommended_stop_comes_behind_a_safer_one(worse: dict[str, Any]) -> None:
    paths = [path("am"), path("mz"), path("ab", **worse), path("bz")]
    assert best_routes(paths, "a", "z", 2, {"m": OLDER, "b": RECOMMENDED})[0].paths[0].id == "am"


def test_route_risk_outweighs_downtime() -> None:
    assert names([path("am", MEDIUM), path("mz"), path("ab", requires_downtime=True), path("bz")])[0] == "ab-bz"


def test_route_risk_is_that_of_its_riskiest_path() -> None:
    """A case that a greedy search gets wrong."""
    paths = [path("ab", LOW, 60), path("ac", HIGH, 1), path("bd"), path("cd"), path("dz", HIGH)]
    assert names(paths) == ["ac-cd-dz", "ab-bd-dz"]


def test_unconnected_versions_have_no_route_and_the_limit_of_routes_holds() -> None:
    assert names([path("ba"), path("az", blockers=())][:1]) == []
    assert names([path("az"), path("am"), path("mz")], most=1) == ["az"]


def test_route_of_one_path_has_its_values() -> None:
    route = Route((path("az", HIGH, None, requires_downtime=True),))
    assert (route.risk_level, route.requires_downtime, route.estimated_duration_minutes) == (HIGH, True, None)
