"""The seed's own commands, as a user pastes them into a shell (specification section 12)."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from subprocess import CompletedProcess

import httpx
import pytest

from local.demo.seed import Seed
from local.stack.stack import DEFAULT_PORT, Stack
from tests.e2e.steps import Json, got, wait_for
from tests.shared_stack import ROOT

Run = Callable[[str], "CompletedProcess[str]"]
TENANT, DEPLOYMENT = "550e8400", "/tenants/550e8400/components/aaa-111/deployment"

# verbatim, except for the strategy
CREATE = """\
curl -X POST http://localhost:8084/api/v1/registry/tenants/550e8400/upgrades \\
-H "Content-Type: application/json" \\
-H "Authorization: Bearer ${TOKEN}" \\
-d '{
"componentId": "aaa-111",
"fromVersionId": "bbb-222",
"toVersionId": "ccc-333",
"strategy": "ROLLING",
"canaryPercentage": 10,
"batchSize": 5,
"batchDelaySeconds": 60,
"healthCheckIntervalSeconds": 30,
"healthCheckTimeoutSeconds": 300,
"maxUnavailablePercentage": 25,
"totalInstances": 20,
"autoRollbackEnabled": true,
"failureThreshold": 3,
"initiatedBy": "admin@matih.ai",
"installedComponents": {
"kafka": "3.6.0",
"postgresql": "16.1"
}
}'"""
START = 'curl -X POST http://localhost:8084/api/v1/registry/upgrades/${ID}/start -H "Authorization: Bearer ${TOKEN}"'
GET = 'curl http://localhost:8084/api/v1/registry/upgrades/${ID} -H "Authorization: Bearer ${TOKEN}"'


@pytest.fixture
def paste(stack: Stack, command: Run) -> Callable[..., Json]:
    """Runs a command in bash with TOKEN=$(make -s token); of its text only the port differs, where 8084 was not
    free.
    """
    token = command("token").stdout.strip()

    def run(text: str, execution_id: str = "") -> Json:
        text = text.replace(f"localhost:{DEFAULT_PORT}", f"localhost:{stack.port}")
        env = {"PATH": os.environ["PATH"], "TOKEN": token, "ID": execution_id, "NO_PROXY": "localhost"}
        done = subprocess.run(["bash", "-c", text], env=env, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        body: Json = json.loads(done.stdout)
        return body

    return run


def test_seed_commands_create_start_and_get_an_upgrade(
    stack: Stack, paste: Callable[..., Json], api: httpx.Client
) -> None:
    seed(stack)  # as `make up` does, whatever was done to the demo before
    created = paste(CREATE)
    assert (created["status"], created["tenantId"], created["totalInstances"]) == ("PENDING", TENANT, 20)
    execution_id = created["id"]
    try:
        assert paste(START, execution_id)["status"] == "VALIDATING"
        read = paste(GET, execution_id)
        assert (read["id"], read["createdBy"], read["initiatedBy"]) == (execution_id, "admin", "admin@matih.ai")
        wait_for("the first batch", lambda: paste(GET, execution_id)["progress"]["completed"] == 5)
    finally:
        api.post(f"/upgrades/{execution_id}/cancel")
    wait_for("the deployment to be updated", lambda: got(api, DEPLOYMENT)["mixed"] == {"3.6.0": 15, "3.7.0": 5})


def test_seed_resets_fleet_and_registry_after_an_upgrade_and_adds_nothing_twice(
    stack: Stack, api: httpx.Client
) -> None:
    backups = f"/tenants/{TENANT}/components/aaa-111/backups"
    (before,) = got(api, backups)["items"]
    active = f"/tenants/{TENANT}/components/aaa-111/upgrades/active"
    wait_for("the upgrade to release the active slot", lambda: api.get(active).status_code == 404)
    printed = seed(stack)
    assert printed.startswith("seed: 0 entries added")
    assert "are at 3.6.0" in printed
    deployment = got(api, DEPLOYMENT)
    assert (deployment["currentVersionId"], deployment["mixed"]) == ("bbb-222", None)
    (after,) = got(api, backups)["items"]
    assert after["id"] == before["id"] == Seed.read().registry["backups"][0]["id"]
    assert after["createdAt"] > before["createdAt"]


def test_seed_changes_nothing_while_an_upgrade_is_active(stack: Stack, api: httpx.Client) -> None:
    backups = f"/tenants/{TENANT}/components/aaa-111/backups"
    before = got(api, backups)
    body = {"componentId": "aaa-111", "fromVersionId": "bbb-222", "toVersionId": "ccc-333"}
    installed = {"kafka": "3.6.0", "postgresql": "16.1"}
    created = api.post(f"/tenants/{TENANT}/upgrades", json=body | {"installedComponents": installed})
    assert created.status_code == 201, created.text
    execution_id = created.json()["id"]
    try:
        assert f"upgrade {execution_id} of the demo deployment is active: all stays as it is" in seed(stack)
        assert got(api, backups) == before
    finally:
        api.post(f"/upgrades/{execution_id}/cancel")


def seed(stack: Stack) -> str:
    argv = [sys.executable, "-m", "local.demo.seed"]
    done = subprocess.run(argv, cwd=ROOT, env=stack.env(), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout
