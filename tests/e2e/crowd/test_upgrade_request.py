"""The DAG that asks for an upgrade: from Airflow's REST API, from its command line, and how its run ends."""

import subprocess
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import httpx
import pytest

from local.stack.stack import Stack
from tests.e2e.airflow_actions import accepted, patch
from tests.e2e.ci import RUNS, Job, blocks, ended, executions, log, needs_jq, result, runs, tasks, trigger
from tests.e2e.conftest import NewTenant
from tests.e2e.steps import Json, Tenant, got, reason_of, wait_for
from tests.shared_stack import ROOT

FOLLOWING = {"create": "success", "start": "success", "follow": "deferred"}


@pytest.fixture
def slow(new_tenant: NewTenant) -> Tenant:
    """Its upgrade takes some ten seconds, so that there is time to look at it and to stop it."""
    return new_tenant(upgrade_seconds=2.0)


@pytest.fixture
def job_of(stack: Stack, token: str, tmp_path: Path) -> Callable[[Tenant], Job]:
    return lambda tenant: Job(stack, tenant, tmp_path, {"UPGRADES_TOKEN": token})


@needs_jq
def test_run_triggered_as_in_the_guide_holds_no_worker_and_succeeds_with_the_upgrade(
    new_tenant: NewTenant, job_of: Callable[[Tenant], Job]
) -> None:
    tenant = new_tenant(upgrade_seconds=5)
    process = job_of(tenant).begin_sh(blocks("sh")[2])
    (execution,) = wait_for("the execution", lambda: executions(tenant))
    tenant.wait_upgrading()
    (run_id,) = runs(tenant)
    wait_for("the run to follow", lambda: tasks(tenant, run_id) == FOLLOWING)
    assert not tenant.execution(execution["id"])["completedAt"]
    printed, _ = process.communicate(timeout=200)
    assert process.returncode == 0, printed
    assert execution["id"] in printed
    execution = tenant.execution(execution["id"])
    assert (execution["status"], execution["createdBy"]) == ("COMPLETED", "admin")
    assert_returned(tenant, run_id, execution)
    assert_begun_within_seconds(tenant, execution)
    assert_cleared_run_makes_no_second_execution(tenant, run_id)


def assert_returned(tenant: Tenant, run_id: str, execution: Json) -> None:
    """Check what the run's tasks return."""
    returned = result(tenant, run_id, "follow")
    assert (returned["executionId"], returned["status"]) == (execution["id"], "COMPLETED")
    assert returned["links"]["self"] == execution["links"]["self"]
    assert result(tenant, run_id, "create")["executionId"] == execution["id"]


def assert_begun_within_seconds(tenant: Tenant, execution: Json) -> None:
    """Started from a worker, which may not request a parse of the DAG: its regular turn would be two minutes later."""
    events = tenant.events(execution["id"])
    commands = [each["data"] for each in events if each["type"].endswith("command-received.v1")]
    assert [(each["command"], each["actor"], each["source"]) for each in commands] == [("start", "admin", "DAG")]
    checked = next(each["time"] for each in events if each["type"].endswith("check-completed.v1"))
    begun = datetime.fromisoformat(checked) - datetime.fromisoformat(execution["startedAt"])
    assert begun.total_seconds() < 60


def assert_cleared_run_makes_no_second_execution(tenant: Tenant, run_id: str) -> None:
    done = tenant.upgraded()
    body = {"dry_run": False, "dag_run_id": run_id, "only_failed": False, "reset_dag_runs": True}
    accepted(lambda: tenant.airflow.post("/dags/upgrade_request/clearTaskInstances", json=body))
    assert set(tasks(tenant, run_id).values()) != {"success"}
    ended(tenant, run_id, "success")
    assert len(executions(tenant)) == 1
    assert tenant.upgraded() == done


@needs_jq
def test_run_triggered_as_in_the_guide_fails_with_the_upgrade_and_logs_the_reason(
    new_tenant: NewTenant, job_of: Callable[[Tenant], Job]
) -> None:
    tenant = new_tenant(backup=False)
    assert job_of(tenant).sh(blocks("sh")[2]).returncode != 0
    (execution,) = executions(tenant)
    (run_id,) = runs(tenant)
    assert tasks(tenant, run_id) == {"create": "success", "start": "success", "follow": "failed"}
    wait_for("the log", lambda: f"the upgrade is FAILED: {reason_of(execution)}" in log(tenant, run_id, "follow"))


def test_run_triggered_by_the_guides_command_fails_when_its_upgrade_is_cancelled(stack: Stack, slow: Tenant) -> None:
    text = blocks("sh")[1].replace("550e8400", slow.id)
    done = subprocess.run(["bash", "-c", text], cwd=ROOT, env=stack.env(), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    slow.wait_upgrading()
    (execution,) = executions(slow)
    assert slow.api.post(f"/upgrades/{execution['id']}/cancel").status_code == 200
    (run_id,) = runs(slow)
    ended(slow, run_id, "failed")


def test_run_of_an_operator_that_is_marked_failed_does_not_stop_its_upgrade(
    slow: Tenant, airflow_of: Callable[[str], httpx.Client]
) -> None:
    run_id = trigger(slow, airflow_of("otto"), batchSize=1).json()["dag_run_id"]
    slow.wait_upgrading()
    patch(slow, f"{RUNS}/{run_id}", {"state": "failed"})
    (execution,) = executions(slow)
    assert execution["createdBy"] == "otto"
    slow.wait_until(execution["id"], "COMPLETED")
    assert got(slow.airflow, f"{RUNS}/{run_id}")["state"] == "failed"


def test_refused_request_fails_the_run_at_once_and_names_every_field(slow: Tenant) -> None:
    """The other refusals are reported in the same way: tests/dags/test_upgrade_request.py."""
    run_id = trigger(slow, batchsize=1, toVersionId="bbb-222").json()["dag_run_id"]
    ended(slow, run_id, "failed")
    assert tasks(slow, run_id) == {"create": "failed", "start": "upstream_failed", "follow": "upstream_failed"}
    said = ("VALIDATION_FAILED", "batchsize unknown field", "toVersionId must")
    wait_for("the log", lambda: all(each in log(slow, run_id, "create") for each in said))
    assert executions(slow) == []


def test_trigger_form_refuses_a_value_out_of_range(slow: Tenant) -> None:
    answer = trigger(slow, batchSize=0)
    assert answer.status_code == 400
    assert "batchSize" in answer.text


@pytest.mark.parametrize("name", ["vera", "anna"])
def test_only_operators_may_trigger_an_upgrade_request_in_airflow(
    slow: Tenant, airflow_of: Callable[[str], httpx.Client], name: str
) -> None:
    assert trigger(slow, airflow_of(name)).status_code == 403
    assert executions(slow) == []
