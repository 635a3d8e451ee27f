"""The best simple routes through a graph by a cost that adds up: Yen's algorithm with Lawler's restriction.

The next best route leaves a better one at some version. Which way is best from there on is known in advance, from one
search backwards from the target (Dijkstra's algorithm); only where that way would pass a
version twice is searched again.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import reduce

Cost = tuple[int, ...]
"""Steps first, at least 1 for each edge; further numbers, none negative."""


@dataclass(frozen=True, slots=True)
class Edge:
    """A path from one version to another; ids decide between routes of the same cost."""

    id: str
    source: str
    target: str
    cost: Cost


Way = tuple[Edge, ...]


@dataclass(frozen=True, slots=True, order=True)
class _Candidate:
    """A way that begins with ``kept`` and goes on over none of ``banned``; until it is searched only with its bound."""

    cost: Cost
    ids: tuple[str, ...]
    """Empty until the way is searched, so that this is done before it is compared with others of the same cost."""
    kept: Way = field(compare=False)
    banned: frozenset[str] = field(compare=False)
    way: Way = field(compare=False)


def k_best(edges: Iterable[Edge], source: str, target: str, most: int) -> Iterator[Way]:
    """At most ``most`` ways from ``source`` to another version ``target``, the cheapest first."""
    search = _Search(edges, source, target)
    waiting = [*search.bound((), (), frozenset())]
    left = most
    while waiting and left:
        best = heapq.heappop(waiting)
        if not best.ids:
            for each in search.searched(best):
                heapq.heappush(waiting, each)
            continue
        yield best.way
        left -= 1
        for each in search.deviations(best) if left else ():
            heapq.heappush(waiting, each)


class _Search:
    def __init__(self, edges: Iterable[Edge], source: str, target: str) -> None:
        self._source, self._target = source, target
        self._leaving: dict[str, list[Edge]] = {}
        coming: dict[str, list[Edge]] = {}
        for edge in edges:
            self._leaving.setdefault(edge.source, []).append(edge)
            coming.setdefault(edge.target, []).append(edge)
        self._left = _costs_to(target, coming)
        self._next = {version: self._best_from(version) for version in self._left if version != target}

    def _best_from(self, version: str) -> Edge:
        ways = ((self._over(edge), edge.id, edge) for edge in self._leaving[version] if edge.target in self._left)
        return min(ways)[2]

    def _over(self, edge: Edge) -> Cost:
        return _sum(edge.cost, self._left[edge.target])

    def bound(self, kept: Way, cost: Cost, banned: frozenset[str]) -> Iterator[_Candidate]:
        """The cost that no way behind ``kept``, which has the cost ``cost``, is below; none when there is no way."""
        at = kept[-1].target if kept else self._source
        passed = {edge.source for edge in kept}
        edges = [
            (self._over(edge), edge.id, edge)
            for edge in self._leaving.get(at, ())
            if edge.id not in banned and edge.target in self._left and edge.target not in passed
        ]
        if edges:
            least, _, edge = min(edges)
            yield _Candidate(_sum(cost, least), (), kept, banned, (*kept, edge))

    def searched(self, bound: _Candidate) -> Iterator[_Candidate]:
        """The best way for the bound; none when there is no way."""
        way = self._known(bound.way) or self._searched(bound)
        if way:
            cost = reduce(_sum, (each.cost for each in way))
            yield _Candidate(cost, tuple(each.id for each in way), bound.kept, bound.banned, way)

    def _known(self, begun: Way) -> Way:
        """``begun`` and the best way behind it; empty when that passes a version twice."""
        way, passed = list(begun), {edge.source for edge in begun}
        while (at := way[-1].target) != self._target:
            if at in passed:
                return ()
            passed.add(at)
            way.append(self._next[at])
        return tuple(way)

    def _searched(self, bound: _Candidate) -> Way:
        """The best way with the versions of ``kept`` left out, by Dijkstra's algorithm."""
        begin = bound.kept[-1].target if bound.kept else self._source
        finished = {edge.source for edge in bound.kept}
        waiting: list[tuple[Cost, tuple[str, ...], str, Way]] = [((), (), begin, ())]
        while waiting:
            cost, ids, version, way = heapq.heappop(waiting)
            if version == self._target:
                return (*bound.kept, *way)
            if version in finished:
                continue
            finished.add(version)
            banned = bound.banned if version == begin else ()
            for edge in self._leaving.get(version, ()):
                if edge.target not in finished and edge.id not in banned:
                    step = (_sum(cost, edge.cost), (*ids, edge.id), edge.target, (*way, edge))
                    heapq.heappush(waiting, step)
        return ()

    def deviations(self, best: _Candidate) -> Iterator[_Candidate]:
        """The ways that leave this one at each version after those that it shares with what it deviates from."""
        begin, nothing = len(best.kept), Cost()
        cost = reduce(_sum, (each.cost for each in best.kept), nothing)
        for index in range(begin, len(best.way)):
            banned = best.banned if index == begin else frozenset[str]()
            yield from self.bound(best.way[:index], cost, banned | {best.way[index].id})
            cost = _sum(cost, best.way[index].cost)


def _costs_to(target: str, coming: Mapping[str, Sequence[Edge]]) -> dict[str, Cost]:
    """The lowest cost from each version to ``target``."""
    known: dict[str, Cost] = {}
    waiting: list[tuple[Cost, str]] = [((), target)]
    while waiting:
        cost, version = heapq.heappop(waiting)
        if version in known:
            continue
        known[version] = cost
        for edge in coming.get(version, ()):
            if edge.source not in known:
                heapq.heappush(waiting, (_sum(cost, edge.cost), edge.source))
    return known


def _sum(one: Cost, other: Cost) -> Cost:
    """The empty cost is nothing."""
    return tuple(map(int.__add__, one, other)) if one and other else one or other
