"""What people do in the Airflow UI reaches the upgrade; through Airflow's own API, which the UI calls too."""

import pytest

from local.stack.stack import Stack
from tests.e2e.airflow_actions import (
    FIRST,
    accepted,
    clear,
    command,
    dag_of,
    delete_dag,
    followed,
    is_dag_paused,
    patch,
    pause_dag,
    run_of,
)
from tests.e2e.conftest import NewTenant
from tests.e2e.parsing import has_dag
from tests.e2e.steps import Json, Tenant, got, statuses, wait_for

ONE_AT_A_TIME: Json = {"batchSize": 2, "maxUnavailablePercentage": 25}
"Two batches of two."
LINGERING: Json = ONE_AT_A_TIME | {"batchSize": 1, "batchDelaySeconds": 600}
"By itself it goes no further than the first batch, so that there is time to follow what was done in Airflow."
DELETED = "the DAG run was deleted in Airflow"


@pytest.fixture
def tenant(new_tenant: NewTenant) -> Tenant:
    return new_tenant(upgrade_seconds=3)


@pytest.fixture
def lingering(tenant: Tenant) -> str:
    """An upgrade whose first instance is being upgraded; the next one would follow in ten minutes."""
    return begin(tenant, LINGERING)


@pytest.fixture
def running(tenant: Tenant) -> str:
    """An upgrade of four, one at a time, whose first instance is being upgraded; each batch has a task that works."""
    return begin(tenant, ONE_AT_A_TIME | {"batchDelaySeconds": 6})


def begin(tenant: Tenant, request: Json) -> str:
    execution_id = tenant.start(**request)
    tenant.wait_upgrading()
    return execution_id


def test_paused_dag_pauses_the_upgrade_and_unpausing_resumes_it_unless_it_was_paused_over_rest(
    tenant: Tenant, new_tenant: NewTenant
) -> None:
    over_rest = new_tenant(upgrade_seconds=1.5)
    held = begin(over_rest, ONE_AT_A_TIME)
    command(over_rest, held, "pause")
    assert not is_dag_paused(over_rest, held)
    pause_dag(over_rest, held)
    paused = begin(tenant, ONE_AT_A_TIME | {"batchDelaySeconds": 8})
    pause_dag(tenant, paused)
    followed(tenant, paused, "PAUSED")
    wait_for("nothing to be in flight", lambda: tenant.execution(paused)["progress"]["inFlight"] == 0)
    begun = tenant.upgraded()
    assert 1 <= len(begun) < 4
    assert tenant.agent_statuses() == ["RUNNING"] * 4
    pause_dag(over_rest, held, False)
    pause_dag(tenant, paused, False)
    followed(tenant, paused, "IN_PROGRESS", "COMPLETED")  # so the reconciler has looked at both DAGs
    assert_completed_once(tenant, paused)
    assert over_rest.execution(held)["status"] == "PAUSED"
    command(over_rest, held, "resume")
    assert_completed_once(over_rest, held)
    seen = statuses(over_rest.events(held))
    assert seen == ["VALIDATING", "IN_PROGRESS", "PAUSED", "IN_PROGRESS", "COMPLETED"]


def test_resume_and_cancel_over_rest_unpause_a_paused_dag(tenant: Tenant, lingering: str) -> None:
    for name, status in (("resume", "IN_PROGRESS"), ("cancel", "CANCELLED")):
        pause_dag(tenant, lingering)
        followed(tenant, lingering, "PAUSED")
        command(tenant, lingering, name)
        assert tenant.execution(lingering)["status"] == status
        assert not is_dag_paused(tenant, lingering)
    assert_place_is_free(tenant)
    assert tenant.dag_run(lingering)["state"] == "success"
    assert_never_runs_again(tenant, lingering)


def test_rollback_over_rest_unpauses_a_paused_dag(tenant: Tenant, lingering: str) -> None:
    pause_dag(tenant, lingering)
    followed(tenant, lingering, "PAUSED")
    command(tenant, lingering, "rollback")
    tenant.wait_until(lingering, "ROLLED_BACK")
    assert not is_dag_paused(tenant, lingering)
    assert_place_is_free(tenant)
    assert tenant.dag_run(lingering)["state"] == "failed"  # as a rollback is: red


def test_run_marked_successful_by_a_user_fails_the_upgrade(tenant: Tenant, lingering: str) -> None:
    patch(tenant, run_of(tenant, lingering), {"state": "success"})
    execution = followed(tenant, lingering, "FAILED")
    assert execution["statusReason"].startswith("the DAG run was marked success in Airflow before the upgrade had")
    assert_over(tenant)
    assert_never_runs_again(tenant, lingering)


