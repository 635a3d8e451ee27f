"""The servers of integration tests: one real PostgreSQL and one real fleet agent for the session.

postgres_url   a fresh, migrated database of our own for each test (a copy of a template: some 50 ms)
demo_agent     the demo fleet's agent as its own process
world          the two together: a fleet of its own, filled in like the seed (see tests/integration/world.py)
"""

import atexit
import itertools
import os
import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from sqlalchemy import make_url

# Airflow creates its home at its first import: it must not be the home folder of the user who runs the tests.
if "AIRFLOW_HOME" not in os.environ:
    os.environ["AIRFLOW_HOME"] = tempfile.mkdtemp(prefix="airflow-home-")
    atexit.register(shutil.rmtree, os.environ["AIRFLOW_HOME"], ignore_errors=True)

from local.postgres.server import Postgres, running_postgres
from tests.integration.fleet.running_agent import RunningAgent
from tests.integration.world import World, make_world
from upgrade_orchestrator.adapters.airflow import connections
from upgrade_orchestrator.adapters.postgres.migrate import migrate
from upgrade_orchestrator.bootstrap import close_ports

TEMPLATE = "upgrades_template"
MEMORY, ROOM_BYTES = Path("/dev/shm"), 2 << 30
SETTINGS = {"fsync": "off", "full_page_writes": "off", "synchronous_commit": "off", "max_wal_size": "'64MB'"}
"The data need not survive the machine: PostgreSQL waits for no disk and keeps little."
_numbers = itertools.count(1)


@pytest.fixture(scope="session")
def memory_folder() -> Iterator[Path]:
    """A folder for PostgreSQL's data; in memory if there is enough of it.

    Each test drops a database of 300 files; soon after deletions, ext4 looks at all of those inodes before it
    makes another one, which took two thirds of two cores.
    """
    in_memory = MEMORY.is_dir() and shutil.disk_usage(MEMORY).free > ROOM_BYTES
    folder = Path(tempfile.mkdtemp(prefix="upgrades-tests-", dir=MEMORY if in_memory else None))
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def postgres_server(memory_folder: Path) -> Iterator[Postgres]:
    with running_postgres(memory_folder) as server:
        with server.connect() as connection:
            for name, value in SETTINGS.items():
                connection.execute(f"ALTER SYSTEM SET {name} = {value}")
            connection.execute("SELECT pg_reload_conf()")
            # a test opens a handful of connections; deriving a key from the password was half the work of each
            connection.execute("SET scram_iterations = 1")
            connection.execute(f"ALTER ROLE CURRENT_USER PASSWORD '{make_url(server.url('postgres')).password}'")
        yield server


@pytest.fixture(scope="session")
def migrated_template(postgres_server: Postgres) -> str:
    with postgres_server.connect() as connection:
        connection.execute(f"CREATE DATABASE {TEMPLATE}")
    migrate(postgres_server.url(TEMPLATE))
    return TEMPLATE


@pytest.fixture(autouse=True)
def nothing_looked_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """No URL that an earlier test of this process has looked up: its database is gone."""
    monkeypatch.setattr(connections, "_resolved", {})


@pytest.fixture
def postgres_url(postgres_server: Postgres, migrated_template: str) -> Iterator[str]:
    name = f"test_{next(_numbers)}"
    with postgres_server.connect() as connection:
        connection.execute(f"CREATE DATABASE {name} TEMPLATE {migrated_template} STRATEGY file_copy")
    yield postgres_server.url(name)
    with postgres_server.connect() as connection:
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture(scope="session")
def demo_agent(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningAgent]:
    running = RunningAgent(tmp_path_factory.mktemp("demo-fleets"))
    yield running
    running.close()


@pytest.fixture
async def world(
    postgres_url: str, demo_agent: RunningAgent, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[World]:
    """Tenant 550e8400 with aaa-111 at 3.6.0 on a fleet of four; the event loop's connections are closed at the end."""
    fleet = f"world-{next(_numbers)}"
    demo_agent.admin.create(fleet, 4, "3.6.0", upgrade_seconds=0.05)
    made = await make_world(postgres_url, demo_agent, fleet, tmp_path, monkeypatch)
    yield made
    made.close()
    await close_ports()
    demo_agent.admin.delete(fleet)
