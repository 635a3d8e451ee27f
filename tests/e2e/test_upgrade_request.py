"""The DAG that asks for an upgrade: from Airflow's REST API, from its command line, and what becomes of its run."""

import shutil
import subprocess
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from local.stack import Stack
from tests.e2e.ci import Job, blocks, ended, executions, log, result, tasks, trigger
from tests.e2e.conftest import NewTenant
from tests.e2e.steps import Tenant, wait_for
from tests.shared_stack import ROOT

needs_jq = pytest.mark.skipif(shutil.which("jq") is None, reason="the script for CI needs jq, which is not installed")


@pytest.fixture
def tenant(new_tenant: NewTenant) -> Tenant:
    return new_tenant()


@pytest.fixture
def slow(new_tenant: NewTenant) -> Tenant:
    """Its upgrade takes some ten seconds: there is time to look, and to stop it."""
    return new_tenant(upgrade_seconds=2.0)


@pytest.fixture
def job_of(stack: Stack, token: str, tmp_path: Path) -> Callable[[Tenant], Job]:
    return lambda tenant: Job(stack, tenant, tmp_path, {"UPGRADES_TOKEN": token})


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text)


def test_run_holds_no_worker_while_it_follows_and_succeeds_when_the_upgrade_is_completed(slow: Tenant) -> None:
    answer = trigger(slow, batchSize=1)
    assert answer.status_code == 200, answer.text
    run_id = answer.json()["dag_run_id"]
    wait_for("the run to follow", lambda: tasks(slow, run_id).get("follow") == "deferred")
    (execution,) = executions(slow)
    seen = set()
    while not slow.execution(execution["id"])["completedAt"]:
        states = tasks(slow, run_id)
        if not slow.execution(execution["id"])["completedAt"]:
            seen.add(tuple(sorted(states.items())))
    assert seen == {(("create", "success"), ("follow", "deferred"), ("start", "success"))}
    ended(slow, run_id, "success")
    assert slow.execution(execution["id"])["createdBy"] == "admin"
    returned = result(slow, run_id, "follow")
    assert (returned["executionId"], returned["status"]) == (execution["id"], "COMPLETED")
    assert returned["links"]["self"] == execution["links"]["self"]
    assert result(slow, run_id, "create")["executionId"] == execution["id"]


def test_started_from_a_worker_the_upgrade_begins_within_seconds(tenant: Tenant) -> None:
    answer = trigger(tenant)
    run_id = answer.json()["dag_run_id"]
    ended(tenant, run_id, "success")
    (execution,) = executions(tenant)
    commands = [each for each in tenant.events(execution["id"]) if each["type"].endswith("command-received.v1")]
    assert [(each["data"]["command"], each["data"]["actor"], each["data"]["source"]) for each in commands] == [
        ("start", "admin", "DAG")
    ]
    checked = next(each for each in tenant.events(execution["id"]) if each["type"].endswith("check-completed.v1"))
    seconds = (_time(checked["time"]) - _time(execution["startedAt"])).total_seconds()
    print(f"\nstarted from a worker: the first check ended after {seconds:.1f} s")
    assert seconds < 30  # without asking, the file's next regular turn would be up to two minutes away


def test_run_fails_when_the_upgrade_does_and_says_why(new_tenant: NewTenant) -> None:
    tenant = new_tenant(backup=False)
    run_id = trigger(tenant).json()["dag_run_id"]
    ended(tenant, run_id, "failed")
    (execution,) = executions(tenant)
    assert tasks(tenant, run_id) == {"create": "success", "start": "success", "follow": "failed"}
    wait_for("the log", lambda: f"the upgrade is FAILED: {execution['statusReason']}" in log(tenant, run_id, "follow"))


def test_cancelled_upgrade_fails_the_run(slow: Tenant) -> None:
    run_id = trigger(slow, batchSize=1).json()["dag_run_id"]
    slow.wait_upgrading()
    (execution,) = executions(slow)
    slow.api.post(f"/upgrades/{execution['id']}/cancel")
    ended(slow, run_id, "failed")


