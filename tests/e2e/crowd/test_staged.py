"""Stages and their approvals, over HTTP and in the Airflow UI (by Airflow's own API, which the UI calls)."""

from collections.abc import Callable

import httpx
import pytest

from tests.e2e.airflow_actions import patch
from tests.e2e.conftest import NewTenant
from tests.e2e.questions import answer_in_ui, asked_again, decide, decisions, ends, parked, question, task_of, withdrawn
from tests.e2e.steps import Json, Tenant, got, statuses, wait_for

THREE_STAGES: Json = {"strategy": "STAGED", "maxUnavailablePercentage": 50, "stagePercentages": [50, 75, 100]}
TWO_STAGES: Json = THREE_STAGES | {"stagePercentages": [50, 100]}
HALF_DONE = {"3.7.0": 2, "3.6.0": 2}

Client = Callable[[str], httpx.Client]


@pytest.fixture
def tenant(new_tenant: NewTenant) -> Tenant:
    return new_tenant()


def test_stage_begins_once_an_approver_has_approved_it_in_the_ui_or_over_rest(
    tenant: Tenant, client_of: Client, airflow_of: Client
) -> None:
    execution_id = tenant.start(**THREE_STAGES)
    parked(tenant, execution_id, 2)
    assert_asked(tenant, execution_id)
    assert_only_approvers_have_a_say(tenant, execution_id, client_of, airflow_of)
    assert_answers_that_do_not_count_are_asked_for_again(tenant, execution_id, airflow_of)
    assert answer_in_ui(tenant, execution_id, airflow_of("anna"), "Approve", "looks well") == 200
    parked(tenant, execution_id, 3)
    answer = decide(client_of("anna"), execution_id, "approve", 3)
    assert (answer.status_code, answer.json()["status"]) == (200, "IN_PROGRESS"), answer.text
    states = ends(tenant, execution_id, "COMPLETED")
    assert decisions(tenant, execution_id) == [
        ("APPROVED", "anna", "UI", "looks well"),
        ("APPROVED", "anna", "API", "seen"),
    ]
    assert {states[f"stage_0{stage}.{task}"] for stage in (2, 3) for task in ("approve", "upgrade")} == {"success"}
    assert got(tenant.airflow, question(tenant, execution_id, 3))["responded_by_user"]["name"] == "anna"
    assert tenant.upgraded() == tenant.each_once()
    assert tenant.execution(execution_id)["awaitingApproval"] is None


def assert_asked(tenant: Tenant, execution_id: str) -> None:
    execution = tenant.execution(execution_id)
    assert (execution["status"], execution["awaitingApproval"]["stage"]) == ("IN_PROGRESS", 2)
    assert tenant.versions() == HALF_DONE
    asked = got(tenant.airflow, question(tenant, execution_id, 2))
    assert asked["subject"] == f"Stage 2 of 3: aaa-111 from 3.6.0 to 3.7.0, tenant {tenant.id}"
    second = [each["instanceId"] for each in tenant.instances(execution_id) if each["batch"] == 2]
    assert len(second) == 1
    assert all(f"`{each}`" in asked["body"] for each in second)
    assert (asked["options"], asked["defaults"]) == (["Approve", "Reject"], None)


def assert_only_approvers_have_a_say(tenant: Tenant, execution_id: str, client_of: Client, airflow_of: Client) -> None:
    for name in ("vera", "otto", "user"):
        for decision in ("approve", "reject"):
            assert decide(client_of(name), execution_id, decision).status_code == 403, name
    for name in ("vera", "otto"):
        client = airflow_of(name)
        for path in (f"/dags/upgrade__{execution_id}", question(tenant, execution_id, 2)):
            assert client.get(path).status_code == 200, name
        assert answer_in_ui(tenant, execution_id, client, "Reject", None) == 403, name


