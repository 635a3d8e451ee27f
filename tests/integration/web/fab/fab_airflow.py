"""Airflow's real API server with FAB, a user of each role, an upgrade's DAG, and a DAG of another team."""

import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.architecture.sources import ROOT
from tests.integration.web.api_server import simple_auth
from tests.integration.web.api_server.running_airflow import RunningAirflow
from tests.integration.world import COMPONENT, TENANT

OTHER = "another-tenant"
ROLES = {
    "vera": "Upgrade Viewer",
    "otto": "Upgrade Operator",
    "anna": "Upgrade Approver",
    "ursula": "Upgrade Admin",
    "tina": f"Upgrade Operator {TENANT}",
    "timo": f"Upgrade Approver {TENANT}",
    "tom": f"Upgrade Operator {OTHER}",
    "ada": "Admin",
}
FORMER = ("can_edit", "DAGs")
"What the set-up of an earlier version granted to approvers."
SET_UP = f"""
from airflow.utils import db
from airflow.providers.fab.auth_manager.cli_commands.utils import get_application_builder
db.upgradedb()
with get_application_builder() as builder:
    manager = builder.sm
    manager.sync_roles()
    approver = manager.add_role("Upgrade Approver")
    manager.add_permission_to_role(approver, manager.create_permission(*{FORMER!r}))
    manager.add_permission_to_role(approver, manager.create_permission("can_read", "Assets"))
from upgrade_orchestrator.cli.setup import set_up
for _ in range(2):  # running it twice does no harm
    assert set_up([{TENANT!r}, {OTHER!r}]) == 0
with get_application_builder() as builder:
    manager = builder.sm
    for name, role in {ROLES!r}.items():
        manager.add_user(name, name, name, name + "@example.com", manager.find_role(role), {simple_auth.PASSWORD!r})
    for name in ("Upgrade Approver",):
        print(name, sorted((each.action.name, each.resource.name) for each in manager.find_role(name).permissions))
"""
STRANGER = "team_dag"
STRANGERS_FILE = f"""
from airflow.sdk import DAG
from airflow.providers.standard.operators.empty import EmptyOperator
with DAG("{STRANGER}", schedule=None) as dag:
    EmptyOperator(task_id="theirs")
with DAG("upgrade__of_the_database", schedule=None, tags=["tenant:{TENANT}"]) as named_like_ours:
    EmptyOperator(task_id="theirs")
"""
LOOK_SECONDS = 90


class FabAirflow(RunningAirflow):
    """As its base, with FAB."""

    set_up_code, name = SET_UP, "fab"

    def settings(self, folder: Path) -> dict[str, str]:
        """The DAGs are ours and one file of another team."""
        dags = folder / "dags"
        shutil.copytree(ROOT / "dags", dags, dirs_exist_ok=True, ignore=shutil.ignore_patterns("e2e_*"))
        (dags / "team.py").write_text(STRANGERS_FILE)
        return {"CORE__AUTH_MANAGER": "airflow.providers.fab.auth_manager.fab_auth_manager.FabAuthManager"}

    def parse(self) -> None:
        """Read all DAG files, as the dag processor does."""
        command = [sys.executable, "-m", "airflow", "dags", "reserialize"]
        done = subprocess.run(command, env=self._env, cwd=self._folder, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr[-3000:]

    def start_upgrade(self) -> str:
        """Create and start one; returns its DAG's id."""
        with self.client("ada") as client:
            body = {"componentId": COMPONENT, "fromVersionId": "bbb-222", "toVersionId": "ccc-333"}
            made = client.post(f"/tenants/{TENANT}/upgrades", json=body)
            assert made.status_code == 201, made.text
            assert client.post(f"/upgrades/{made.json()['id']}/start").status_code == 202
            return str(made.json()["dagId"])

    def wait_for(self, what: str, look: Callable[[], Any]) -> Any:
        """What `look` finds, within a deadline."""
        deadline = time.monotonic() + LOOK_SECONDS
        while not (found := look()):
            assert time.monotonic() < deadline, (what, self.log()[-3000:])
            time.sleep(0.2)
        return found
