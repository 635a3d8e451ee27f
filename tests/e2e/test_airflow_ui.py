"""What people do in the Airflow UI reaches the upgrade; through Airflow's own API, which is what the UI calls."""

from typing import Any

import pytest

from tests.e2e.conftest import NewTenant
from tests.e2e.steps import Json, Tenant, got, wait_for

ONE_BY_ONE: dict[str, Any] = {"batchSize": 1, "maxUnavailablePercentage": 25}
FOLLOWS_WITHIN_SECONDS = 15.0
REGULAR_TURN_SECONDS = 120.0
FIRST = "batch_001.upgrade"
DELETED = "the DAG run was deleted in Airflow"


@pytest.fixture
def tenant(new_tenant: NewTenant) -> Tenant:
    return new_tenant(upgrade_seconds=1.5)


@pytest.fixture
def running(tenant: Tenant) -> str:
    """An upgrade of four, one by one, whose first instance is being upgraded."""
    execution_id = tenant.start(**ONE_BY_ONE)
    tenant.wait_upgrading()
    return execution_id


def test_paused_dag_pauses_the_upgrade_and_unpausing_resumes_it(tenant: Tenant, running: str) -> None:
    pause_dag(tenant, running)
    followed(tenant, running, "PAUSED")
    wait_for("nothing to be in flight", lambda: tenant.execution(running)["progress"]["inFlight"] == 0)
    begun = tenant.upgraded()
    assert 1 <= len(begun) < 4
    assert tenant.agent_statuses() == ["RUNNING"] * 4
    pause_dag(tenant, running, False)
    followed(tenant, running, "IN_PROGRESS", "COMPLETED")
    assert_completed_once(tenant, running)


def test_pause_over_rest_and_the_dag_have_nothing_to_do_with_each_other(
    tenant: Tenant, running: str, new_tenant: NewTenant
) -> None:
    command(tenant, running, "pause")
    assert not is_dag_paused(tenant, running)
    for paused in (True, False):
        pause_dag(tenant, running, paused)
        wait_for_a_round(new_tenant(upgrade_seconds=1.5))
        assert tenant.execution(running)["status"] == "PAUSED"
    command(tenant, running, "resume")
    assert_completed_once(tenant, running)


def test_resume_over_rest_unpauses_the_dag(tenant: Tenant, running: str) -> None:
    pause_dag(tenant, running)
    followed(tenant, running, "PAUSED")
    command(tenant, running, "resume")
    assert not is_dag_paused(tenant, running)
    assert_completed_once(tenant, running)


@pytest.mark.parametrize(("name", "status"), [("cancel", "CANCELLED"), ("rollback", "ROLLED_BACK")])
def test_what_outranks_a_pause_gets_a_paused_dag_going(tenant: Tenant, running: str, name: str, status: str) -> None:
    pause_dag(tenant, running)
    followed(tenant, running, "PAUSED")
    command(tenant, running, name)
    tenant.wait_until(running, status)
    assert not is_dag_paused(tenant, running)
    assert_place_is_free(tenant)
    assert tenant.dag_run(running)["state"] == "success"


@pytest.mark.parametrize("state", ["failed", "success"])
def test_run_marked_by_hand_fails_the_upgrade(tenant: Tenant, running: str, state: str) -> None:
    patch(tenant, f"{run_of(tenant, running)}", {"state": state})
    execution = followed(tenant, running, "FAILED")
    assert execution["statusReason"] == f"the DAG run was marked {state} in Airflow before the upgrade had ended"
    assert_over(tenant)


def test_task_marked_failed_fails_the_upgrade(tenant: Tenant, running: str) -> None:
    patch(tenant, f"{run_of(tenant, running)}/taskInstances/{FIRST}", {"new_state": "failed"})
    followed(tenant, running, "FAILED")
    assert_over(tenant)


