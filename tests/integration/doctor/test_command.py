"""The doctor as a command of a copied package, on a machine where little is right: every look says so in a line."""

import os
import subprocess
import sys
from pathlib import Path

from tests.architecture.sources import ROOT
from tests.integration.store.connections import connection_to


def test_doctor_of_a_copied_package_ends_with_1_and_a_line_for_each_thing_that_is_wrong(
    postgres_url: str, tmp_path: Path
) -> None:
    kept = {name: each for name, each in os.environ.items() if not name.startswith("AIRFLOW")}
    env = kept | {
        "AIRFLOW_HOME": str(tmp_path),
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{tmp_path}/nothing.db",
        "AIRFLOW__CORE__DAGS_FOLDER": str(tmp_path),
        "AIRFLOW__API__BASE_URL": "http://127.0.0.1:9",
        "AIRFLOW_CONN_UPGRADES_DB": connection_to(postgres_url),
        "PYTHONPATH": str(ROOT / "include"),
        "NO_PROXY": "127.0.0.1",
    }
    command = [sys.executable, "-m", "upgrade_orchestrator.cli.doctor"]
    done = subprocess.run(command, env=env, cwd=tmp_path, capture_output=True, text=True, check=False)
    lines = [each for each in done.stdout.splitlines() if each.startswith(("ok ", "warning ", "error ", "4 errors"))]
    assert [each[: each.index(":")] for each in lines[:-1]] == [
        "ok       database",
        "ok       schema",
        "ok       clock",
        "ok       roles",
        "error    bundle",
        "error    DAG files",
        "error    components",
        "warning  API server",
        "warning  tasks",
        "ok       settings",
        "error    slots",
        "ok       events",
        "ok       fleets",
    ], done.stdout
    assert (done.returncode, "Traceback" in done.stdout + done.stderr) == (1, False)
