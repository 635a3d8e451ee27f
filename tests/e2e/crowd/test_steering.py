"""Pause, resume, cancel and roll back a running upgrade over HTTP."""

from typing import Any

import pytest

from tests.e2e.conftest import NewTenant
from tests.e2e.steps import Json, Tenant, statuses, wait_for

ONE_BY_ONE: dict[str, Any] = {"batchSize": 1, "maxUnavailablePercentage": 25}


@pytest.fixture
def tenant(new_tenant: NewTenant) -> Tenant:
    return new_tenant(upgrade_seconds=1.5)


def test_pause_stops_new_work_and_resume_goes_on(tenant: Tenant) -> None:
    execution_id = tenant.start(**ONE_BY_ONE)
    tenant.wait_upgrading()
    assert _command(tenant, execution_id, "pause")["status"] == "PAUSED"
    wait_for("nothing to be in flight", lambda: _progress(tenant, execution_id)["inFlight"] == 0)
    begun = tenant.upgraded()
    again = tenant.api.post(f"/upgrades/{execution_id}/pause")
    assert (again.status_code, again.json()["code"]) == (409, "INVALID_STATE")
    assert 1 <= len(begun) < 4
    assert _command(tenant, execution_id, "resume")["status"] == "IN_PROGRESS"
    tenant.wait_until(execution_id, "COMPLETED")
    assert tenant.upgraded() == tenant.each_once()
    told = statuses(tenant.events(execution_id))
    assert told == ["VALIDATING", "IN_PROGRESS", "PAUSED", "IN_PROGRESS", "COMPLETED"]


def test_cancel_leaves_the_rest_alone_and_frees_the_deployment(tenant: Tenant) -> None:
    execution_id = tenant.start(**ONE_BY_ONE)
    tenant.wait_upgrading()
    assert _command(tenant, execution_id, "cancel")["status"] == "CANCELLED"
    mixed = wait_for("the deployment to be told", lambda: tenant.deployment()["mixed"])
    assert mixed == dict(tenant.versions())
    assert set(tenant.agent_statuses()) == {"RUNNING"}
    assert 1 <= mixed["3.7.0"] < 4
    tenant.create()  # the place is free again


def test_rollback_brings_every_touched_instance_back(tenant: Tenant) -> None:
    execution_id = tenant.start(**ONE_BY_ONE)
    wait_for("an instance to be done", lambda: _progress(tenant, execution_id)["completed"] >= 1)
    answer = tenant.api.post(f"/upgrades/{execution_id}/rollback", params={"reason": "Manual rollback"})
    assert (answer.status_code, answer.json()["status"]) == (202, "ROLLING_BACK"), answer.text
    execution = tenant.wait_until(execution_id, "ROLLED_BACK")
    assert execution["rollbackInfo"]["rollbackReason"] == "Manual rollback"
    assert execution["rollbackInfo"]["rolledBackInstances"]
    assert tenant.versions() == {"3.6.0": 4}
    assert tenant.deployment()["currentVersionId"] == "bbb-222"


def _command(tenant: Tenant, execution_id: str, name: str) -> Json:
    answer = tenant.api.post(f"/upgrades/{execution_id}/{name}")
    assert answer.status_code == 200, answer.text
    body: Json = answer.json()
    return body


def _progress(tenant: Tenant, execution_id: str) -> Json:
    progress: Json = tenant.execution(execution_id)["progress"]
    return progress
