"""The DAG that asks for an upgrade is parsed again and again, which must load no client of a database, fleet or
Kafka.
"""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.architecture.sources import ROOT

CLIENTS = {"psycopg", "aiohttp", "confluent_kafka", "upgrade_orchestrator.bootstrap"}
CODE = """
import sys
import airflow.sdk.execution_time.supervisor, airflow.sdk.execution_time.task_runner
before = set(sys.modules)
import {module}
print("loaded:", *sorted({clients} & set(sys.modules) - before))
"""


def loaded_by(module: str, airflow_home: Path) -> list[str]:
    """Which of the clients importing ``module`` loads beyond what Airflow has loaded."""
    env = {**os.environ, "AIRFLOW_HOME": str(airflow_home), "PYTHONPATH": str(ROOT)}
    code = CODE.format(module=module, clients=CLIENTS)
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()[-1].split()[1:]


def test_parsing_the_request_dag_loads_no_client(tmp_path: Path) -> None:
    assert loaded_by("dags.upgrade_request", tmp_path) == []


@pytest.mark.parametrize("module", ["upgrade_orchestrator.flow.upgrade.triggers"])
def test_module_that_loads_clients_is_reported(module: str, tmp_path: Path) -> None:
    assert set(loaded_by(module, tmp_path)) == CLIENTS
