"""The database and the fleet that the worlds of this folder share one after the other, since they take long to make.

No test here gives an order to an instance, and each finds the database as if it had just been made.
"""

import asyncio
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from local.postgres.server import Postgres
from tests.integration.contents import Contents
from tests.integration.fleet.running_agent import RunningAgent
from tests.integration.world import SETTINGS, World, document, world_on, write_backup
from upgrade_orchestrator.bootstrap import close_ports, ports_for
from upgrade_orchestrator.cli.registry.document import entries_in
from upgrade_orchestrator.service.registry.load import load_registry


@dataclass(frozen=True)
class SharedDatabaseAndFleet:
    """`contents` are those of the database at `url` with the registry loaded, and no upgrade in it."""

    url: str
    contents: Contents
    agent: RunningAgent
    fleet: str
    folder: Path

    def new_world(self, monkeypatch: pytest.MonkeyPatch) -> World:
        """A world on the database and fleet, both reset to their initial state."""
        self.contents.undrain_left()
        return world_on(self.url, self.agent, self.fleet, write_backup(self.folder), monkeypatch)


@contextmanager
def shared_database_and_fleet(
    postgres: Postgres, template: str, agent: RunningAgent, folder: Path
) -> Iterator[SharedDatabaseAndFleet]:
    """Create a database and a fleet for this process; both are removed at the end."""
    name = f"web-{os.getpid()}"
    url = postgres.url(name)
    agent.admin.create(name, 4, "3.6.0")
    with postgres.connect() as server:
        server.execute(f'CREATE DATABASE "{name}" TEMPLATE {template}')
        asyncio.run(_fill(url, name, folder))
        with postgres.connect(name) as connection:
            yield SharedDatabaseAndFleet(url, Contents(connection), agent, name, folder)
        server.execute(f'DROP DATABASE "{name}" WITH (FORCE)')
    agent.admin.delete(name)


async def _fill(url: str, fleet: str, folder: Path) -> None:
    await load_registry(ports_for(url, SETTINGS), entries_in(document(fleet, write_backup(folder))))
    await close_ports()
