"""A lab: a fleet of the wanted size, with the seed's registry around it."""

import itertools
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from tests.event_rows import violations_in
from tests.integration.fleet.running_agent import RunningAgent
from tests.integration.store_lab import MakeLab, StoreLab, with_lease
from tests.integration.world import make_world
from tests.labs.seed import OLD_VERSION
from upgrade_orchestrator.bootstrap import close_ports

_numbers = itertools.count(1)


@pytest.fixture
async def make_lab(
    postgres_url: str, demo_agent: RunningAgent, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[MakeLab]:
    """Call it with the fleet's size and timing (seconds); the lease is short, so that a death costs little time.

    The tenant is the same every time: its deployment moves to the new fleet. At the end, all events that the test has
    caused must follow the schemas in docs/events.
    """
    fleets: list[str] = []

    async def make(size: int = 4, lease_seconds: float = 3.0, upgrade_seconds: float = 0.05, **more: Any) -> StoreLab:
        fleets.append(fleet := f"lab{next(_numbers)}")
        demo_agent.admin.create(fleet, size, OLD_VERSION, upgrade_seconds=upgrade_seconds, **more)
        world = await make_world(postgres_url, demo_agent, fleet, tmp_path, monkeypatch)
        return StoreLab(with_lease(world, lease_seconds))

    yield make
    with psycopg.connect(postgres_url.replace("+psycopg", "")) as connection:
        assert violations_in(connection) == []
    await close_ports()
    for fleet in {each["fleet"] for each in demo_agent.admin.fleets()} & {*fleets}:
        demo_agent.admin.delete(fleet)
