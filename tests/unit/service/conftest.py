"""The use cases on the store in memory and a fleet in this process: virtual time, no server, no Airflow."""

from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from tests.labs.memory.lab import MakeLab, MemoryLab
from tests.labs.memory.world import make_memory_world
from tests.virtual_time import VirtualLoop, running_clock


def pytest_asyncio_loop_factories() -> dict[str, Callable[[], VirtualLoop]]:
    """Every test of this folder runs on an event loop of its own, whose time passes only while everybody waits."""
    return {"virtual": VirtualLoop}


@pytest.fixture
async def make_lab() -> AsyncIterator[MakeLab]:
    """Call it with the fleet's size and timing (seconds).

    Whatever a test lets happen, its events conform to docs/events.md.
    """
    made: list[MemoryLab] = []

    async def make(size: int = 4, lease_seconds: float = 10.0, upgrade_seconds: float = 0.05, **more: Any) -> MemoryLab:
        settings = {"size": size, "upgrade_seconds": upgrade_seconds, **more}
        made.append(MemoryLab(await make_memory_world(running_clock(), lease_seconds, **settings)))
        return made[-1]

    yield make
    for lab in made:
        assert lab.violations() == []