def assert_answers_that_do_not_count_are_asked_for_again(tenant: Tenant, execution_id: str, airflow_of: Client) -> None:
    """The admin has created it; `user` may answer in Airflow, but has no role for upgrades."""
    for client, why in ((tenant.airflow, "four eyes"), (airflow_of("user"), "lacks the permission")):
        assert answer_in_ui(tenant, execution_id, client, "Approve", None) == 200
        asked_again(tenant, execution_id, why)
        parked(tenant, execution_id, 2)
        assert decisions(tenant, execution_id) == []
        assert tenant.versions() == HALF_DONE


def test_stage_does_not_begin_while_paused_nor_when_its_approval_task_is_marked_successful(
    tenant: Tenant, client_of: Client, airflow_of: Client
) -> None:
    execution_id = tenant.start(**THREE_STAGES)
    parked(tenant, execution_id, 2)
    assert_paused_stage_waits(tenant, execution_id, client_of, airflow_of)
    parked(tenant, execution_id, 3)
    patch(tenant, task_of(tenant, execution_id, 3), {"new_state": "success"})
    held = lambda: tenant.task_states(execution_id)["stage_03.upgrade"] == "deferred"  # noqa: E731
    wait_for("the stage itself to wait for its approval", held)
    assert tenant.versions() == {"3.7.0": 3, "3.6.0": 1}
    assert decide(client_of("anna"), execution_id, "approve", 3).status_code == 200
    ends(tenant, execution_id, "COMPLETED")
    assert statuses(tenant.events(execution_id))[-3:] == ["PAUSED", "IN_PROGRESS", "COMPLETED"]


def assert_paused_stage_waits(tenant: Tenant, execution_id: str, client_of: Client, airflow_of: Client) -> None:
    """Over REST no decision is accepted; one answered in Airflow is examined after the resume."""
    assert tenant.api.post(f"/upgrades/{execution_id}/pause").status_code == 200
    refused = decide(client_of("anna"), execution_id, "approve")
    assert (refused.status_code, refused.json()["code"]) == (409, "INVALID_STATE")
    assert answer_in_ui(tenant, execution_id, airflow_of("anna"), "Approve", None) == 200
    deferred = lambda: tenant.task_states(execution_id)["stage_02.approve"] == "deferred"  # noqa: E731
    wait_for("the answer to wait until it is checked", deferred)
    assert (tenant.execution(execution_id)["status"], decisions(tenant, execution_id)) == ("PAUSED", [])
    assert tenant.api.post(f"/upgrades/{execution_id}/resume").status_code == 200


@pytest.mark.parametrize(("source", "rollback", "status"), [("UI", True, "ROLLED_BACK"), ("API", False, "CANCELLED")])
def test_rejection_rolls_back_or_cancels_the_upgrade(
    tenant: Tenant, client_of: Client, airflow_of: Client, source: str, rollback: bool, status: str
) -> None:
    execution_id = tenant.start(**TWO_STAGES, autoRollbackEnabled=rollback)
    parked(tenant, execution_id, 2)
    if source == "UI":
        assert answer_in_ui(tenant, execution_id, airflow_of("anna"), "Reject", "seen") == 200
    else:
        assert decide(client_of("anna"), execution_id, "reject").status_code == 200
    states = ends(tenant, execution_id, status)
    assert decisions(tenant, execution_id) == [("REJECTED", "anna", source, "seen")]
    assert (states["stage_02.approve"], states["stage_02.upgrade"]) == ("skipped", "skipped")
    assert tenant.versions() == ({"3.6.0": 4} if rollback else HALF_DONE)
    tenant.create()  # the active slot is free again


def test_cancel_ends_a_waiting_approval_task_soon(tenant: Tenant) -> None:
    execution_id = tenant.start(**TWO_STAGES)
    parked(tenant, execution_id, 2)
    assert tenant.api.post(f"/upgrades/{execution_id}/cancel").status_code == 200
    withdrawn(tenant, execution_id)
    ends(tenant, execution_id, "CANCELLED")
    assert decisions(tenant, execution_id) == []
