"""One line a measurement under "Over time" in docs/performance.md: written, read back and compared with the last one.

Seconds of different machines cannot be compared, so only ratios are checked whose halves were measured in one run.
"""

import re
from collections.abc import Iterator
from dataclasses import Field, dataclass, field, fields, replace
from enum import Enum
from itertools import takewhile
from typing import Any

from rich.table import Table

HEADING = "## Over time"
MAX_GROWTH = 1.3
"How many times the last line's value a ratio may be: runs vary, and `quick` has few repetitions."
_NOT_MEASURED = "–"
_NUMBER = re.compile(r"[+-]?[0-9]+(\.[0-9]+)?")


class Kind(Enum):
    """The kind of a figure decides how it is checked."""

    RATIO = "ratio"
    PERCENT = "percent"
    "A percentage around 0. Checked as the ratio that it comes from (1 plus the percent); one below 0 counts as 0."
    FIGURE = "figure"
    """Depends on the machine: shown, not checked. So are ratios to asyncio: on some machines forking costs twice as
    much,
    and only the product forks. The bare DAG forks too, so that ratios to it can be checked.
    """


_FORMS = {Kind.RATIO: ".2f", Kind.PERCENT: "+.1f", Kind.FIGURE: ".2f"}


class TableError(RuntimeError):
    """The table in the document does not have the form that this module writes."""


def _column(name: str, kind: Kind) -> Any:
    return field(metadata={"name": name, "kind": kind})


@dataclass(frozen=True, kw_only=True)
class Line:
    """A run of `bench quick`. Each figure is a column; None where it was not measured."""

    what: str
    "What was measured: a commit, and a few words."
    machine: str
    "The number of cores, and how long adding takes, by which readers see whether two lines are of similar machines."
    alone_wall_bare: float | None = _column("alone: wall × bare DAG", Kind.RATIO)
    alone_wall_plain: float | None = _column("alone: wall × asyncio", Kind.FIGURE)
    alone_cpu_bare: float | None = _column("alone: CPU × bare DAG", Kind.RATIO)
    first_drain: float | None = _column("alone: first drain s", Kind.FIGURE)
    many_wall_bare: float | None = _column("20 at once: wall × bare DAG", Kind.RATIO)
    many_wall_plain: float | None = _column("20 at once: wall × asyncio", Kind.FIGURE)
    many_cpu_bare: float | None = _column("20 at once: CPU × bare DAG", Kind.RATIO)
    tax_alone_wall: float | None = _column("tax of one: wall %", Kind.PERCENT)
    tax_alone_cpu: float | None = _column("tax of one: CPU %", Kind.PERCENT)
    tax_some_wall: float | None = _column("tax of 5: wall %", Kind.PERCENT)
    tax_some_cpu: float | None = _column("tax of 5: CPU %", Kind.PERCENT)
    tax_at_rest: float | None = _column("tax at rest: CPU s/s more", Kind.FIGURE)
    at_rest: float | None = _column("at rest: CPU s/s", Kind.FIGURE)

    def figures(self) -> Iterator[tuple[str, Kind, float | None]]:
        """Each figure's name, kind and value."""
        for each in _COLUMNS:
            yield each.metadata["name"], each.metadata["kind"], getattr(self, each.name)

    def markdown(self) -> str:
        """The line as it is added to the table."""
        words = [self.what.replace("|", "/"), self.machine.replace("|", "/")]
        return _row([*words, *(_written(kind, value) for _, kind, value in self.figures())])


_COLUMNS: list[Field[Any]] = [each for each in fields(Line) if each.metadata]
_HEADER = ["what", "machine", *(each.metadata["name"] for each in _COLUMNS)]
_RULE = ["---", "---", *("---:" for _ in _COLUMNS)]


def header() -> str:
    """The table's head, without a line."""
    return f"{_row(_HEADER)}\n{_row(_RULE)}"


