"""Pictures as inline SVG, made from figures alone: no clock, no database, no style (the classes are the stylesheet's).

What a picture shows is said in its title and description, and stands in a table beside it on the page.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import floor, log10

from markupsafe import Markup, escape

WIDTH, HEIGHT = 640, 260
_LEFT, _RIGHT, _TOP, _BOTTOM = 60, 8, 56, 28
_MOST_LABELS = 12


@dataclass(frozen=True, slots=True)
class Series:
    """One value for each place on the axis, and the class it is drawn with; None where there is nothing to show."""

    name: str
    css: str
    values: Sequence[float | None]


@dataclass(frozen=True, slots=True)
class Chart:
    """What is drawn: the places along the bottom and the series above them; ``unit`` follows the axis' numbers."""

    id: str
    title: str
    places: Sequence[str]
    series: Sequence[Series]
    unit: str = ""

    @property
    def description(self) -> str:
        """All of it in words."""
        return " ".join(f"{place}: {self._said(index)}." for index, place in enumerate(self.places))

    def _said(self, index: int) -> str:
        values = ((each.name, each.values[index]) for each in self.series)
        return ", ".join(f"{name} {'none' if value is None else number(value) + self.unit}" for name, value in values)


def stacked_bars(chart: Chart) -> Markup:
    """A bar for each place, its series on top of each other: they count, so the axis has whole numbers only."""
    tops = [sum(each.values[index] or 0 for each in chart.series) for index in range(len(chart.places))]
    axis = _Axis(max(tops, default=0), len(chart.places), finest=1)
    return _svg(chart, axis, _bars(chart, axis))


def lines(chart: Chart, most: float | None = None) -> Markup:
    """A line for each series with a dot for each value; it is broken where there is none. ``most``: the axis' end."""
    values = [value for each in chart.series for value in each.values if value is not None]
    axis = _Axis(most or max(values, default=0), len(chart.places))
    return _svg(chart, axis, (part for each in chart.series for part in _line(each, axis)))


def number(value: float) -> str:
    """As it is read: whole when it is, else with one digit."""
    return f"{value:.0f}" if value >= 100 or value == floor(value) else f"{value:.1f}"


class _Axis:
    """Where a value and a place are in the picture."""

    def __init__(self, most: float, places: int, finest: float = 0) -> None:
        self.step = max(_step(most), finest)
        self.most = max(self.step * -(-most // self.step), self.step)
        self.slot = (WIDTH - _LEFT - _RIGHT) / max(places, 1)

    def x(self, index: float) -> float:
        """The middle of a place is at ``index + 0.5``."""
        return _LEFT + self.slot * index

    def y(self, value: float) -> float:
        return HEIGHT - _BOTTOM - (HEIGHT - _TOP - _BOTTOM) * value / self.most

    def marks(self) -> Iterator[float]:
        """The values that have a line of their own."""
        count = round(self.most / self.step)
        return (self.step * each for each in range(count + 1))


def _step(most: float) -> float:
    """1, 2 or 5 times a power of ten, so that there are at most five of them."""
    if most <= 0:
        return 1
    power = 10 ** floor(log10(most / 5))
    return float(next(power * each for each in (1, 2, 5, 10) if power * each * 5 >= most))


def _svg(chart: Chart, axis: _Axis, drawn: Iterator[Markup]) -> Markup:
    head = Markup(
        '<svg class="chart" viewBox="0 0 {} {}" role="img" aria-labelledby="{id}-title {id}-text">'
        '<title id="{id}-title">{}</title><desc id="{id}-text">{}</desc>'
    ).format(WIDTH, HEIGHT, chart.title, chart.description, id=chart.id)
    parts = (*_legend(chart), *_grid(chart, axis), *drawn, *_places(chart, axis))
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


def _places(chart: Chart, axis: _Axis) -> Iterator[Markup]:
    every = -(-len(chart.places) // _MOST_LABELS)
    for index, place in enumerate(chart.places):
        if index % max(every, 1) == 0:
            yield _text(axis.x(index + 0.5), HEIGHT - 8, "middle", place)


def _bars(chart: Chart, axis: _Axis) -> Iterator[Markup]:
    for index, place in enumerate(chart.places):
        below = 0.0
        for each in chart.series:
            value = each.values[index] or 0
            if value:
                yield _bar(each, axis, index, below, f"{place}: {each.name} {number(value)}{chart.unit}")
            below += value


def _bar(series: Series, axis: _Axis, index: int, below: float, said: str) -> Markup:
    value = series.values[index] or 0
    top = axis.y(below + value)
    x, width = axis.x(index + 0.15), min(axis.slot * 0.7, 48)
    x += (axis.slot * 0.7 - width) / 2
    return _tag("rect", series.css, said, x=x, y=top, width=width, height=axis.y(below) - top)


def _line(series: Series, axis: _Axis) -> Iterator[Markup]:
    known = [(axis.x(index + 0.5), axis.y(value)) for index, value in enumerate(series.values) if value is not None]
    for run in _runs(series, axis):
        if len(run) > 1:
            yield _tag("polyline", f"{series.css} chart-line", points=" ".join(f"{x:.1f},{y:.1f}" for x, y in run))
    for x, y in known:
        yield _tag("circle", series.css, cx=x, cy=y, r=3)


def _runs(series: Series, axis: _Axis) -> Iterator[list[tuple[float, float]]]:
    """Values that follow each other without a gap."""
    run: list[tuple[float, float]] = []
    for index, value in enumerate((*series.values, None)):
        if value is not None:
            run.append((axis.x(index + 0.5), axis.y(value)))
        elif run:
            yield run
            run = []


def _text(x: float, y: float, anchor: str, said: str, css: str = "chart-text") -> Markup:
    place = Markup('<text class="{}" x="{:.1f}" y="{:.1f}" text-anchor="{}" aria-hidden="true">{}</text>')
    return place.format(css, x, y, anchor, said)


def _tag(name: str, css: str, said: str = "", **attributes: float | str) -> Markup:
    written = (f"{key}={_quoted(value)}" for key, value in attributes.items())
    title = Markup("<title>{}</title>").format(said) if said else Markup("")
    start = Markup(f'<{name} class="{escape(css)}" {" ".join(written)}>')  # noqa: S704 - names and numbers of this file
    return start + title + Markup(f"</{name}>")  # noqa: S704


def _quoted(value: float | str) -> str:
    return f'"{value:.1f}"' if isinstance(value, float) else f'"{escape(value)}"'
