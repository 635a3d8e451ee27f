"""A completed upgrade updates its Airflow asset, and the example DAG that a user schedules on it runs.

Neither it nor one that was cancelled sends a notice.
"""

from collections.abc import Iterator
from pathlib import Path
from zipfile import ZipFile

import httpx
import pytest

from tests.architecture.sources import ROOT
from tests.e2e.airflow_actions import accepted
from tests.e2e.conftest import NewTenant
from tests.e2e.notices import sent_of
from tests.e2e.steps import Json, Tenant, got, wait_for

EXAMPLE = ROOT / "docs/examples/after_upgrade.py"
FILE = ROOT / "dags/e2e_after_upgrade.zip"
"A zip, which Airflow accepts as well: other tests read every Python file in the folder."
DAG_ID = "e2e_after_upgrade"
_FOUND_SECONDS = 240.0
"The dag processor looks for new files once a minute."

pytestmark = pytest.mark.timeout(900)


@pytest.fixture
def tenant(new_tenant: NewTenant) -> Tenant:
    return new_tenant(2)


@pytest.fixture
def example(tenant: Tenant, airflow: httpx.Client) -> Iterator[Path]:
    """The example as a user has it: under another name, and with the test's tenant in the asset's name."""
    text = EXAMPLE.read_text(encoding="utf-8")
    own = text.replace("550e8400", tenant.id).replace("def after_upgrade(", f"def {DAG_ID}(")
    with ZipFile(FILE, "w") as packed:
        packed.writestr(f"{DAG_ID}.py", own.replace("\nafter_upgrade()", f"\n{DAG_ID}()"))
    try:
        wait_for("Airflow to find the example", lambda: airflow.get(f"/dags/{DAG_ID}").is_success, _FOUND_SECONDS)
        unpaused = airflow.patch(f"/dags/{DAG_ID}", json={"is_paused": False})
        assert unpaused.status_code == 200, unpaused.text
        yield FILE
    finally:
        FILE.unlink()  # no more than this: deleting a DAG while the dag processor marks it stale ends the dag processor


@pytest.mark.usefixtures("example")
def test_dag_scheduled_on_the_asset_runs_after_a_completed_upgrade_only(
    tenant: Tenant, airflow: httpx.Client, notices: Path
) -> None:
    cancelled = tenant.start(batchDelaySeconds=600, batchSize=1)
    tenant.wait_until(cancelled, "IN_PROGRESS")
    assert tenant.api.post(f"/upgrades/{cancelled}/cancel").status_code == 200
    tenant.dag_run(cancelled)
    _run_the_end_again(tenant, airflow, cancelled)
    wait_for("the active slot to be free", lambda: tenant.api.get(_active(tenant)).status_code == 404)

    completed = tenant.start(batchSize=2, maxUnavailablePercentage=100)
    tenant.wait_until(completed, "COMPLETED")
    assert tenant.dag_run(completed)["state"] == "success"
    run = wait_for("the example to have run", lambda: _ended(airflow))
    assert run["state"] == "success"
    value = got(airflow, f"/dags/{DAG_ID}/dagRuns/{run['dag_run_id']}/taskInstances/report/xcomEntries/return_value")
    assert value["value"] in ([completed], f'["{completed}"]')
    assert [each["extra"]["executionId"] for each in _updates(airflow, tenant)] == [completed]
    assert len(_runs(airflow)) == 1
    assert sent_of(notices, cancelled) == sent_of(notices, completed) == []


def _run_the_end_again(tenant: Tenant, airflow: httpx.Client, execution_id: str) -> None:
    """Clear the tasks of a cancelled upgrade, as a person may; they end and update nothing."""
    (run,) = got(airflow, f"/dags/upgrade__{execution_id}/dagRuns")["dag_runs"]
    ends = {"task_ids": ["verify", "complete"], "only_failed": False}
    body = {"dag_run_id": run["dag_run_id"], "dry_run": False, **ends}
    accepted(lambda: airflow.post(f"/dags/upgrade__{execution_id}/clearTaskInstances", json=body))
    tenant.dag_run(execution_id)
    states = tenant.task_states(execution_id)
    assert (states["verify"], states["complete"]) == ("skipped", "skipped")
    assert _updates(airflow, tenant) == []


def _active(tenant: Tenant) -> str:
    return f"/tenants/{tenant.id}/components/aaa-111/upgrades/active"


def _updates(airflow: httpx.Client, tenant: Tenant) -> list[Json]:
    """The events of the tenant's asset."""
    found = got(airflow, "/assets", name_pattern=f"upgrades/{tenant.id}/aaa-111")["assets"]
    events: list[Json] = [
        event for each in found for event in got(airflow, "/assets/events", asset_id=each["id"])["asset_events"]
    ]
    return events


def _runs(airflow: httpx.Client) -> list[Json]:
    runs: list[Json] = got(airflow, f"/dags/{DAG_ID}/dagRuns")["dag_runs"]
    return runs


def _ended(airflow: httpx.Client) -> Json | None:
    return next((each for each in _runs(airflow) if each["state"] in ("success", "failed")), None)
