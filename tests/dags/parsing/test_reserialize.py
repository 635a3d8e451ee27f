"""`airflow dags reserialize` beside our DAGs: without our database it leaves them as they are."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from local.ports import HOST, free_port
from local.postgres.server import Postgres
from tests.architecture.sources import ROOT
from tests.dags.built import started
from tests.dags.conftest import Add

SIMPLE = "airflow.api_fastapi.auth.managers.simple.simple_auth_manager.SimpleAuthManager"


@pytest.fixture
def airflow_url(postgres_server: Postgres) -> Iterator[str]:
    """The URL of an empty database for Airflow."""
    with postgres_server.connect() as connection:
        connection.execute("CREATE DATABASE airflow_reserialized")
    yield postgres_server.url("airflow_reserialized")
    with postgres_server.connect() as connection:
        connection.execute("DROP DATABASE airflow_reserialized WITH (FORCE)")


@pytest.mark.timeout(120)
def test_reserialize_without_our_database_makes_no_import_error_and_no_dag_stale(
    executions: Add, airflow_url: str, tmp_path: Path
) -> None:
    execution = started(executions)
    available = os.environ["AIRFLOW_CONN_UPGRADES_DB"]
    run("db migrate", tmp_path, airflow_url, available)
    run("dags reserialize", tmp_path, airflow_url, available)
    with_database = dags(airflow_url)
    assert with_database == {execution.dag_id: False, "upgrade_request": False}
    away = {"conn_type": "postgres", "host": HOST, "port": free_port(), "login": "u", "schema": "u"}
    run("dags reserialize", tmp_path, airflow_url, json.dumps(away))
    assert dags(airflow_url) == with_database
    assert rows(airflow_url, "SELECT filename FROM import_error") == []


def run(words: str, home: Path, airflow: str, connection: str) -> None:
    settings = {"DATABASE__SQL_ALCHEMY_CONN": airflow, "CORE__DAGS_FOLDER": str(ROOT / "dags")}
    settings |= {"CORE__AUTH_MANAGER": SIMPLE, "CORE__LOAD_EXAMPLES": "False"}
    kept = {name: each for name, each in os.environ.items() if not name.startswith("AIRFLOW")}
    own = {
        "AIRFLOW_HOME": str(home),
        "PYTHONPATH": f"{ROOT}:{ROOT / 'include'}",
        "AIRFLOW_CONN_UPGRADES_DB": connection,
    }
    env = kept | own | {f"AIRFLOW__{name}": value for name, value in settings.items()}
    command = [sys.executable, "-m", "airflow", *words.split()]
    done = subprocess.run(command, env=env, cwd=home, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]


def dags(airflow: str) -> dict[str, bool]:
    """Whether each DAG is stale."""
    return dict(rows(airflow, "SELECT dag_id, is_stale FROM dag"))


def rows(airflow: str, query: str) -> list[Any]:
    with psycopg.connect(airflow.replace("+psycopg2", "").replace("+psycopg", "")) as connection:
        return connection.execute(query.encode()).fetchall()
