"""The graph of upgrade paths as inline SVG: every fact is in words, and in the line's style besides its colour.

Width of a line: the risk. Solid: tested, dashed: not tested, dotted: closed. A square on it: needs downtime.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date

from markupsafe import Markup

from upgrade_orchestrator.domain.registry.entries import ComponentVersion, UpgradePath
from upgrade_orchestrator.web.view.registry.graph import Edge, Graph, Node
from upgrade_orchestrator.web.view.registry.words import marks_of, style_of_version, words_of_path
from upgrade_orchestrator.web.view.words import plural

_ROW, _TOP, _LANE, _LANES_AT_MOST, _RADIUS = 26, 20, 18, 220, 7
_CHARACTER = 6.9
"The mean width of a character at the size of the text."
_MOST = 90
"Longer texts are cut; the table has all of it."


class Drawing:
    """Coordinates and elements of one graph; ``running`` counts deployments by the id of their version."""

    def __init__(self, graph: Graph, running: Mapping[str, int], today: date) -> None:
        self._graph, self._running, self._today = graph, running, today
        self._lane = min(_LANE, _LANES_AT_MOST / max(graph.lanes, 1))
        self._nodes_at = 14 + self._lane * graph.lanes + _RADIUS
        self._texts_at = self._nodes_at + 18

    def svg(self) -> Markup:
        """The whole picture, in the size in which its text is as large as the page's."""
        elements = [
            *(self._edge(each) for each in self._graph.edges),
            *(self._node(each) for each in self._graph.nodes),
        ]
        longest = max((len(each) for each in self._texts()), default=0)
        width, height = self._texts_at + 30 + _CHARACTER * longest, 2 * _TOP + _ROW * max(self._graph.rows - 1, 0)
        start = Markup(
            '<svg class="paths" width="{w:.0f}" height="{h:.0f}" viewBox="0 0 {w:.0f} {h:.0f}" role="group"'
            ' aria-labelledby="graph-title"><title id="graph-title">{}</title>'
        )
        title = f"{plural(len(self._graph.nodes), 'version')}, newest on top, and {self._count()} between them"
        return start.format(title, w=width, h=height) + Markup("").join(elements) + Markup("</svg>")

    def _count(self) -> str:
        return plural(len(self._graph.edges), "upgrade path")

    def _texts(self) -> Iterator[str]:
        yield from (self._words(each.version) + each.version.version for each in self._graph.nodes)
        yield from (_cut(_short(each)) for each in self._graph.edges)

    def _y(self, row: int) -> float:
        return _TOP + _ROW * row

    def _words(self, version: ComponentVersion) -> str:
        running = self._running.get(version.id, 0)
        where = [f"runs in {plural(running, 'deployment')}"] if running else []
        return " · ".join([style_of_version(version, self._today).words, *marks_of(version), *where])

    def _node(self, node: Node) -> Markup:
        version = node.version
        tone = style_of_version(version, self._today).tone
        runs = ' <circle class="runs" cx="{x:.1f}" cy="{y:.1f}" r="3"/>' if self._running.get(version.id) else ""
        element = Markup(  # noqa: S704 - no text of others is in it before format()
            '<a href="#version-{id}" class="node {tone}"><circle cx="{x:.1f}" cy="{y:.1f}" r="{r}"/>' + runs + "<text"
            ' x="{t:.1f}" y="{b:.1f}"><tspan class="version">{version}</tspan> <tspan class="words">{words}</tspan>'
            "</text></a>"
        )
        y, words = self._y(node.row), self._words(version)
        at = {"x": self._nodes_at, "y": y, "r": _RADIUS, "t": self._texts_at, "b": y + 4}
        return element.format(id=version.id, tone=tone, version=_cut(version.version), words=words, **at)

    def _edge(self, edge: Edge) -> Markup:
        element = Markup(
            '<a href="#path-{id}" class="edge {css}" aria-label="{label}"><path class="line" d="{line}"/>'
            '<path class="arrow" d="{arrow}"/><path class="leader" d="M{x:.1f} {y:.1f}H{t:.1f}"/>{mark}'
            '<text x="{t:.1f}" y="{b:.1f}">{text}</text></a>'
        )
        x, y, indented = self._x(edge), self._y(edge.row), self._texts_at + 14
        mark = _mark(edge.path, x, y)
        drawn = {"line": self._line(edge), "arrow": self._arrow(edge), "x": x, "y": y, "t": indented, "b": y + 4}
        css, label, text = _css(edge.path), _label(edge), _cut(_short(edge))
        return element.format(id=edge.path.id, css=css, label=label, text=text, mark=mark, **drawn)

    def _x(self, edge: Edge) -> float:
        return self._nodes_at - _RADIUS - self._lane * (edge.lane + 1)

    def _line(self, edge: Edge) -> str:
        """From the source along its lane to the target, with round corners."""
        x, begin, end = self._x(edge), self._y(edge.source.row), self._y(edge.target.row)
        bend, side = min(8, self._lane), self._nodes_at - _RADIUS
        way = bend if end > begin else -bend
        corner = (
            f"Q{x:.1f} {begin:.1f} {x:.1f} {begin + way:.1f}V{end - way:.1f}Q{x:.1f} {end:.1f} {x + bend:.1f} {end:.1f}"
        )
        return f"M{side:.1f} {begin:.1f}H{x + bend:.1f}{corner}H{side - 2:.1f}"

    def _arrow(self, edge: Edge) -> str:
        x, y = self._nodes_at - _RADIUS - 1, self._y(edge.target.row)
        return f"M{x:.1f} {y:.1f}l-7 -4v8z"


def _short(edge: Edge) -> str:
    source, target = edge.source.version.version, edge.target.version.version
    return f"{source} → {target}: {', '.join(words_of_path(edge.path))}"


def _label(edge: Edge) -> str:
    """For screen readers, some of which do not read the arrow."""
    source, target = edge.source.version.version, edge.target.version.version
    return f"From {source} to {target}: {', '.join(words_of_path(edge.path))}"


def _cut(text: str) -> str:
    return text if len(text) <= _MOST else f"{text[: _MOST - 1]}…"


def _css(path: UpgradePath) -> str:
    style = "closed" if path.blockers else "tested" if path.tested else "untested"
    return f"{path.risk_level.lower()} {style}"


def _mark(path: UpgradePath, x: float, y: float) -> Markup:
    """On the line, beside the words: a cross, a square or a dot."""
    if path.blockers:
        return Markup('<path class="cross" d="M{:.1f} {:.1f}l8 8m0 -8l-8 8"/>').format(x - 4, y - 4)
    if path.requires_downtime:
        return Markup('<rect class="mark" x="{:.1f}" y="{:.1f}" width="8" height="8"/>').format(x - 4, y - 4)
    return Markup('<circle class="mark" cx="{:.1f}" cy="{:.1f}" r="3"/>').format(x, y)