def last_line(document: str) -> Line:
    """The last line of the table in the document's text.

    :raises TableError: there is no such section, table or line, or it does not read as one; says which.
    """
    rows = _rows(document)
    if rows[:2] != [_HEADER, _RULE]:
        raise TableError(f"the table below {HEADING!r} does not begin as it has to, which is:\n{header()}")
    if not rows[2:]:
        raise TableError(f"the table below {HEADING!r} has no line yet")
    cells = rows[-1]
    if len(cells) != len(_HEADER):
        raise TableError(f"the last line below {HEADING!r} has {len(cells)} cells, not {len(_HEADER)}")
    pairs = zip(_COLUMNS, cells[2:], strict=True)
    return Line(what=cells[0], machine=cells[1], **{column.name: _read(column, cell) for column, cell in pairs})


def least_of(first: Line, second: Line) -> Line:
    """The lesser of each figure of two runs, None where one has none: other processes on the machine only add."""
    pairs = zip(_COLUMNS, first.figures(), second.figures(), strict=True)
    least: dict[str, Any] = {
        column.name: None if one is None or other is None else min(one, other)
        for column, (_, _, one), (_, _, other) in pairs
    }
    return replace(first, **least)


def judge(now: Line, last: Line) -> list[str]:
    """What has grown too much: each ratio's name, its value, the last one and the limit. Empty when nothing has."""
    return [
        f"{name}: {_written(kind, value)} now, {_written(kind, before)} in the last line ({last.what}), "
        f"at most {_written(kind, limit)}"
        for (name, kind, value), (_, _, before) in zip(now.figures(), last.figures(), strict=True)
        if (limit := _limit(kind, before)) is not None and value is not None and _exceeds(kind, value, limit)
    ]


def side_by_side(now: Line, last: Line) -> Table:
    """Print both lines, figure by figure."""
    table = Table(title="now, and the last line of the table", title_justify="left")
    table.add_column("figure")
    for name in (now.what, last.what, "at most"):
        table.add_column(name, justify="right")
    table.add_row("machine", now.machine, last.machine, "")
    for (name, kind, value), (_, _, before) in zip(now.figures(), last.figures(), strict=True):
        limit = _limit(kind, before)
        table.add_row(
            name, _written(kind, value), _written(kind, before), "" if limit is None else _written(kind, limit)
        )
    return table


def _limit(kind: Kind, before: float | None) -> float | None:
    """The highest value allowed now. A last value below 0 was luck and counts as 0, so that it does not lower the
    limit.
    """
    if before is None or kind is Kind.FIGURE:
        return None
    return before * MAX_GROWTH if kind is Kind.RATIO else (100 + max(before, 0)) * MAX_GROWTH - 100


def _exceeds(kind: Kind, value: float, limit: float) -> bool:
    """Compare the numbers as they are written: a reader who sees the same number twice must not read that one is
    higher.
    """
    return float(_written(kind, value)) > float(_written(kind, limit))


def _rows(document: str) -> list[list[str]]:
    """The cells of each row of the section's table."""
    lines = iter(document.splitlines())
    if HEADING not in lines:  # consumes the rows up to and including the separator
        raise TableError(f"there is no {HEADING!r}")
    section = takewhile(lambda line: not line.startswith("## "), lines)
    rows = (line.strip() for line in section if line.startswith("|"))
    return [[cell.strip() for cell in row.removeprefix("|").removesuffix("|").split("|")] for row in rows]


def _row(cells: list[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _written(kind: Kind, value: float | None) -> str:
    return _NOT_MEASURED if value is None else format(value, _FORMS[kind])


def _read(column: Field[Any], cell: str) -> float | None:
    if cell == _NOT_MEASURED:
        return None
    if not _NUMBER.fullmatch(cell):
        raise TableError(f"the last line below {HEADING!r} has {cell!r} for {column.metadata['name']!r}: no number")
    return float(cell)