def test_task_marked_failed_by_a_user_fails_the_upgrade(tenant: Tenant, lingering: str) -> None:
    patch(tenant, f"{run_of(tenant, lingering)}/taskInstances/{FIRST}", {"new_state": "failed"})
    followed(tenant, lingering, "FAILED")
    assert_over(tenant)


def test_deleted_run_fails_a_paused_upgrade(tenant: Tenant, lingering: str) -> None:
    pause_dag(tenant, lingering)
    followed(tenant, lingering, "PAUSED")
    run = run_of(tenant, lingering)
    patch(tenant, run, {"state": "queued"})  # Airflow deletes no DAG that is running
    accepted(lambda: tenant.airflow.delete(run), 204)
    assert followed(tenant, lingering, "FAILED")["statusReason"].startswith(DELETED)
    assert_over(tenant)


def test_deleted_dag_fails_the_upgrade_and_does_nothing_when_it_is_parsed_again(
    stack: Stack, tenant: Tenant, lingering: str
) -> None:
    # Airflow deletes no DAG with a task in a worker: the pause sends the task to the triggerer
    command(tenant, lingering, "pause")
    delete_dag(tenant, lingering)
    assert followed(tenant, lingering, "FAILED")["statusReason"].startswith(DELETED)
    assert_over(tenant)
    done = tenant.upgraded()
    wait_for(
        "the DAG to be back", lambda: has_dag(stack, lingering)
    )  # otherwise its regular turn would be two minutes later
    assert tenant.dag_run(lingering)["state"] == "failed"  # recreated with its DAG
    assert tenant.upgraded() == done


def test_task_marked_successful_or_cleared_skips_no_work_and_a_second_run_does_nothing(
    tenant: Tenant, running: str
) -> None:
    patch(tenant, f"{run_of(tenant, running)}/taskInstances/{FIRST}", {"new_state": "success"})
    wait_for("an instance to be done", lambda: tenant.execution(running)["progress"]["completed"] >= 1)
    clear(tenant, running, task_ids=[FIRST], include_downstream=True)
    runs = f"{dag_of(running)}/dagRuns"
    triggered = tenant.airflow.post(runs, json={"logical_date": None})
    assert triggered.status_code == 200, triggered.text
    assert_each_upgraded_once(tenant, running)
    by_hand = f"{runs}/{triggered.json()['dag_run_id']}"
    wait_for("the run by hand to end", lambda: got(tenant.airflow, by_hand)["state"] == "success")
    assert_each_upgraded_once(tenant, running)


def assert_each_upgraded_once(tenant: Tenant, execution_id: str) -> None:
    tenant.wait_until(execution_id, "COMPLETED")
    assert tenant.upgraded() == tenant.each_once()
    assert tenant.versions() == {"3.7.0": 4}
    assert tenant.most_unavailable() <= 1


def assert_completed_once(tenant: Tenant, execution_id: str) -> None:
    assert_each_upgraded_once(tenant, execution_id)
    assert tenant.dag_run(execution_id)["state"] == "success"


def assert_over(tenant: Tenant) -> None:
    """The execution is settled, nothing is in flight, nothing was done twice, and what was not begun is untouched."""
    assert_place_is_free(tenant)
    assert tenant.agent_statuses() == ["RUNNING"] * 4
    assert set(tenant.upgraded().values()) == {1}
    assert len(tenant.upgraded()) < 4


def assert_place_is_free(tenant: Tenant) -> None:
    def create() -> bool:
        answer = tenant.api.post(f"/tenants/{tenant.id}/upgrades", json=tenant.body())
        assert answer.status_code in (201, 409), answer.text
        return answer.status_code == 201

    wait_for("a new upgrade to be accepted", create)


def assert_never_runs_again(tenant: Tenant, execution_id: str) -> None:
    """All tasks are cleared in Airflow and run once more: nothing changes."""
    before = tenant.execution(execution_id)
    wait_for("all to serve", lambda: set(tenant.agent_statuses()) == {"RUNNING"})
    ended, log = tenant.dag_run(execution_id)["end_date"], tenant.agent.log(tenant.fleet)
    events = tenant.events(execution_id)
    clear(tenant, execution_id)
    wait_for("the run to end again", lambda: tenant.dag_run(execution_id)["end_date"] != ended)
    assert tenant.agent.log(tenant.fleet) == log
    assert tenant.events(execution_id) == events
    assert tenant.execution(execution_id)["statusReason"] == before["statusReason"]
