"""How soon things happen on a stack that no other test uses; elsewhere tests check only that they happen."""

import pytest

from tests.e2e.airflow_actions import command, followed, pause_dag, run_of
from tests.e2e.conftest import NewTenant
from tests.e2e.questions import answer_in_ui, asked_again, parked, withdrawn
from tests.e2e.steps import Json, got, wait_for

TWO_STAGES: Json = {"strategy": "STAGED", "stagePercentages": [50, 100], "maxUnavailablePercentage": 50}
FOLLOWS_WITHIN_SECONDS = LET_GO_WITHIN_SECONDS = 15.0
AGAIN_WITHIN_SECONDS = 45.0


@pytest.mark.alone
def test_status_of_upgrade_and_dag_run_are_reconciled_within_seconds(new_tenant: NewTenant) -> None:
    tenant = new_tenant()
    execution_id = tenant.start(**TWO_STAGES)
    parked(tenant, execution_id, 2)
    pause_dag(tenant, execution_id)
    followed(tenant, execution_id, "PAUSED", within=FOLLOWS_WITHIN_SECONDS)
    pause_dag(tenant, execution_id, False)
    followed(tenant, execution_id, "IN_PROGRESS", within=FOLLOWS_WITHIN_SECONDS)
    assert answer_in_ui(tenant, execution_id, tenant.airflow, "Approve", None) == 200
    asked_again(tenant, execution_id, "four eyes", within=AGAIN_WITHIN_SECONDS)
    command(tenant, execution_id, "rollback")
    withdrawn(tenant, execution_id, within=LET_GO_WITHIN_SECONDS)
    tenant.wait_until(execution_id, "ROLLED_BACK")


@pytest.mark.alone
def test_task_that_is_done_in_the_triggerer_ends_without_an_event_of_its_trigger(new_tenant: NewTenant) -> None:
    """A trigger's event would make the dag processor read the DAG's file for a callback."""
    tenant = new_tenant()
    execution_id = tenant.start()
    tenant.wait_until(execution_id, "COMPLETED")
    run = run_of(tenant, execution_id)
    wait_for("the run's end", lambda: got(tenant.airflow, run)["state"] == "success")
    check = f"{run}/taskInstances/validate.health_endpoints"
    ended = got(tenant.airflow, check)
    assert (ended["state"], ended["trigger"], ended["duration"] > 0) == ("success", None, True)
    log = str(got(tenant.airflow, f"{check}/logs/1")["content"])
    assert ("HEALTH_ENDPOINTS PASSED" in log, "Trigger fired event" in log) == (True, False), log
