"""A failure, a rollback and an approval are each announced by real notifiers, in DAG runs of their own.

That an upgrade that completed or was cancelled sends no notice is in test_assets.py.
"""

from functools import partial
from pathlib import Path

import httpx

from tests.e2e.conftest import NewTenant
from tests.e2e.notices import is_sent, sent_of
from tests.e2e.questions import decisions, ends, parked, withdrawn
from tests.e2e.steps import OLD, Json, reason_of, wait_for

TWO_STAGES: Json = {"strategy": "STAGED", "stagePercentages": [50, 100], "maxUnavailablePercentage": 50}


def test_failed_check_fails_the_upgrade_and_its_notice_is_sent_once(
    new_tenant: NewTenant, notices: Path, airflow: httpx.Client
) -> None:
    tenant = new_tenant(backup=False)
    execution_id = tenant.start()
    execution = tenant.wait_until(execution_id, "FAILED")
    (failed,) = [each for each in execution["validationChecks"] if each["status"] == "FAILED"]
    assert failed["name"] == "BACKUP_VERIFICATION"
    assert f"no backup of version {OLD} is known" in failed["message"]
    assert failed["message"] in execution["statusReason"]
    assert tenant.dag_run(execution_id)["state"] == "failed"
    assert tenant.upgraded() == {}
    wait_for("the notice's run to end", partial(is_sent, airflow, "failed", execution_id))
    assert sent_of(notices, execution_id) == [f"{execution_id} of {tenant.id} failed: {reason_of(execution)}"]


def test_notices_of_a_requested_approval_and_of_a_rollback_are_each_sent_once(
    new_tenant: NewTenant, notices: Path, airflow: httpx.Client
) -> None:
    tenant = new_tenant()
    execution_id = tenant.start(**TWO_STAGES)
    parked(tenant, execution_id, 2)
    wait_for("the question's run to end", partial(is_sent, airflow, "approval-requested", execution_id))
    assert tenant.api.post(f"/upgrades/{execution_id}/rollback").status_code == 202
    withdrawn(tenant, execution_id)
    ends(tenant, execution_id, "ROLLED_BACK")
    assert decisions(tenant, execution_id) == []
    wait_for("the rollback's run to end", partial(is_sent, airflow, "rolled-back", execution_id))
    assert sent_of(notices, execution_id) == [
        f"{execution_id} waits before stage 2",
        f"{execution_id} is back at 3.6.0",
    ]
