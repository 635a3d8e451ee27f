"""What goes wrong in the fleet or before it, and what the execution says of it."""

from tests.e2e.conftest import NewTenant
from tests.e2e.steps import OLD


def test_upgrade_fails_with_the_message_of_the_check_when_there_is_no_backup(new_tenant: NewTenant) -> None:
    tenant = new_tenant(backup=False)
    execution = tenant.wait_until(tenant.start(), "FAILED")
    failed = [each for each in execution["validationChecks"] if each["status"] == "FAILED"]
    assert [each["name"] for each in failed] == ["BACKUP_VERIFICATION"]
    assert f"no backup of version {OLD} is known" in failed[0]["message"]
    assert failed[0]["message"] in execution["statusReason"]
    assert tenant.dag_run(execution["id"])["state"] == "failed"
    assert tenant.upgraded() == {}


def test_upgrade_completes_when_an_instance_fails_once(new_tenant: NewTenant) -> None:
    tenant = new_tenant()
    ill = f"{tenant.fleet}-02"
    tenant.agent.fault(tenant.fleet, "upgrade-fails", ill, times=1)
    execution = tenant.wait_until(tenant.start(maxUnavailablePercentage=50), "COMPLETED")
    attempts = {row["instanceId"]: row["attempts"] for row in tenant.instances(execution["id"])}
    assert attempts.pop(ill) == 2
    assert set(attempts.values()) == {1}
    assert execution["rollbackInfo"]["currentFailures"] == 1
    assert tenant.versions() == {"3.7.0": 4}


def test_upgrade_fails_naming_the_instance_when_it_fails_twice(new_tenant: NewTenant) -> None:
    tenant = new_tenant()
    ill = f"{tenant.fleet}-02"
    tenant.agent.fault(tenant.fleet, "upgrade-fails", ill)
    execution = tenant.wait_until(tenant.start(maxUnavailablePercentage=50), "FAILED")
    assert ill in execution["statusReason"]
    assert {row["instanceId"]: row["status"] for row in tenant.instances(execution["id"])}[ill] == "FAILED"
    assert tenant.upgraded()[ill] == 2
    assert tenant.dag_run(execution["id"])["state"] == "failed"
    assert tenant.deployment()["currentVersionId"] == OLD
    assert tenant.deployment()["mixed"] is not None
