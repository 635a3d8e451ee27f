"""Two API servers of a real Airflow with our plugin, one of which leads the relay and is killed."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy.engine import make_url

from local.ports import HOST, free_port
from local.postgres.server import Postgres
from local.supervisor.processes import Command
from tests.integration.kafka.broker import ROOT
from tests.integration.kafka.failover.killing import Candidates

METADATA = "airflow_of_killed_servers"
NAMES = ("api-server-a", "api-server-b")


@pytest.fixture
def airflow_env(postgres_server: Postgres, postgres_url: str, topic: str, tmp_path: Path) -> Iterator[dict[str, str]]:
    """The environment of a real Airflow with our plugin and a migrated database of its own; our database and Kafka are
    its
    connections.
    """
    with postgres_server.connect() as connection:
        connection.execute(f"CREATE DATABASE {METADATA}")
    env = _environment(postgres_server.url(METADATA), postgres_url, tmp_path)
    done = subprocess.run(
        [sys.executable, "-m", "airflow", "db", "migrate"], env=env, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-3000:]
    yield env
    with postgres_server.connect() as connection:
        connection.execute(f"DROP DATABASE {METADATA} WITH (FORCE)")


def _environment(metadata: str, own: str, folder: Path) -> dict[str, str]:
    (folder / "dags").mkdir()
    settings = {
        "DATABASE__SQL_ALCHEMY_CONN": metadata,
        "DATABASE__SQL_ALCHEMY_CONN_ASYNC": metadata,
        "CORE__DAGS_FOLDER": str(folder / "dags"),
        "CORE__PLUGINS_FOLDER": str(ROOT / "plugins"),
        "CORE__LOAD_EXAMPLES": "False",
        "API__SECRET_KEY": "0" * 32,
        "API_AUTH__JWT_SECRET": "1" * 32,
    }
    url = make_url(own)
    connection = {"conn_type": "postgres", "host": url.host, "port": url.port, "schema": url.database}
    connection |= {"login": url.username, "password": url.password}
    ours = {"AIRFLOW_CONN_UPGRADES_DB": json.dumps(connection)}
    home = {"AIRFLOW_HOME": str(folder / "home"), "PYTHONPATH": str(ROOT)}
    return os.environ | home | ours | {f"AIRFLOW__{name}": value for name, value in settings.items()}


@pytest.fixture
def servers(airflow_env: dict[str, str], postgres_url: str, tmp_path: Path) -> Iterator[Candidates]:
    """Two servers: while the killed one restarts, the other leads after two seconds."""
    argv = [sys.executable, "-m", "airflow", "api-server", "--host", HOST, "--port"]
    commands = [Command(name, [*argv, str(free_port())], airflow_env, tmp_path) for name in NAMES]
    made = Candidates(postgres_url, tmp_path, commands)
    made.start()
    yield made
    made.end()