def test_task_marked_successful_does_not_hide_what_is_not_done(tenant: Tenant, running: str) -> None:
    patch(tenant, f"{run_of(tenant, running)}/taskInstances/{FIRST}", {"new_state": "success"})
    assert_completed_once(tenant, running)


def test_branch_marked_successful_before_its_time_ends_the_upgrade(tenant: Tenant, running: str) -> None:
    patch(tenant, f"{run_of(tenant, running)}/taskInstances/outcome", {"new_state": "success"})
    followed(tenant, running, "FAILED")
    assert_over(tenant)


def test_cleared_task_goes_on_where_the_upgrade_is(tenant: Tenant, running: str) -> None:
    wait_for("an instance to be done", lambda: tenant.execution(running)["progress"]["completed"] >= 1)
    clear(tenant, running, task_ids=[FIRST], include_downstream=True)
    assert_completed_once(tenant, running)


def test_deleted_run_fails_a_paused_upgrade(tenant: Tenant, running: str) -> None:
    pause_dag(tenant, running)
    followed(tenant, running, "PAUSED")
    run = run_of(tenant, running)
    patch(tenant, run, {"state": "queued"})  # Airflow deletes none that is running
    assert tenant.airflow.delete(run).status_code == 204
    assert followed(tenant, running, "FAILED")["statusReason"] == DELETED
    assert_over(tenant)


def test_deleted_dag_fails_the_upgrade(tenant: Tenant, running: str) -> None:
    delete_dag(tenant, running)
    assert followed(tenant, running, "FAILED")["statusReason"] == DELETED
    assert_over(tenant)


@pytest.mark.slow
def test_deleted_dag_comes_back_and_does_nothing(tenant: Tenant, running: str) -> None:
    delete_dag(tenant, running)
    followed(tenant, running, "FAILED")
    assert_over(tenant)
    done = tenant.upgraded()
    wait_for("the DAG to be back", lambda: tenant.airflow.get(dag_of(running)).is_success, REGULAR_TURN_SECONDS * 1.5)
    assert tenant.dag_run(running)["state"] == "failed"  # made anew with its DAG
    assert tenant.upgraded() == done


@pytest.mark.parametrize("ending", ["COMPLETED", "CANCELLED", "ROLLED_BACK", "FAILED"])
def test_ended_upgrade_never_runs_again_whatever_is_cleared(tenant: Tenant, running: str, ending: str) -> None:
    match ending:
        case "CANCELLED":
            command(tenant, running, "cancel")
        case "ROLLED_BACK":
            wait_for("an instance to be done", lambda: tenant.execution(running)["progress"]["completed"] >= 1)
            command(tenant, running, "rollback")
        case "FAILED":
            patch(tenant, run_of(tenant, running), {"state": "failed"})
    before = tenant.wait_until(running, ending)
    wait_for("nothing to be in flight", lambda: tenant.execution(running)["progress"]["inFlight"] == 0)
    wait_for("all to serve", lambda: set(tenant.agent_statuses()) == {"RUNNING"})
    ended, log = tenant.dag_run(running)["end_date"], tenant.agent.log(tenant.fleet)
    events = tenant.events(running)
    clear(tenant, running)
    wait_for("the run to end again", lambda: tenant.dag_run(running)["end_date"] != ended)
    assert tenant.agent.log(tenant.fleet) == log
    assert tenant.events(running) == events
    assert tenant.execution(running)["statusReason"] == before["statusReason"]


def test_run_triggered_by_hand_does_nothing(tenant: Tenant, running: str) -> None:
    path = f"{dag_of(running)}/dagRuns"
    triggered = tenant.airflow.post(path, json={"logical_date": None})
    assert triggered.status_code == 200, triggered.text
    tenant.wait_until(running, "COMPLETED")
    by_hand = f"{path}/{triggered.json()['dag_run_id']}"
    wait_for("the run by hand to end", lambda: got(tenant.airflow, by_hand)["state"] == "success")
    assert tenant.upgraded() == tenant.each_once()
    assert tenant.execution(running)["status"] == "COMPLETED"


