"""The numbers that docs/performance.md promises, read from its tables so that document and tests cannot disagree."""

from collections.abc import Mapping
from pathlib import Path

import pytest

PAGE = Path(__file__).resolve().parents[1] / "docs" / "performance.md"
SECTION = "## Exact counts"


def documented(page: str, table: str, section: str = SECTION) -> dict[str, tuple[str, ...]]:
    """The cells of each row after its first, of the table in the section whose first heading is ``table``."""
    found_in = page.partition(f"\n{section}\n")[2].partition("\n## ")[0]
    tables = [_rows(each) for each in found_in.split("\n\n") if each.lstrip().startswith("|")]
    (found,) = [rows for rows in tables if rows[0][0] == table]
    return {first: tuple(rest) for first, *rest in found[2:]}


def hold(table: str, counted: Mapping[str, tuple[str, ...]], section: str = SECTION, page: Path | None = None) -> None:
    """Fails when one of the table's numbers differs now: names it, and says what to do."""
    page = page or PAGE
    old = documented(page.read_text(encoding="utf-8"), table, section)
    rows = [each for each in [*counted, *(old.keys() - counted.keys())] if old.get(each) != counted.get(each)]
    changed = [f"  {each}: was {_cells(old, each)}, is {_cells(counted, each)}" for each in rows]
    if changed:
        where = f'docs/{page.name}, "{section.strip("# ")}", table "{table}" says something else:'
        pytest.fail("\n".join([where, *changed, _TO_DO]), pytrace=False)


_TO_DO = "If that is meant, write what is into that table; if not, look for what your change asks for in addition."


def _cells(table: Mapping[str, tuple[str, ...]], row: str) -> str:
    return " | ".join(table[row]) if row in table else "not there"


def _rows(table: str) -> list[list[str]]:
    return [[cell.strip() for cell in line.strip().strip("|").split("|")] for line in table.strip().splitlines()]
