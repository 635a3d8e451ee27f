"""The pages in docs/ as tests read them: sections, rows of tables, and Mermaid diagrams."""

import re
from collections.abc import Iterator

from tests.architecture.sources import ROOT
from tests.guides import code_blocks

DOCS = ROOT / "docs"
_CODE = re.compile(r"`([^`]+)`")
_ARROW = re.compile(r"^\s*(\w+|\[\*\])\s*-->\s*(\w+|\[\*\])\s*(?::.*)?$")


def page(name: str) -> str:
    return (DOCS / name).read_text(encoding="utf-8")


def section(text: str, heading: str) -> str:
    """What stands below ``heading``, up to the next heading of its level or above it."""
    lines = text.splitlines()
    begin = lines.index(heading)
    level = heading.index(" ")
    for end in range(begin + 1, len(lines)):
        marks = len(lines[end]) - len(lines[end].lstrip("#"))
        if 0 < marks <= level and lines[end][marks] == " ":
            return "\n".join(lines[begin:end])
    return "\n".join(lines[begin:])


def rows(text: str) -> list[list[str]]:
    """The cells of every row of every table, without heads and rules."""
    found: list[list[str]] = []
    lines = text.splitlines()
    for number, line in enumerate(lines):
        is_head = number + 1 < len(lines) and lines[number + 1].startswith("|--")
        if line.startswith("|") and not line.startswith("|--") and not is_head:
            found.append([cell.strip() for cell in line.strip("|").split(" | ")])
    return found


def names(cell: str) -> list[str]:
    """What stands in backquotes."""
    return _CODE.findall(cell)


def words(cell: str) -> list[str]:
    """A list with commas, as plain text."""
    return [each for each in (part.strip(" `") for part in cell.split(",")) if each]


def arrows(diagram: str) -> Iterator[tuple[str, str]]:
    """From and to of each arrow of a Mermaid state diagram."""
    for line in diagram.splitlines():
        if match := _ARROW.match(line):
            yield match[1], match[2]


def diagrams(text: str) -> list[str]:
    return [block for language, block in code_blocks(text) if language == "mermaid"]
