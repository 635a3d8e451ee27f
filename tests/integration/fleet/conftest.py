"""One agent for the module, a fleet of its own for each test."""

import itertools
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.integration.fleet.running_agent import Caller, RunningAgent

_names = itertools.count(1)


@pytest.fixture(scope="module")
def agent(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningAgent]:
    running = RunningAgent(tmp_path_factory.mktemp("fleets"))
    yield running
    running.close()


@pytest.fixture
def fleet(agent: RunningAgent) -> Iterator[Caller]:
    """Three instances at 3.5.0 that upgrade at once."""
    name = f"f{next(_names)}"
    agent.admin.create(name, 3, "3.5.0", upgrade_seconds=0.05)
    yield Caller(agent, name)
    agent.admin.delete(name)


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., RunningAgent]]:
    """Starts agents on the same state folder, one after the other."""
    started: list[RunningAgent] = []

    def begin(*more: str, port: int = 0) -> RunningAgent:
        started.append(RunningAgent(tmp_path / "state", *more, port=port))
        return started[-1]

    yield begin
    for running in started:
        running.close()
