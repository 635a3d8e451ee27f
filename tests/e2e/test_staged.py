"""Stages and their approvals, over HTTP and in the Airflow UI (its own API, which is what the UI calls)."""

from collections.abc import Callable
from typing import Any

import httpx
import pytest

from tests.e2e.conftest import NewTenant
from tests.e2e.steps import Json, Tenant, got, statuses, wait_for

STAGED: Json = {"strategy": "STAGED", "batchSize": 2, "maxUnavailablePercentage": 50}
APPROVE = "stage_02.approve"
LET_GO_WITHIN_SECONDS = 15.0
AGAIN_WITHIN_SECONDS = 45.0

Client = Callable[[str], httpx.Client]


@pytest.fixture
def tenant(new_tenant: NewTenant) -> Tenant:
    return new_tenant()


@pytest.fixture
def waiting(tenant: Tenant) -> str:
    """An upgrade by the admin, of four in two stages, whose second waits; its task waits in Airflow for people."""
    execution_id = tenant.start(**STAGED)
    parked(tenant, execution_id)
    return execution_id


def parked(tenant: Tenant, execution_id: str, task: str = APPROVE) -> None:
    def look() -> bool:
        execution = tenant.execution(execution_id)
        assert execution["status"] == "IN_PROGRESS" or execution["completedAt"] is None, execution["statusReason"]
        return tenant.task_states(execution_id).get(task) == "awaiting_input"

    wait_for(f"{task} to wait for people", look)


def question(tenant: Tenant, execution_id: str) -> str:
    """Where Airflow has the question of stage 2."""
    runs: list[Json] = got(tenant.airflow, f"/dags/upgrade__{execution_id}/dagRuns")["dag_runs"]
    return f"/dags/upgrade__{execution_id}/dagRuns/{runs[0]['dag_run_id']}/taskInstances/{APPROVE}/-1/hitlDetails"


def answer_in_ui(tenant: Tenant, execution_id: str, client: httpx.Client, option: str, reason: str | None) -> int:
    """As the button in the UI does."""
    body = {"chosen_options": [option], "params_input": {"reason": reason}}
    return client.patch(question(tenant, execution_id), json=body).status_code


def decide(client: httpx.Client, execution_id: str, decision: str, stage: int = 2) -> httpx.Response:
    return client.post(f"/upgrades/{execution_id}/stages/{stage}/{decision}", json={"reason": "seen"})


def decisions(tenant: Tenant, execution_id: str) -> list[tuple[str, str, str, str | None]]:
    """Decision, by whom, through which door and why, of every one there was."""
    told = [each["data"] for each in tenant.events(execution_id) if each["type"].endswith("approval-decided.v1")]
    return [(each["decision"], each["decidedBy"], each["source"], each["reason"]) for each in told]


def ends(tenant: Tenant, execution_id: str, status: str) -> dict[str, str]:
    """The execution in `status` and its run ended well; the states of the tasks."""
    tenant.wait_until(execution_id, status)
    assert tenant.dag_run(execution_id)["state"] == "success"
    return tenant.task_states(execution_id)


def test_stage_is_asked_about_in_the_ui_and_shown_over_rest(tenant: Tenant, waiting: str) -> None:
    execution = tenant.execution(waiting)
    assert (execution["status"], execution["awaitingApproval"]["stage"]) == ("IN_PROGRESS", 2)
    assert tenant.versions() == {"3.7.0": 2, "3.6.0": 2}
    asked = got(tenant.airflow, question(tenant, waiting))
    assert asked["subject"] == f"Stage 2 of 2: aaa-111 from 3.6.0 to 3.7.0, tenant {tenant.id}"
    second = [each["instanceId"] for each in tenant.instances(waiting) if each["batch"] == 2]
    assert all(f"`{each}`" in asked["body"] for each in second)
    assert (asked["options"], asked["defaults"]) == (["Approve", "Reject"], None)


def test_approval_in_the_ui_lets_the_stage_begin(tenant: Tenant, waiting: str, airflow_of: Client) -> None:
    assert answer_in_ui(tenant, waiting, airflow_of("anna"), "Approve", "looks well") == 200
    states = ends(tenant, waiting, "COMPLETED")
    assert decisions(tenant, waiting) == [("APPROVED", "anna", "UI", "looks well")]
    assert (states[APPROVE], states["stage_02.upgrade"]) == ("success", "success")
    assert tenant.upgraded() == tenant.each_once()
    assert tenant.execution(waiting)["awaitingApproval"] is None


def test_approval_over_rest_lets_task_and_stage_go_on(tenant: Tenant, waiting: str, client_of: Client) -> None:
    answer = decide(client_of("anna"), waiting, "approve")
    assert (answer.status_code, answer.json()["status"]) == (200, "IN_PROGRESS"), answer.text
    states = ends(tenant, waiting, "COMPLETED")
    assert decisions(tenant, waiting) == [("APPROVED", "anna", "API", "seen")]
    assert states[APPROVE] == "success"
    assert got(tenant.airflow, question(tenant, waiting))["responded_by_user"]["name"] == "anna"


