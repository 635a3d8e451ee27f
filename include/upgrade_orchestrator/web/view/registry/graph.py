"""The layout of a graph of upgrade paths: versions as rows, newest on top, and each path as a row of its own.

A path's row is beside the version from which it leads, so that there is room for its words; its line runs from that
version to the other one in a lane that it shares with no path beside it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from upgrade_orchestrator.domain.registry.entries import ComponentVersion, UpgradePath


@dataclass(frozen=True, slots=True)
class Node:
    """A version and its row."""

    version: ComponentVersion
    row: int


@dataclass(frozen=True, slots=True)
class Edge:
    """A path between the rows of two versions; ``row`` is where its words are, lane 0 is nearest to the versions."""

    path: UpgradePath
    source: Node
    target: Node
    row: int
    lane: int = 0

    @property
    def span(self) -> tuple[int, int]:
        """The rows that its line passes, from the upper to the lower one."""
        low, high = sorted((self.source.row, self.target.row))
        return low, high


@dataclass(frozen=True, slots=True)
class Graph:
    """All nodes and edges from top to bottom, and the number of rows and lanes."""

    nodes: Sequence[Node]
    edges: Sequence[Edge]
    rows: int
    lanes: int


def graph_of(versions: Sequence[ComponentVersion], paths: Iterable[UpgradePath]) -> Graph:
    """The layout for ``versions`` in this order; paths that lead elsewhere are left out."""
    places = {each.id: place for place, each in enumerate(versions)}
    shown = [each for each in paths if each.from_version_id in places and each.to_version_id in places]
    nodes, at, row = list[Node](), dict[str, int](), 0
    for place, version in enumerate(versions):
        own = [each for each in shown if each.from_version_id == version.id]
        # upwards the nearest is at the bottom, downwards at the top: then short lines do not pass other rows
        up = sorted((places[each.to_version_id], each.id) for each in own if places[each.to_version_id] < place)
        down = sorted((places[each.to_version_id], each.id) for each in own if places[each.to_version_id] > place)
        at |= {identifier: row + n for n, (_, identifier) in enumerate(up)}
        row += len(up)
        nodes.append(Node(version, row))
        at |= {identifier: row + 1 + n for n, (_, identifier) in enumerate(down)}
        row += 1 + len(down)
    by_id = {each.version.id: each for each in nodes}
    edges = [Edge(each, by_id[each.from_version_id], by_id[each.to_version_id], at[each.id]) for each in shown]
    laid, lanes = _in_lanes(edges)
    return Graph(nodes, laid, row, lanes)


def _in_lanes(edges: Iterable[Edge]) -> tuple[list[Edge], int]:
    """Short ones first, each in the nearest free lane; ends may touch."""
    lanes: list[list[tuple[int, int]]] = []
    laid = []
    for edge in sorted(edges, key=lambda each: (each.span[1] - each.span[0], each.row)):
        top, bottom = edge.span
        free = (n for n, taken in enumerate(lanes) if all(bottom <= low or high <= top for low, high in taken))
        lane = next(free, len(lanes))
        if lane == len(lanes):
            lanes.append([])
        lanes[lane].append(edge.span)
        laid.append(Edge(edge.path, edge.source, edge.target, edge.row, lane))
    return sorted(laid, key=lambda each: each.row), len(lanes)
