"""Charts as inline SVG, computed from figures only; the style sheet has the classes.

For screen readers, title and description contain all values, and the page shows them in a table as well.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import floor, log10

from markupsafe import Markup, escape

WIDTH, HEIGHT = 640, 260
_LEFT, _RIGHT, _TOP, _BOTTOM = 60, 8, 56, 28
_MAX_LABELS = 12


@dataclass(frozen=True, slots=True)
class Series:
    """A value for each category, None for no value, and the CSS class with which it is drawn."""

    name: str
    css: str
    values: Sequence[float | None]


@dataclass(frozen=True, slots=True)
class Chart:
    """A chart: categories on the horizontal axis, and series; ``unit`` follows the numbers of the vertical axis."""

    id: str
    title: str
    categories: Sequence[str]
    series: Sequence[Series]
    unit: str = ""

    @property
    def description(self) -> str:
        """All values as text."""
        return " ".join(f"{category}: {self._values_at(index)}." for index, category in enumerate(self.categories))

    def _values_at(self, index: int) -> str:
        values = ((each.name, each.values[index]) for each in self.series)
        return ", ".join(f"{name} {'none' if value is None else number(value) + self.unit}" for name, value in values)


def stacked_bars(chart: Chart) -> Markup:
    """A stacked bar for each category. Values are counts, so the axis has whole numbers only."""
    tops = [sum(each.values[index] or 0 for each in chart.series) for index in range(len(chart.categories))]
    axis = _Axis(max(tops, default=0), len(chart.categories), finest=1)
    return _svg(chart, axis, _bars(chart, axis))


def lines(chart: Chart, most: float | None = None) -> Markup:
    """A line for each series with a dot for each value and gaps for missing ones. ``most`` is the end of the axis."""
    values = [value for each in chart.series for value in each.values if value is not None]
    axis = _Axis(most or max(values, default=0), len(chart.categories))
    return _svg(chart, axis, (part for each in chart.series for part in _line(each, axis)))


def number(value: float) -> str:
    """The number as text: whole if it is whole or large, otherwise with one decimal."""
    return f"{value:.0f}" if value >= 100 or value == floor(value) else f"{value:.1f}"


class _Axis:
    """Coordinates of values and categories."""

    def __init__(self, most: float, categories: int, finest: float = 0) -> None:
        self.step = max(_step(most), finest)
        self.most = max(self.step * -(-most // self.step), self.step)
        self.slot = (WIDTH - _LEFT - _RIGHT) / max(categories, 1)

    def x(self, index: float) -> float:
        """The horizontal coordinate; the middle of a category is at ``index + 0.5``."""
        return _LEFT + self.slot * index

    def y(self, value: float) -> float:
        return HEIGHT - _BOTTOM - (HEIGHT - _TOP - _BOTTOM) * value / self.most

    def marks(self) -> Iterator[float]:
        """The values of the grid lines."""
        count = round(self.most / self.step)
        return (self.step * each for each in range(count + 1))


def _step(most: float) -> float:
    """The step of the grid: 1, 2 or 5 times a power of ten, with at most five steps."""
    if most <= 0:
        return 1
    power = 10 ** floor(log10(most / 5))
    return float(next(power * each for each in (1, 2, 5, 10) if power * each * 5 >= most))


def _svg(chart: Chart, axis: _Axis, drawn: Iterator[Markup]) -> Markup:
    head = Markup(
        '<svg class="chart" viewBox="0 0 {} {}" role="img" aria-labelledby="{id}-title {id}-text">'
        '<title id="{id}-title">{}</title><desc id="{id}-text">{}</desc>'
    ).format(WIDTH, HEIGHT, chart.title, chart.description, id=chart.id)
    parts = (*_legend(chart), *_grid(chart, axis), *drawn, *_category_labels(chart, axis))
    return head + Markup("").join(parts) + Markup("</svg>")


def _legend(chart: Chart) -> Iterator[Markup]:
    yield _text(0, 14, "start", chart.title, "chart-title")
    x = 0.0
    for each in chart.series:
        yield _tag("rect", each.css, x=x, y=26, width=12, height=12)
        yield _text(x + 17, 36, "start", each.name)
        x += 40 + 7 * len(each.name)


def _grid(chart: Chart, axis: _Axis) -> Iterator[Markup]:
    for value in axis.marks():
        y = axis.y(value)
        yield _tag("line", "chart-grid", x1=_LEFT, x2=WIDTH - _RIGHT, y1=y, y2=y)
        yield _text(_LEFT - 6, y + 4, "end", number(value) + chart.unit)


def _category_labels(chart: Chart, axis: _Axis) -> Iterator[Markup]:
    every = -(-len(chart.categories) // _MAX_LABELS)
    for index, category in enumerate(chart.categories):
        if index % max(every, 1) == 0:
            yield _text(axis.x(index + 0.5), HEIGHT - 8, "middle", category)


def _bars(chart: Chart, axis: _Axis) -> Iterator[Markup]:
    for index, category in enumerate(chart.categories):
        below = 0.0
        for each in chart.series:
            value = each.values[index] or 0
            if value:
                yield _bar(each, axis, index, below, f"{category}: {each.name} {number(value)}{chart.unit}")
            below += value


def _bar(series: Series, axis: _Axis, index: int, below: float, text: str) -> Markup:
    value = series.values[index] or 0
    top = axis.y(below + value)
    x, width = axis.x(index + 0.15), min(axis.slot * 0.7, 48)
    x += (axis.slot * 0.7 - width) / 2
    return _tag("rect", series.css, text, x=x, y=top, width=width, height=axis.y(below) - top)


def _line(series: Series, axis: _Axis) -> Iterator[Markup]:
    known = [(axis.x(index + 0.5), axis.y(value)) for index, value in enumerate(series.values) if value is not None]
    for run in _runs(series, axis):
        if len(run) > 1:
            yield _tag("polyline", f"{series.css} chart-line", points=" ".join(f"{x:.1f},{y:.1f}" for x, y in run))
    for x, y in known:
        yield _tag("circle", series.css, cx=x, cy=y, r=3)


def _runs(series: Series, axis: _Axis) -> Iterator[list[tuple[float, float]]]:
    """Points that follow each other without a gap."""
    run: list[tuple[float, float]] = []
    for index, value in enumerate((*series.values, None)):
        if value is not None:
            run.append((axis.x(index + 0.5), axis.y(value)))
        elif run:
            yield run
            run = []


def _text(x: float, y: float, anchor: str, text: str, css: str = "chart-text") -> Markup:
    element = Markup('<text class="{}" x="{:.1f}" y="{:.1f}" text-anchor="{}" aria-hidden="true">{}</text>')
    return element.format(css, x, y, anchor, text)


def _tag(name: str, css: str, text: str = "", **attributes: float | str) -> Markup:
    written = (f"{key}={_quoted(value)}" for key, value in attributes.items())
    title = Markup("<title>{}</title>").format(text) if text else Markup("")
    start = Markup(f'<{name} class="{escape(css)}" {" ".join(written)}>')  # noqa: S704 - only names and numbers from this file
    return start + title + Markup(f"</{name}>")  # noqa: S704


def _quoted(value: float | str) -> str:
    return f'"{value:.1f}"' if isinstance(value, float) else f'"{escape(value)}"'
