"""Who is to know of a failure, a rollback or an approval is told by real notifiers, in DAG runs of their own."""

from functools import partial
from pathlib import Path

import httpx

from tests.e2e.conftest import NewTenant
from tests.e2e.steps import Json, got, wait_for

ONE_BY_ONE: Json = {"batchSize": 1, "batchDelaySeconds": 600}


def sent_of(notices: Path, execution_id: str) -> list[str]:
    """The notices of one execution, in the order in which they were sent."""
    lines = notices.read_text(encoding="utf-8").splitlines() if notices.exists() else []
    return [each for each in lines if execution_id in each]


def is_sent(airflow: httpx.Client, kind: str, execution_id: str) -> bool:
    """True once the only run of that kind that is named after the execution has succeeded."""
    found = got(airflow, f"/dags/upgrade_notify__{kind}/dagRuns", limit=100, order_by="-id")["dag_runs"]
    return [each["state"] for each in found if each["dag_run_id"].startswith(execution_id)] == ["success"]


def test_failure_rollback_and_approval_are_each_sent_once_and_nothing_else_is(
    new_tenant: NewTenant, notices: Path, airflow: httpx.Client
) -> None:
    failing, going_back, asking, well = new_tenant(backup=False), new_tenant(), new_tenant(), new_tenant()
    failed, back = failing.start(), going_back.start(**ONE_BY_ONE)
    asked = asking.start(strategy="STAGED", batchSize=2, maxUnavailablePercentage=50)
    completed = well.start(batchSize=4, maxUnavailablePercentage=100)
    wait_for("an instance to be upgraded", lambda: going_back.versions()["3.7.0"])
    assert going_back.api.post(f"/upgrades/{back}/rollback").status_code == 202

    reason = failing.wait_until(failed, "FAILED")["statusReason"]
    wait_for("the notices", lambda: all(sent_of(notices, each) for each in (failed, back, asked)))
    assert asking.api.post(f"/upgrades/{asked}/cancel").status_code == 200
    well.wait_until(completed, "COMPLETED")
    for kind, each in (("failed", failed), ("rolled-back", back), ("approval-requested", asked)):
        wait_for(f"the run of {kind} to end", partial(is_sent, airflow, kind, each))
    assert sent_of(notices, failed) == [f"{failed} of {failing.id} failed: {reason}"]
    assert sent_of(notices, back) == [f"{back} is back at 3.6.0"]
    assert sent_of(notices, asked) == [f"{asked} waits before stage 2"]
    assert sent_of(notices, completed) == []
