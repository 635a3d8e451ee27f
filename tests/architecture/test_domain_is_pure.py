"""The domain has no clock, no randomness and no input or output: the same values always give the same result."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.architecture.sources import python_files, relative

CLOCKS = {"now", "utcnow", "today", "localtime", "gmtime", "monotonic", "perf_counter"}
CHANCE = {"uuid1", "uuid4", "uuid7", "random", "randint", "urandom", "shuffle"}
OUTSIDE = {"open", "print", "input", "exec", "eval"}
MODULES = {"time", "random", "secrets", "uuid", "os", "io", "socket", "subprocess", "threading", "asyncio", "logging"}


def impurities(source: str) -> list[str]:
    """Each use of a clock, of randomness or of the outside world, as "line 3: datetime.now"."""
    return [f"line {line}: {what}" for node in ast.walk(ast.parse(source)) for line, what in _impure(node)]


def _impure(node: ast.AST) -> Iterator[tuple[int, str]]:
    match node:
        case ast.Import(names=names, lineno=line):
            yield from ((line, f"import {name.name}") for name in names if name.name.partition(".")[0] in MODULES)
        case ast.ImportFrom(module=str(module), lineno=line) if module.partition(".")[0] in MODULES:
            yield line, f"from {module} import"
        case ast.Attribute(attr=attribute, lineno=line) if attribute in CLOCKS | CHANCE:
            yield line, ast.unparse(node)
        case ast.Call(func=ast.Name(id=name), lineno=line) if name in CLOCKS | CHANCE | OUTSIDE:
            yield line, f"{name}()"


@pytest.mark.parametrize("path", python_files("include/upgrade_orchestrator/domain"), ids=relative)
def test_domain_file_uses_no_clock_no_randomness_and_no_io(path: Path) -> None:
    assert impurities(path.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize(
    "source",
    [
        "from datetime import datetime\nx = datetime.now()",
        "import datetime\nx = datetime.datetime.utcnow",
        "from datetime import date\nx = date.today()",
        "import time",
        "from time import monotonic",
        "import random as r",
        "from secrets import token_hex",
        "from uuid import uuid4",
        "import os.path",
        "def f(uuid4):\n    return uuid4()",
        "def f():\n    return open('x')",
    ],
)
def test_use_of_clock_randomness_or_io_is_reported(source: str) -> None:
    assert impurities(source) != []


@pytest.mark.parametrize(
    "source",
    [
        "from datetime import datetime, timedelta\ndef f(now: datetime) -> datetime:\n    return now + timedelta(1)",
        "def f(instance):\n    return instance.timestamp(), instance.timeout, instance.opened",
        "import hashlib, json",
    ],
)
def test_pure_code_is_not_reported(source: str) -> None:
    assert impurities(source) == []
