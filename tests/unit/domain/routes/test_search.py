"""The paths that a search uses, reports as closed, and reports as missing (specification section 1)."""

from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from tests.unit.domain.builders import NOW
from upgrade_orchestrator.domain.registry.entries import ComponentVersion, UpgradePath, VersionStatus
from upgrade_orchestrator.domain.routes.search import MAX_MISSING, RouteResult, Search, find_routes, type_of

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
    search = Search(versions, paths, versions[f"v{source}"], versions[f"v{target}"], platform, NOW)
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
    assert type_of(jammy, VERSIONS["v3.6.0"]) is None
    found = ways(path("jammy", "4.0.0"), path("3.8.0", "4.0.0"), odd=jammy)
    assert jumps(found) == ["3.6.0-3.8.0", "3.6.0-4.0.0", "3.6.0-jammy"]
