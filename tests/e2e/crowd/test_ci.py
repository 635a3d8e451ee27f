"""Upgrades from CI: the script and the pipelines of docs/ci.md."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from local.stack.stack import Stack
from tests.e2e.ci import Job, blocks, executions, needs_jq, stop, workflow
from tests.e2e.conftest import NewTenant
from tests.e2e.steps import Tenant, reason_of


@pytest.fixture
def tenant(new_tenant: NewTenant) -> Tenant:
    return new_tenant()


@pytest.fixture
def slow(new_tenant: NewTenant) -> Tenant:
    """Its upgrade takes some ten seconds, so that there is time to look at it and to stop it."""
    return new_tenant(upgrade_seconds=2.0)


@pytest.fixture
def job_of(stack: Stack, token: str, tmp_path: Path) -> Callable[[Tenant], Job]:
    return lambda tenant: Job(stack, tenant, tmp_path, {"UPGRADES_TOKEN": token})


# the script


@needs_jq
def test_script_called_as_in_the_guide_upgrades_and_continues_when_its_job_is_repeated(
    slow: Tenant, job_of: Callable[[Tenant], Job], token: str
) -> None:
    job = job_of(slow)
    job.variables["UPGRADES_KEY"] = f"job-{slow.id}"
    text = blocks("sh")[0].replace("$(make -s token)", token)
    late = job.sh(text, UPGRADES_DEADLINE="2")
    assert late.returncode == 3, late.stdout + late.stderr
    assert "goes on" in late.stdout
    done = job.sh(text)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "COMPLETED 100 %, 4 of 4 instances" in done.stdout
    assert "/dags/upgrade__" in done.stdout
    assert slow.versions() == {"3.7.0": 4}
    assert len(executions(slow)) == 1


@needs_jq
@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"batchSize": 0, "batchsize": 1}, ["VALIDATION_FAILED", "batchSize", "batchsize"]),
        ({"toVersionId": "nothing"}, ["NOT_FOUND", "there is no version nothing"]),
        ({"installedComponents": {}}, ["UPGRADE_BLOCKED", "postgresql"]),
    ],
)
def test_script_prints_the_reason_of_a_refused_upgrade(
    tenant: Tenant, job_of: Callable[[Tenant], Job], changed: dict[str, Any], said: list[str]
) -> None:
    done = job_of(tenant).upgrade(tenant.body(**changed))
    assert done.returncode == 2
    assert all(each in done.stderr for each in said), done.stderr
    assert executions(tenant) == []


@needs_jq
def test_script_with_a_wrong_token_is_refused(tenant: Tenant, job_of: Callable[[Tenant], Job]) -> None:
    done = job_of(tenant).upgrade(tenant.body(), UPGRADES_TOKEN="wrong")
    assert done.returncode == 2
    assert "HTTP 401" in done.stderr


@needs_jq
def test_script_called_with_wrong_arguments_prints_its_usage(tenant: Tenant, job_of: Callable[[Tenant], Job]) -> None:
    job = job_of(tenant)
    for arguments in ("", "run", "run missing.json", "walk request.json"):
        done = job.sh(f"sh docs/ci/upgrade.sh {arguments}", "sh")
        assert (done.returncode, done.stderr != "") == (2, True), arguments


@needs_jq
def test_stopped_script_cancels_the_upgrade_when_its_option_is_set(
    slow: Tenant, job_of: Callable[[Tenant], Job]
) -> None:
    job = job_of(slow)
    process = job.begin(slow.body(batchSize=1), UPGRADES_CANCEL_ON_ABORT="true")
    execution_id = job.execution_id()
    slow.wait_upgrading()
    code, printed = stop(process)
    assert code == 143, printed
    assert slow.execution(execution_id)["status"] == "CANCELLED", printed
    done = job.sh("sh docs/ci/upgrade.sh cancel", "sh")
    assert (done.returncode, "has ended already" in done.stdout) == (0, True), done.stdout + done.stderr


# the pipelines


def expressions(text: str, values: dict[str, str]) -> str:
    """Replace GitHub's ${{ … }} by its value; one that the test does not know is an error."""
    return re.sub(r"\$\{\{ (.*?) \}\}", lambda found: values[found[1]], text)


@needs_jq
def test_github_workflow_upgrades_and_cancels_the_upgrade_when_its_job_is_cancelled(
    stack: Stack, slow: Tenant, tmp_path: Path
) -> None:
    (job,) = workflow(0)["jobs"].values()
    values = {
        "vars.UPGRADES_URL": stack.url,
        "vars.UPGRADES_USER": "admin",
        "secrets.UPGRADES_PASSWORD": stack.credentials().admin_password,
        "github.run_id": slow.id,
        "github.run_attempt": "1",
    }
    env = {name: expressions(str(value), values) for name, value in job["env"].items()}
    run, cancel = (each["run"] for each in job["steps"] if "run" in each)
    machine = Job(stack, slow, tmp_path, env | {"UPGRADES_TENANT": slow.id})
    done = machine.sh(run)
    assert done.returncode == 0, done.stdout + done.stderr
    assert slow.versions() == {"3.7.0": 4}
    again = machine.sh(cancel)
    assert (again.returncode, "has ended already" in again.stdout) == (0, True), again.stdout + again.stderr


@needs_jq
def test_gitlab_upgrade_continues_when_the_script_is_stopped_and_is_cancelled_with_the_job(
    stack: Stack, slow: Tenant, tmp_path: Path
) -> None:
    (job,) = workflow(1).values()
    assert job["before_script"] == ["apk add --no-cache curl jq"]
    project = {"UPGRADES_USER": "admin", "UPGRADES_PASSWORD": stack.credentials().admin_password}
    variables = {name: value.replace("$CI_JOB_ID", slow.id) for name, value in job["variables"].items()}
    machine = Job(stack, slow, tmp_path, project | variables | {"UPGRADES_TENANT": slow.id})
    process = machine.begin(slow.body(batchSize=1))
    execution_id = machine.execution_id()
    slow.wait_upgrading()
    code, printed = stop(process)
    assert code == 143, printed
    for state, status in (("failed", "IN_PROGRESS"), ("canceled", "CANCELLED")):
        for line in job["after_script"]:
            done = machine.sh(line, "sh", CI_JOB_STATUS=state)
            assert done.returncode == 0, done.stderr
        assert slow.execution(execution_id)["status"] == status
    assert "cancelled: " in done.stdout


@needs_jq
def test_gitlab_job_fails_with_the_upgrade_and_names_the_failed_check(
    stack: Stack, new_tenant: NewTenant, tmp_path: Path
) -> None:
    (job,) = workflow(1).values()
    project = {"UPGRADES_USER": "admin", "UPGRADES_PASSWORD": stack.credentials().admin_password}
    tenant = new_tenant(backup=False)
    (line,) = job["script"]
    done = Job(stack, tenant, tmp_path, project).sh(line, "sh")
    (execution,) = executions(tenant)
    assert (done.returncode, execution["status"]) == (1, "FAILED"), done.stdout + done.stderr
    assert f"is FAILED: {reason_of(execution)}" in done.stderr
    assert "BACKUP_VERIFICATION: " in done.stderr
