"""The examples of docs/ci.md, extracted from the page and run as a pipeline runs them."""

import os
import re
import shutil
import signal
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import httpx
import pytest
import yaml

from local.stack.stack import DEFAULT_PORT, Stack
from tests.e2e.steps import Json, Tenant, got, wait_for
from tests.shared_stack import ROOT

GUIDE = ROOT / "docs" / "ci.md"
RUNS = "/dags/upgrade_request/dagRuns"
EXAMPLES_TENANT = "550e8400"
needs_jq = pytest.mark.skipif(shutil.which("jq") is None, reason="the script for CI needs jq, which is not installed")


def blocks(language: str) -> list[str]:
    """The page's code blocks of a language, in their order."""
    return re.findall(rf"^```{language}\n(.*?)^```", GUIDE.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)


def workflow(number: int) -> Any:
    """A YAML example. YAML reads the key `on` as true, which GitHub does not."""
    return yaml.safe_load(blocks("yaml")[number])


@dataclass
class Job:
    """A CI job: a checkout of its own with the script in it, and the variables that a project would set."""

    stack: Stack
    tenant: Tenant
    folder: Path
    variables: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        shutil.copytree(ROOT / "docs" / "ci", self.folder / "docs" / "ci")

    def env(self, **more: str) -> dict[str, str]:
        """The environment of the job's processes; of ours it has only the path."""
        base = {"PATH": os.environ["PATH"], "HOME": str(self.folder), "NO_PROXY": "localhost", "UPGRADES_POLL": "1"}
        own = {"UPGRADES_URL": self.stack.url, "UPGRADES_TENANT": self.tenant.id}
        return base | own | self.variables | more

    def sh(self, text: str, shell: str = "bash", **more: str) -> "CompletedProcess[str]":
        """Run a line of a job, with the stack's port and the test's tenant instead of the example's."""
        argv, where, env = [shell, "-e", "-c", self._own(text)], self.folder, self.env(**more)
        return subprocess.run(argv, cwd=where, env=env, capture_output=True, text=True, check=False, timeout=200)

    def begin_sh(self, text: str) -> "subprocess.Popen[str]":
        """Start the same in the background."""
        argv, where, out = ["bash", "-e", "-c", self._own(text)], self.folder, subprocess.PIPE
        return subprocess.Popen(argv, cwd=where, env=self.env(), text=True, stdout=out, stderr=subprocess.STDOUT)

    def upgrade(self, request: Json, **more: str) -> "CompletedProcess[str]":
        """Run the script with a request of the test's own, in the smallest shell available."""
        return self.sh(f"sh docs/ci/upgrade.sh run {self.write(request)}", "sh", **more)

    def begin(self, request: Json, **more: str) -> "subprocess.Popen[str]":
        """Start the same in the background."""
        argv = ["sh", "docs/ci/upgrade.sh", "run", self.write(request)]
        where, env, out = self.folder, self.env(**more), subprocess.PIPE
        return subprocess.Popen(argv, cwd=where, env=env, text=True, stdout=out, stderr=subprocess.STDOUT)

    def _own(self, text: str) -> str:
        return text.replace(f":{DEFAULT_PORT}", f":{self.stack.port}").replace(EXAMPLES_TENANT, self.tenant.id)

    def write(self, request: Json) -> str:
        """Write the request to a file of the checkout."""
        (self.folder / "request.json").write_text(httpx.Request("POST", "http://x", json=request).content.decode())
        return "request.json"

    def execution_id(self) -> str:
        """The execution that the script has created, once it exists."""
        kept = self.folder / ".upgrade-id"
        return wait_for("the script to create an upgrade", lambda: kept.read_text().strip() if kept.exists() else None)


def stop(process: "subprocess.Popen[str]") -> tuple[int, str]:
    """Stop it as CI stops a job; its exit code and what it has printed."""
    process.send_signal(signal.SIGTERM)
    printed, _ = process.communicate(timeout=60)
    return process.returncode, printed


def executions(tenant: Tenant) -> list[Json]:
    """All executions of the tenant."""
    items: list[Json] = got(tenant.api, f"/tenants/{tenant.id}/upgrades")["items"]
    return items


def trigger(tenant: Tenant, client: httpx.Client | None = None, **changed: Any) -> httpx.Response:
    """Trigger a run of the DAG, as a pipeline does."""
    conf = tenant.body(tenantId=tenant.id) | changed
    return (client or tenant.airflow).post(RUNS, json={"logical_date": None, "conf": conf})


def runs(tenant: Tenant) -> list[str]:
    """The ids of the runs that were triggered in the tenant's name."""
    found = got(tenant.airflow, RUNS, limit=100, order_by="-id")["dag_runs"]
    return [each["dag_run_id"] for each in found if each["conf"]["tenantId"] == tenant.id]


def ended(tenant: Tenant, run_id: str, state: str) -> None:
    """Wait until the run has that state."""

    def look() -> str | None:
        found = str(got(tenant.airflow, f"{RUNS}/{run_id}")["state"])
        return found if found in ("success", "failed") else None

    assert wait_for(f"run {run_id} to end", look) == state, tasks(tenant, run_id)


def tasks(tenant: Tenant, run_id: str) -> dict[str, str]:
    """The states of the run's tasks."""
    found = got(tenant.airflow, f"{RUNS}/{run_id}/taskInstances")["task_instances"]
    return {each["task_id"]: each["state"] for each in found}


def result(tenant: Tenant, run_id: str, task: str) -> Json:
    """The return value of the task."""
    value: Json = got(tenant.airflow, f"{RUNS}/{run_id}/taskInstances/{task}/xcomEntries/return_value")["value"]
    return value


def log(tenant: Tenant, run_id: str, task: str) -> str:
    """The log of the task's last try: one whose worker was lost is tried again."""
    attempt = got(tenant.airflow, f"{RUNS}/{run_id}/taskInstances/{task}")["try_number"]
    answer = tenant.airflow.get(f"{RUNS}/{run_id}/taskInstances/{task}/logs/{attempt}")
    assert answer.status_code == 200, answer.text
    return answer.text
