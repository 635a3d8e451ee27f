"""The paths that a search uses, reports as closed, and reports as missing (specification section 1)."""

import time
from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from tests.unit.domain.builders import NOW
from upgrade_orchestrator.domain.registry.entries import ComponentVersion, RiskLevel, UpgradePath, VersionStatus
from upgrade_orchestrator.domain.registry.schemes import Scheme, upgrade_type
from upgrade_orchestrator.domain.routes.search import MAX_MISSING, RouteResult, Search, find_routes

TEXTS = ("3.6.0", "3.6.1", "3.7.0", "3.8.0", "4.0.0")


def version(text: str, **fields: Any) -> ComponentVersion:
    return replace(ComponentVersion(id=f"v{text}", component_id="aaa-111", version=text), **fields)


VERSIONS = {each.id: each for each in map(version, TEXTS)}


def path(source: str, target: str, **fields: Any) -> UpgradePath:
    made = UpgradePath(
        id=f"{source}-{target}", component_id="aaa-111", from_version_id=f"v{source}", to_version_id=f"v{target}"
    )
    return replace(made, **fields)


def ways(
    *paths: UpgradePath, source: str = "3.6.0", target: str = "4.0.0", platform: str | None = None, **changed: Any
) -> RouteResult:
    versions = VERSIONS | {each.id: each for each in changed.values()}
    search = Search(versions, paths, versions[f"v{source}"], versions[f"v{target}"], platform, NOW, Scheme.SEMVER)
    return find_routes(search)


def jumps(found: RouteResult) -> list[str]:
    return [f"{each.source.version}-{each.target.version}" for each in found.missing]


def test_found_route_has_no_missing_paths() -> None:
    found = ways(path("3.6.0", "3.8.0"), path("3.8.0", "4.0.0"))
    assert [[each.id for each in route.paths] for route in found.routes] == [["3.6.0-3.8.0", "3.8.0-4.0.0"]]
    assert (found.closed, found.missing, found.reachable, found.leading, found.blockers) == ((), (), (), (), ())


def test_closed_path_is_not_used_in_a_route_but_named() -> None:
    closed = path("3.6.0", "4.0.0", blockers=("loses data",))
    found = ways(closed, path("3.6.0", "3.8.0"), path("3.8.0", "4.0.0"))
    assert [len(route.paths) for route in found.routes] == [2]
    assert [(each.path, each.reasons) for each in found.closed] == [(closed, ("loses data",))]


def test_closed_path_is_not_listed_as_missing() -> None:
    found = ways(path("3.6.0", "4.0.0", blockers=("x",)), path("3.8.0", "4.0.0"))
    assert ([each.path.id for each in found.closed], jumps(found)) == (["3.6.0-4.0.0"], ["3.6.0-3.8.0"])


def test_closed_path_that_would_not_help_is_not_named() -> None:
    assert ways(path("3.6.0", "4.0.0"), path("4.0.0", "3.6.1", blockers=("x",))).closed == ()


@pytest.mark.parametrize(
    ("through", "platform", "said"),
    [
        (version("3.8.0", status=VersionStatus.DRAFT), None, "is DRAFT"),
        (version("3.8.0", end_of_life_date=date(2031, 5, 17)), None, "past its end of life"),
        (version("3.8.0", min_platform_version="9"), "3.3", "requires platform"),
    ],
)
def test_path_to_a_version_that_is_not_stable_is_closed(
    through: ComponentVersion, platform: str | None, said: str
) -> None:
    found = ways(path("3.6.0", "3.8.0"), path("3.8.0", "4.0.0"), platform=platform, through=through)
    assert found.routes == ()
    ((named, (reason,)),) = [(each.path.id, each.reasons) for each in found.closed]
    assert (named, said in reason) == ("3.6.0-3.8.0", True)
    assert "3.6.0-3.8.0" not in jumps(found)


def test_source_may_be_a_version_that_is_no_longer_stable() -> None:
    assert ways(path("3.6.0", "4.0.0"), start=version("3.6.0", status=VersionStatus.EOL)).routes != ()


def test_missing_paths_are_listed_smallest_jump_first_when_there_is_no_route() -> None:
    found = ways(path("3.6.0", "3.6.1"), path("3.8.0", "4.0.0"))
    assert (found.reachable, found.leading) == (("v3.6.0", "v3.6.1"), ("v3.8.0", "v4.0.0"))
    assert jumps(found) == ["3.6.1-3.8.0", "3.6.0-3.8.0", "3.6.1-4.0.0", "3.6.0-4.0.0"]


