"""A whole rolling upgrade of twenty instances over HTTP; each test looks at one side of it."""

from collections import Counter
from dataclasses import dataclass

import pytest

from tests.e2e.conftest import NewTenant
from tests.e2e.steps import NEW, Json, Tenant, got, statuses


@dataclass(frozen=True)
class Rolled:
    tenant: Tenant
    execution: Json
    events: list[Json]


@pytest.fixture(scope="module")
def rolled(new_tenant: NewTenant) -> Rolled:
    tenant = new_tenant(20)
    execution_id = tenant.start(totalInstances=20, batchSize=5, maxUnavailablePercentage=25, autoRollbackEnabled=True)
    execution = tenant.wait_until(execution_id, "COMPLETED")
    return Rolled(tenant, execution, tenant.events(execution_id))


def test_execution_is_complete_when_all_batches_are_done(rolled: Rolled) -> None:
    progress = rolled.execution["progress"]
    assert (progress["percentage"], progress["completed"], progress["failed"]) == (100, 20, 0)
    assert (progress["currentBatch"], progress["totalBatches"]) == (4, 4)
    assert {each["status"] for each in rolled.execution["validationChecks"]} == {"PASSED"}
    assert len(rolled.execution["validationChecks"]) == 5


def test_every_instance_is_complete_after_one_attempt(rolled: Rolled) -> None:
    rows = rolled.tenant.instances(rolled.execution["id"])
    assert [(row["status"], row["attempts"], row["error"]) for row in rows] == [("COMPLETED", 1, None)] * 20


def test_events_are_numbered_without_gap_and_tell_the_lifecycle(rolled: Rolled) -> None:
    assert [each["sequence"] for each in rolled.events] == list(range(1, len(rolled.events) + 1))
    assert len({each["id"] for each in rolled.events}) == len(rolled.events)
    assert statuses(rolled.events) == ["VALIDATING", "IN_PROGRESS", "COMPLETED"]
    kinds = Counter(each["type"].split(".")[2] for each in rolled.events)
    assert (kinds["check-completed"], kinds["batch-started"], kinds["batch-completed"]) == (5, 4, 4)
    assert kinds["instance-changed"] == 20 * 4


def test_deployment_runs_the_target_version_afterwards(rolled: Rolled) -> None:
    deployment = rolled.tenant.deployment()
    assert (deployment["currentVersionId"], deployment["mixed"]) == (NEW, None)


def test_fleet_was_upgraded_once_each_and_at_most_five_were_away(rolled: Rolled) -> None:
    assert rolled.tenant.upgraded() == rolled.tenant.each_once()
    assert rolled.tenant.versions() == {"3.7.0": 20}
    assert 1 <= rolled.tenant.most_unavailable() <= 5


def test_airflow_has_one_version_and_one_successful_run_of_its_dag(rolled: Rolled) -> None:
    execution_id, dag = rolled.execution["id"], f"/dags/upgrade__{rolled.execution['id']}"
    assert rolled.tenant.dag_run(execution_id)["state"] == "success"
    assert got(rolled.tenant.airflow, f"{dag}/dagVersions")["total_entries"] == 1
    assert got(rolled.tenant.airflow, dag)["is_paused"] is False


def test_no_upgrade_is_active_when_it_is_over(rolled: Rolled) -> None:
    tenant = rolled.tenant
    answer = tenant.api.get(f"/tenants/{tenant.id}/components/aaa-111/upgrades/active")
    assert (answer.status_code, answer.json()["code"]) == (404, "NO_ACTIVE_UPGRADE")