def dag_of(execution_id: str) -> str:
    return f"/dags/upgrade__{execution_id}"


def run_of(tenant: Tenant, execution_id: str) -> str:
    """The path of the one DAG run."""
    runs: list[Json] = got(tenant.airflow, f"{dag_of(execution_id)}/dagRuns")["dag_runs"]
    assert len(runs) == 1
    return f"{dag_of(execution_id)}/dagRuns/{runs[0]['dag_run_id']}"


def patch(tenant: Tenant, path: str, body: Json) -> None:
    answer = tenant.airflow.patch(path, json=body)
    assert answer.status_code == 200, answer.text


def pause_dag(tenant: Tenant, execution_id: str, paused: bool = True) -> None:
    patch(tenant, dag_of(execution_id), {"is_paused": paused})


def delete_dag(tenant: Tenant, execution_id: str) -> None:
    """Airflow deletes none with a task in a worker: so the upgrade is paused first, which sends it to the triggerer."""
    command(tenant, execution_id, "pause")
    wait_for("the batch to be deferred", lambda: tenant.task_states(execution_id).get(FIRST) == "deferred")
    assert tenant.airflow.delete(dag_of(execution_id)).status_code == 204


def is_dag_paused(tenant: Tenant, execution_id: str) -> bool:
    return bool(got(tenant.airflow, dag_of(execution_id))["is_paused"])


def clear(tenant: Tenant, execution_id: str, **what: Any) -> None:
    """Clear tasks of the one run, by default all of them."""
    run_id = run_of(tenant, execution_id).rsplit("/", 1)[1]
    body = {"dry_run": False, "only_failed": False, "reset_dag_runs": True, "dag_run_id": run_id, **what}
    answer = tenant.airflow.post(f"{dag_of(execution_id)}/clearTaskInstances", json=body)
    assert answer.status_code == 200, answer.text
    assert answer.json()["task_instances"]


def command(tenant: Tenant, execution_id: str, name: str) -> None:
    answer = tenant.api.post(f"/upgrades/{execution_id}/{name}")
    assert answer.status_code in (200, 202), answer.text


def followed(tenant: Tenant, execution_id: str, *wanted: str) -> Json:
    """The execution, once it is in a wanted status, which has to be soon."""

    def look() -> Json | None:
        execution = tenant.execution(execution_id)
        return execution if execution["status"] in wanted else None

    return wait_for(f"{execution_id} to be {' or '.join(wanted)}", look, FOLLOWS_WITHIN_SECONDS)


def wait_for_a_round(other: Tenant) -> None:
    """Somebody else's upgrade has followed its DAG since this was called: so all others were looked at as well."""
    execution_id = other.start(**ONE_BY_ONE)
    other.wait_upgrading()
    pause_dag(other, execution_id)
    followed(other, execution_id, "PAUSED")
    command(other, execution_id, "cancel")


def assert_completed_once(tenant: Tenant, execution_id: str) -> None:
    tenant.wait_until(execution_id, "COMPLETED")
    assert tenant.upgraded() == tenant.each_once()
    assert tenant.versions() == {"3.7.0": 4}
    assert tenant.most_unavailable() <= 1
    assert tenant.dag_run(execution_id)["state"] == "success"


def assert_over(tenant: Tenant) -> None:
    """Settled, nothing in flight, nothing done twice, and what was not begun is untouched."""
    assert_place_is_free(tenant)
    assert tenant.agent_statuses() == ["RUNNING"] * 4
    assert set(tenant.upgraded().values()) == {1}
    assert len(tenant.upgraded()) < 4


def assert_place_is_free(tenant: Tenant) -> None:
    def create() -> bool:
        answer = tenant.api.post(f"/tenants/{tenant.id}/upgrades", json=tenant.body())
        assert answer.status_code in (201, 409), answer.text
        return answer.status_code == 201

    wait_for("a new upgrade to be accepted", create, FOLLOWS_WITHIN_SECONDS * 2)
