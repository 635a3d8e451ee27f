"""Where the suite's time goes: `make times` prints seconds by folder, by fixture and of the 40 slowest tests.

The seconds of all workers are added up: on idle cores they would pass one after the other.
"""

from collections import defaultdict
from collections.abc import Generator, Mapping
from time import monotonic
from typing import Any, Protocol

import pytest
from _pytest.terminal import TerminalReporter

SLOWEST = 40
_OUTPUT = "fixture_seconds"
Seconds = defaultdict[str, float]
_fixtures, _tests = Seconds(float), Seconds(float)


class Worker(Protocol):
    """A worker that has ended, as pytest-xdist shows it to the controller."""

    workeroutput: dict[str, Any]


@pytest.hookimpl(wrapper=True)
def pytest_fixture_setup(fixturedef: pytest.FixtureDef[object]) -> Generator[None, object, object]:
    """Time of the fixture without the fixtures that it needs itself, which pytest sets up before."""
    began = monotonic()
    try:
        return (yield)
    finally:
        _fixtures[fixturedef.argname] += monotonic() - began


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Time of set-up, call and teardown."""
    _tests[report.nodeid] += report.duration


def pytest_sessionfinish(session: pytest.Session) -> None:
    """A worker sends its times to the controller."""
    if hasattr(session.config, "workeroutput"):
        session.config.workeroutput[_OUTPUT] = dict(_fixtures)


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Worker) -> None:
    """Receive a worker's times; one that crashed has sent none."""
    _add(_fixtures, getattr(node, "workeroutput", {}).get(_OUTPUT, {}))


def pytest_terminal_summary(terminalreporter: TerminalReporter) -> None:
    folders = Seconds(float)
    for name, seconds in _tests.items():
        folders[_folder(name)] += seconds
    for title, found in (("folder", folders), ("fixture", _fixtures), ("test", _tests)):
        terminalreporter.section(f"seconds by {title}")
        for name, seconds in sorted(found.items(), key=lambda each: -each[1])[:SLOWEST]:
            terminalreporter.write_line(f"{seconds:7.1f}  {name}")


def _add(to: Seconds, more: Mapping[str, float]) -> None:
    for name, seconds in more.items():
        to[name] += seconds


def _folder(nodeid: str) -> str:
    """The folder of `tests/unit/domain/plan/test_plan.py::test_x`: `unit/domain/plan`."""
    return "/".join(nodeid.split("::")[0].split("/")[1:-1])