def test_form_refuses_a_value_out_of_range_at_once(tenant: Tenant) -> None:
    answer = trigger(tenant, batchSize=0)
    assert answer.status_code == 400
    assert "batchSize" in answer.text


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"batchsize": 1, "toVersionId": "bbb-222"}, ["VALIDATION_FAILED", "batchsize is not", "toVersionId must"]),
        ({"installedComponents": None}, ["UPGRADE_BLOCKED", "postgresql"]),
        ({"tenantId": "nobody"}, ["NOT_FOUND", "nobody"]),
    ],
)
def test_refusal_fails_the_run_at_once_with_every_field(
    tenant: Tenant, changed: dict[str, Any], said: list[str]
) -> None:
    run_id = trigger(tenant, **changed).json()["dag_run_id"]
    ended(tenant, run_id, "failed")
    assert tasks(tenant, run_id) == {"create": "failed", "start": "upstream_failed", "follow": "upstream_failed"}
    wait_for("the log", lambda: all(each in log(tenant, run_id, "create") for each in said))
    assert executions(tenant) == []


def test_cleared_run_makes_no_second_execution(tenant: Tenant) -> None:
    run_id = trigger(tenant).json()["dag_run_id"]
    ended(tenant, run_id, "success")
    done = tenant.upgraded()
    body = {"dry_run": False, "dag_run_id": run_id, "only_failed": False, "reset_dag_runs": True}
    cleared = tenant.airflow.post("/dags/upgrade_request/clearTaskInstances", json=body)
    assert cleared.status_code == 200, cleared.text
    assert set(tasks(tenant, run_id).values()) != {"success"}
    ended(tenant, run_id, "success")
    assert len(executions(tenant)) == 1
    assert tenant.upgraded() == done


def test_run_marked_failed_leaves_its_upgrade_going_on(slow: Tenant) -> None:
    run_id = trigger(slow, batchSize=1).json()["dag_run_id"]
    slow.wait_upgrading()
    marked = slow.airflow.patch(f"/dags/upgrade_request/dagRuns/{run_id}", json={"state": "failed"})
    assert marked.status_code == 200, marked.text
    (execution,) = executions(slow)
    slow.wait_until(execution["id"], "COMPLETED")


@needs_jq
def test_guides_calls_of_airflows_api_upgrade(tenant: Tenant, job_of: Callable[[Tenant], Job]) -> None:
    done = job_of(tenant).sh(blocks("sh")[2])
    assert done.returncode == 0, done.stdout + done.stderr
    (execution,) = executions(tenant)
    assert execution["status"] == "COMPLETED"
    assert execution["id"] in done.stdout


@needs_jq
def test_guides_calls_of_airflows_api_fail_with_the_upgrade(
    new_tenant: NewTenant, job_of: Callable[[Tenant], Job]
) -> None:
    tenant = new_tenant(backup=False)
    assert job_of(tenant).sh(blocks("sh")[2]).returncode != 0
    assert [each["status"] for each in executions(tenant)] == ["FAILED"]


def test_guides_command_upgrades(stack: Stack, tenant: Tenant) -> None:
    text = blocks("sh")[1].replace("550e8400", tenant.id)
    done = subprocess.run(["bash", "-c", text], cwd=ROOT, env=stack.env(), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    (execution,) = wait_for("the execution", lambda: executions(tenant))
    tenant.wait_until(execution["id"], "COMPLETED")


@pytest.mark.parametrize(("name", "code"), [("otto", 200), ("vera", 403), ("anna", 403)])
def test_operators_may_ask_for_an_upgrade_in_airflow(
    tenant: Tenant, airflow_of: Callable[[str], httpx.Client], name: str, code: int
) -> None:
    answer = trigger(tenant, airflow_of(name))
    assert answer.status_code == code, answer.text
    if code == 200:
        ended(tenant, answer.json()["dag_run_id"], "success")
        assert [each["createdBy"] for each in executions(tenant)] == [name]