@pytest.mark.parametrize("who", ["admin", "user"])
def test_answer_that_does_not_count_is_asked_for_again(
    tenant: Tenant, waiting: str, airflow_of: Client, who: str
) -> None:
    """The admin has created it; `user` may answer in Airflow, and has no say in upgrades."""
    client = tenant.airflow if who == "admin" else airflow_of(who)
    why = "four eyes" if who == "admin" else "lacks the permission"
    assert answer_in_ui(tenant, waiting, client, "Approve", None) == 200

    def asked_again() -> bool:
        found = got(tenant.airflow, question(tenant, waiting))
        return found["response_received"] is False and why in (found["body"] or "")

    wait_for("the question to be asked again, saying why", asked_again, AGAIN_WITHIN_SECONDS)
    parked(tenant, waiting)
    assert decisions(tenant, waiting) == []
    assert tenant.versions() == {"3.7.0": 2, "3.6.0": 2}
    assert answer_in_ui(tenant, waiting, airflow_of("anna"), "Approve", None) == 200
    ends(tenant, waiting, "COMPLETED")
    assert decisions(tenant, waiting) == [("APPROVED", "anna", "UI", None)]


@pytest.mark.parametrize(("rollback", "status"), [(True, "ROLLED_BACK"), (False, "CANCELLED")])
@pytest.mark.parametrize("door", ["UI", "API"])
def test_rejection_takes_back_or_cancels(
    tenant: Tenant, client_of: Client, airflow_of: Client, door: str, rollback: bool, status: str
) -> None:
    execution_id = tenant.start(**STAGED, autoRollbackEnabled=rollback)
    parked(tenant, execution_id)
    if door == "UI":
        assert answer_in_ui(tenant, execution_id, airflow_of("anna"), "Reject", "seen") == 200
    else:
        assert decide(client_of("anna"), execution_id, "reject").status_code == 200
    states = ends(tenant, execution_id, status)
    assert decisions(tenant, execution_id) == [("REJECTED", "anna", door, "seen")]
    assert (states[APPROVE], states["stage_02.upgrade"]) == ("skipped", "skipped")
    assert tenant.versions() == ({"3.6.0": 4} if rollback else {"3.7.0": 2, "3.6.0": 2})
    tenant.create()  # the place is free again


@pytest.mark.parametrize(("name", "status"), [("cancel", "CANCELLED"), ("rollback", "ROLLED_BACK")])
def test_command_while_the_task_waits_ends_it_soon(tenant: Tenant, waiting: str, name: str, status: str) -> None:
    assert tenant.api.post(f"/upgrades/{waiting}/{name}").status_code in (200, 202)
    ended = lambda: tenant.task_states(waiting)[APPROVE] == "skipped"  # noqa: E731
    wait_for("the task to be let go", ended, LET_GO_WITHIN_SECONDS)
    ends(tenant, waiting, status)
    assert decisions(tenant, waiting) == []


def test_pause_while_the_task_waits_takes_no_decision_before_the_resume(
    tenant: Tenant, waiting: str, client_of: Client, airflow_of: Client
) -> None:
    assert tenant.api.post(f"/upgrades/{waiting}/pause").status_code == 200
    refused = decide(client_of("anna"), waiting, "approve")
    assert (refused.status_code, refused.json()["code"]) == (409, "INVALID_STATE")
    assert answer_in_ui(tenant, waiting, airflow_of("anna"), "Approve", None) == 200
    wait_for("the answer to wait for its judgement", lambda: tenant.task_states(waiting)[APPROVE] == "deferred")
    assert (tenant.execution(waiting)["status"], decisions(tenant, waiting)) == ("PAUSED", [])
    assert tenant.api.post(f"/upgrades/{waiting}/resume").status_code == 200
    ends(tenant, waiting, "COMPLETED")
    assert statuses(tenant.events(waiting))[-3:] == ["PAUSED", "IN_PROGRESS", "COMPLETED"]


def test_task_marked_successful_in_airflow_approves_nothing(tenant: Tenant, waiting: str, client_of: Client) -> None:
    path = question(tenant, waiting).removesuffix("/-1/hitlDetails")
    marked = tenant.airflow.patch(path, json={"new_state": "success"})
    assert marked.status_code == 200, marked.text
    held = lambda: tenant.task_states(waiting)["stage_02.upgrade"] == "deferred"  # noqa: E731
    wait_for("the stage itself to wait for its approval", held)
    assert tenant.versions() == {"3.7.0": 2, "3.6.0": 2}
    assert decide(client_of("anna"), waiting, "approve").status_code == 200
    ends(tenant, waiting, "COMPLETED")


@pytest.mark.parametrize("name", ["vera", "otto", "user"])
def test_others_may_not_decide_over_rest(waiting: str, client_of: Client, name: str) -> None:
    for decision in ("approve", "reject"):
        assert decide(client_of(name), waiting, decision).status_code == 403


@pytest.mark.parametrize(("name", "code"), [("vera", 403), ("otto", 403), ("anna", 200)])
def test_airflow_lets_approvers_answer_and_all_of_us_look(
    tenant: Tenant, waiting: str, airflow_of: Client, name: str, code: int
) -> None:
    client = airflow_of(name)
    looked: list[Any] = [
        client.get(path).status_code for path in (f"/dags/upgrade__{waiting}", question(tenant, waiting))
    ]
    assert looked == [200, 200]
    assert answer_in_ui(tenant, waiting, client, "Reject", None) == code
