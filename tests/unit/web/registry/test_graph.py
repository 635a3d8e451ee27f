"""The graph of upgrade paths: lines do not cover each other, and every fact is in words."""

from datetime import date
from itertools import combinations

import pytest

from tests.browser.markup import Element, read_html
from tests.unit.web.rendering import HOSTILE
from upgrade_orchestrator.domain.registry.entries import ComponentVersion, RiskLevel, UpgradePath
from upgrade_orchestrator.web.view.registry.drawing import Drawing
from upgrade_orchestrator.web.view.registry.graph import Edge, Graph, graph_of
from upgrade_orchestrator.web.view.registry.words import size, steps_of

TODAY = date(2026, 1, 1)


def versions(count: int) -> list[ComponentVersion]:
    """Newest first."""
    return [ComponentVersion(id=f"v{n}", component_id="c", version=f"1.{n}.0") for n in reversed(range(count))]


def path(begin: int, end: int, **more: object) -> UpgradePath:
    ends = {"from_version_id": f"v{begin}", "to_version_id": f"v{end}"}
    return UpgradePath(id=f"p{begin}-{end}", component_id="c", **ends, **more)  # type: ignore[arg-type]


def drawn(graph: Graph, running: dict[str, int] | None = None) -> Element:
    return read_html(Drawing(graph, running or {}, TODAY).svg())


@pytest.mark.parametrize("count", [1, 2, 60])
def test_every_version_and_path_has_a_row_of_its_own(count: int) -> None:
    paths = [path(n, m) for n, m in combinations(range(count), 2) if m - n in (1, 7)] + [
        path(n + 1, n) for n in range(count - 1)
    ]
    graph = graph_of(versions(count), paths)
    rows = [*(each.row for each in graph.nodes), *(each.row for each in graph.edges)]
    assert sorted(rows) == list(range(graph.rows)) == list(range(count + len(paths)))
    assert [each.version.id for each in graph.nodes] == [each.id for each in versions(count)]


def test_lines_in_one_lane_do_not_cover_each_other() -> None:
    graph = graph_of(versions(12), [path(n, m) for n in range(12) for m in range(12) if n != m])
    for one, other in combinations(graph.edges, 2):
        apart = one.span[1] <= other.span[0] or other.span[1] <= one.span[0]
        assert apart or one.lane != other.lane
    assert {each.lane for each in graph.edges} == set(range(graph.lanes))


def test_row_of_a_path_is_on_its_line() -> None:
    def passes(edge: Edge) -> bool:
        return edge.span[0] < edge.row < edge.span[1]

    graph = graph_of(versions(5), [path(0, 1), path(0, 3), path(4, 1), path(4, 3), path(2, 4)])
    assert all(passes(each) for each in graph.edges)


def test_chain_needs_one_lane() -> None:
    assert graph_of(versions(60), [path(n, n + 1) for n in range(59)]).lanes == 1


def test_path_to_a_version_that_is_not_shown_is_left_out() -> None:
    graph = graph_of(versions(2), [path(0, 1), path(0, 5), path(5, 0)])
    assert [each.path.id for each in graph.edges] == ["p0-1"]


def test_facts_of_a_path_are_said_in_words_and_in_the_style_of_its_line() -> None:
    paths = [
        path(0, 1, tested=True, estimated_duration_minutes=90),
        path(1, 2, risk_level=RiskLevel.HIGH, requires_downtime=True),
        path(0, 2, risk_level=RiskLevel.MEDIUM, blockers=("not yet", "never")),
    ]
    svg = drawn(graph_of(versions(3), paths))
    one, two, closed = (svg.one(f"a[href=#path-{each.id}]") for each in paths)
    assert one["aria-label"] == "From 1.0.0 to 1.1.0: low risk, tested, about 1 h 30 min"
    assert two["aria-label"] == "From 1.1.0 to 1.2.0: high risk, not tested, needs downtime"
    assert closed["aria-label"] == "From 1.0.0 to 1.2.0: closed: not yet; never, medium risk, not tested"
    assert [each.classes for each in (one, two, closed)] == [
        ["edge", "low", "tested"],
        ["edge", "high", "untested"],
        ["edge", "medium", "closed"],
    ]
    assert (two.has("rect.mark"), one.has("rect.mark")) == (True, False)
    assert (closed.has("path.cross"), two.has("path.cross")) == (True, False)


def test_version_says_what_it_is_and_where_it_runs() -> None:
    recommended = ComponentVersion(id="v9", component_id="c", version="9.0", recommended=True, lts=True)
    svg = drawn(graph_of([recommended, *versions(1)], []), {"v9": 2})
    assert svg.one("a[href=#version-v9]").text == "9.0 Stable · recommended · LTS · runs in 2 deployments"
    assert svg.one("a[href=#version-v0]").text == "1.0.0 Stable"
    assert svg.one("svg title").text == "2 versions, newest on top, and 0 upgrade paths between them"


def test_graph_without_versions_is_empty() -> None:
    assert drawn(graph_of([], [])).one("svg title").text.startswith("0 versions")


def test_hostile_text_is_escaped_and_long_text_cut_in_the_graph_only() -> None:
    named = ComponentVersion(id="v0", component_id="c", version=HOSTILE)
    svg = drawn(graph_of([named, *versions(2)[:1]], [path(1, 0, blockers=(HOSTILE,))]))
    assert not svg.has("script")
    assert not svg.has("img")
    assert HOSTILE in svg.one("a.edge")["aria-label"]
    assert svg.one("a.edge").text.endswith("…")


@pytest.mark.parametrize(
    ("count", "said"),
    [
        (0, "0 bytes"),
        (1, "1 byte"),
        (1023, "1023 bytes"),
        (26000, "25.4 KiB"),
        (1 << 40, "1.0 TiB"),
        (1 << 52, "4.0 PiB"),
    ],
)
def test_size_is_said_in_its_largest_unit(count: int, said: str) -> None:
    assert size(count) == said


def test_steps_are_those_that_were_registered() -> None:
    assert steps_of(path(0, 1)) == []
    assert steps_of(path(0, 1, rollback_steps=("r",), pre_upgrade_steps=("a", "b"))) == [
        ("Before", ("a", "b")),
        ("To roll back", ("r",)),
    ]