def test_patch_is_a_smaller_jump_than_a_minor_than_a_major() -> None:
    found = ways(source="3.6.0", target="3.6.1")
    assert jumps(found) == ["3.6.0-3.6.1"]
    found = ways(path("3.6.1", "4.0.0"), path("3.7.0", "4.0.0"))
    assert jumps(found) == ["3.6.0-3.6.1", "3.6.0-3.7.0", "3.6.0-4.0.0"]


def test_missing_path_of_a_downgrade_is_searched_downwards_first() -> None:
    found = ways(path("4.0.0", "3.7.0"), path("3.8.0", "3.6.0"), source="4.0.0", target="3.6.0")
    assert jumps(found) == ["3.7.0-3.6.0", "4.0.0-3.8.0", "4.0.0-3.6.0", "3.7.0-3.8.0"]


def test_target_that_is_not_stable_has_blockers_and_no_missing_paths() -> None:
    found = ways(end=version("4.0.0", status=VersionStatus.DEPRECATED))
    assert (len(found.blockers), found.missing) == (1, ())


def test_missing_paths_are_limited_in_number() -> None:
    many: dict[str, Any] = {f"v{number}": version(f"3.6.{number}") for number in range(2, 30)}
    found = ways(*(path(f"3.6.{number}", "4.0.0") for number in range(2, 30)), **many)
    assert len(found.missing) == MAX_MISSING


def test_versions_without_an_order_have_no_type_and_come_last() -> None:
    jammy = version("jammy")
    assert upgrade_type(Scheme.SEMVER, "jammy", "3.6.0") is None
    found = ways(path("jammy", "4.0.0"), path("3.8.0", "4.0.0"), odd=jammy)
    assert jumps(found) == ["3.6.0-3.8.0", "3.6.0-4.0.0", "3.6.0-jammy"]


# fault 44
@pytest.mark.parametrize(("recommended", "through"), [(None, "4.21.9"), ("4.21.3", "4.21.3")])
def test_route_goes_through_the_recommended_or_else_the_newest_version(recommended: str | None, through: str) -> None:
    stops = [f"4.21.{number}" for number in (0, 9, 3, 1)]
    texts = ["4.20.0", *stops, "4.22.11"]
    versions = {f"v{each}": version(each, recommended=each == recommended) for each in texts}
    paths = [each for stop in stops for each in (path("4.20.0", stop), path(stop, "4.22.11"))]
    search = Search(versions, paths, versions["v4.20.0"], versions["v4.22.11"], None, NOW, Scheme.SEMVER)
    best = find_routes(search).routes[0]
    assert [each.to_version_id for each in best.paths] == [f"v{through}", "v4.22.11"]


def test_stop_without_an_order_is_taken_last() -> None:
    odd = version("jammy")
    found = ways(*(each for stop in ("jammy", "3.6.1") for each in (path("3.6.0", stop), path(stop, "4.0.0"))), odd=odd)
    assert [route.paths[0].to_version_id for route in found.routes] == ["v3.6.1", "vjammy"]


@pytest.mark.parametrize("steps", [(1, 2, 3, 4, 5), (1, 2, 3, -1, -2)], ids=["upwards", "both ways"])
@pytest.mark.parametrize("gap", [False, True])
def test_thousand_versions_and_five_thousand_paths_are_searched_within_a_second(
    steps: tuple[int, ...], gap: bool
) -> None:
    """Five kinds of risk and downtime, so that every limit is tried; with a gap there are 250,000 missing paths."""
    texts = [f"{number // 100}.{number // 10 % 10}.{number % 10}" for number in range(1000)]
    versions = {f"v{text}": version(text) for text in texts}
    kinds = [{"risk_level": risk, "requires_downtime": down} for risk in RiskLevel for down in (False, True)]
    paths = [
        path(texts[begin], texts[begin + step], **kinds[(begin * 7 + step) % len(kinds)])
        for begin in range(1000)
        for step in steps
        if 0 <= begin + step < 1000 and not (gap and (begin < 500) is not (begin + step < 500))
    ]
    search = Search(versions, paths, versions["v0.0.0"], versions["v9.9.9"], None, NOW, Scheme.SEMVER)
    begun = time.process_time()
    found = find_routes(search)
    assert time.process_time() - begun < 1.0
    assert (len(found.routes), len(found.missing)) == ((0, MAX_MISSING) if gap else (6, 0))
