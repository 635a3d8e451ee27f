"""The project's Python files outside the tests, and what the architecture tests ask of them."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
ROOMS = ("include", "dags", "plugins", "local", "bench")
Function = ast.FunctionDef | ast.AsyncFunctionDef


def python_files(*rooms: str) -> list[Path]:
    """Every file of the project except the migrations: each of those is a record of its day and is never edited
    again.
    """
    found = sorted(path for room in rooms or ROOMS for path in (ROOT / room).rglob("*.py"))
    return [path for path in found if "migrations" not in path.parts]


def relative(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def line_count(path: Path) -> int:
    return len(path.read_text(encoding="utf-8").splitlines())


def functions(source: str) -> Iterator[tuple[str, int]]:
    """Every function's name and its length in lines, docstring included, decorators not."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, Function):
            yield node.name, (node.end_lineno or node.lineno) - node.lineno + 1
