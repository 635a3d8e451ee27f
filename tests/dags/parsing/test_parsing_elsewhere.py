"""DAG files that are parsed outside of Airflow's dag processor, such as in the tests of an adopter's project."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from local.ports import HOST, free_port
from tests.architecture.sources import ROOT
from tests.dags.built import shard_of, started
from tests.dags.conftest import Add, point_to
from upgrade_orchestrator.flow.upgrade import parsing
from upgrade_orchestrator.flow.upgrade.factory import build_dags

LOOK = """
import json
from airflow.dag_processing.dagbag import DagBag
bag = DagBag({folder!r})
print(json.dumps([bag.import_errors, sorted(bag.dags)]))
"""
REASON = "no DAGs of upgrades here"


@pytest.fixture(autouse=True)
def nothing_failed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parsing, "_failed_at", [])


def bag_of(tmp_path: Path, **more: str) -> tuple[dict[str, str], list[str], str]:
    """Import errors and DAGs of a DagBag in a process of its own, and what it writes."""
    kept = {name: each for name, each in os.environ.items() if not name.startswith("AIRFLOW")}
    own = {"AIRFLOW_HOME": str(tmp_path), "PYTHONPATH": f"{ROOT}:{ROOT / 'include'}"}
    code = LOOK.format(folder=str(ROOT / "dags"))
    done = subprocess.run(
        [sys.executable, "-c", code], env=kept | own | more, cwd=tmp_path, capture_output=True, text=True, check=True
    )
    errors, dags = json.loads(done.stdout.splitlines()[-1])
    return errors, dags, done.stdout + done.stderr


def closed_port() -> str:
    return json.dumps({"conn_type": "postgres", "host": HOST, "port": free_port(), "login": "u", "schema": "u"})


def test_dag_bag_without_the_connection_has_no_import_errors_and_says_so_once(tmp_path: Path) -> None:
    errors, dags, said = bag_of(tmp_path)
    assert (errors, dags) == ({}, ["upgrade_request"])
    assert said.count(REASON) == 1
    assert "upgrades_db" in said


def test_dag_bag_with_a_database_that_is_away_has_no_import_errors_and_says_so_once(tmp_path: Path) -> None:
    errors, dags, said = bag_of(tmp_path, AIRFLOW_CONN_UPGRADES_DB=closed_port())
    assert (errors, dags) == ({}, ["upgrade_request"])
    assert said.count(REASON) == 1


def test_dag_bag_with_the_database_has_the_dags_of_the_upgrades(executions: Add, tmp_path: Path, database: str) -> None:
    execution = started(executions)
    errors, dags, said = bag_of(tmp_path, AIRFLOW_CONN_UPGRADES_DB=os.environ["AIRFLOW_CONN_UPGRADES_DB"])
    assert (errors, dags) == ({}, [execution.dag_id, "upgrade_request"])
    assert REASON not in said


def test_database_is_not_asked_for_each_file_again_until_a_minute_has_passed(
    executions: Add, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    execution = started(executions)
    shard = shard_of(execution)
    monkeypatch.setenv("AIRFLOW_CONN_UPGRADES_DB", closed_port())
    assert build_dags(shard) == {}
    point_to(database, monkeypatch)
    assert build_dags(shard) == {}
    monkeypatch.setattr(parsing, "QUIET_SECONDS", 0.0)
    assert set(build_dags(shard)) == {execution.dag_id}


def test_file_that_is_parsed_for_a_task_raises_also_without_a_supervisor(
    executions: Add, monkeypatch: pytest.MonkeyPatch
) -> None:
    execution = started(executions)
    monkeypatch.setenv("_AIRFLOW_PARSING_CONTEXT_DAG_ID", execution.dag_id)
    monkeypatch.setenv("AIRFLOW_CONN_UPGRADES_DB", closed_port())
    with pytest.raises(Exception, match="refused"):
        build_dags(shard_of(execution))
