"""What a user of each role may do with an upgrade's DAG in Airflow, and with the DAG of another team."""

from typing import Any

import httpx
import pytest

from tests.integration.web.fab.conftest import Fab
from tests.integration.web.fab.fab_airflow import FORMER, ROLES, STRANGER

OURS, LIMITED = ["vera", "otto", "anna", "ursula"], ["tina", "timo"]
READERS = [*OURS, *LIMITED]
LIKE_OURS = "upgrade__of_the_database"
pytestmark = pytest.mark.timeout(600)


ACTS: dict[str, tuple[str, str, Any]] = {
    "pause": ("PATCH", "", {"is_paused": True}),
    "unpause": ("PATCH", "", {"is_paused": False}),
    "trigger": ("POST", "/dagRuns", {"logical_date": None}),
    "clear": ("POST", "/clearTaskInstances", {"dry_run": False}),
    "mark": ("PATCH", "/dagRuns/none", {"state": "failed"}),
    "answer": ("PATCH", "/dagRuns/none/taskInstances/t/-1/hitlDetails", {"chosen_options": ["Approve"]}),
    "delete": ("DELETE", "", None),
}


def call(client: httpx.Client, act: str, dag_id: str) -> int:
    """The status of a call that changes something."""
    method, path, body = ACTS[act]
    return client.request(method, f"/api/v2/dags/{dag_id}{path}", json=body).status_code


@pytest.mark.parametrize("name", READERS)
def test_role_sees_the_upgrades_dag_and_no_dag_of_another_team(fab: Fab, name: str) -> None:
    with fab.of(name) as client:
        listed = {each["dag_id"] for each in client.get("/api/v2/dags").json()["dags"]}
        assert listed == ({fab.dag_id} if name in LIMITED else {fab.dag_id, "upgrade_request"})
        for dag_id in (STRANGER, LIKE_OURS):
            assert client.get(f"/api/v2/dags/{dag_id}").status_code == 403


def test_role_of_another_tenant_sees_no_upgrade(fab: Fab) -> None:
    with fab.of("tom") as client:
        assert client.get(f"/api/v2/dags/{fab.dag_id}").status_code == 403
        assert call(client, "pause", fab.dag_id) == 403


@pytest.mark.parametrize(
    ("name", "paused"),
    [("vera", 403), ("otto", 200), ("anna", 200), ("ursula", 200), ("tina", 200), ("timo", 403)],
)
def test_those_who_command_or_approve_pause_the_upgrades_dag(fab: Fab, name: str, paused: int) -> None:
    with fab.of(name) as client:
        assert [call(client, each, fab.dag_id) for each in ("pause", "unpause")] == [paused, paused]


@pytest.mark.parametrize(
    ("name", "answered"),
    [("vera", 403), ("otto", 403), ("anna", 404), ("ursula", 404), ("tina", 403), ("timo", 403)],
)
def test_only_approvers_for_all_tenants_answer_in_airflow(fab: Fab, name: str, answered: int) -> None:
    with fab.of(name) as client:
        assert call(client, "answer", fab.dag_id) == answered  # 404: allowed, and nothing is asked


@pytest.mark.parametrize("name", READERS)
def test_no_role_clears_marks_triggers_or_deletes_the_upgrades_dag(fab: Fab, name: str) -> None:
    acts = ("clear", "mark", "trigger", "delete")
    with fab.of(name) as client:
        assert {each: call(client, each, fab.dag_id) for each in acts} == dict.fromkeys(acts, 403)


@pytest.mark.parametrize("dag_id", [STRANGER, LIKE_OURS])
@pytest.mark.parametrize("name", [*READERS, "tom"])
def test_no_role_touches_a_dag_of_another_team(fab: Fab, name: str, dag_id: str) -> None:
    with fab.of(name) as client:
        assert {each: call(client, each, dag_id) for each in ACTS} == dict.fromkeys(ACTS, 403)


@pytest.mark.parametrize(
    ("name", "triggered"), [("vera", 403), ("otto", 200), ("anna", 403), ("ursula", 200), ("tina", 403), ("timo", 403)]
)
def test_operators_for_all_tenants_trigger_the_request_of_an_upgrade(fab: Fab, name: str, triggered: int) -> None:
    conf = {"tenantId": "550e8400", "componentId": "aaa-111", "fromVersionId": "bbb-222", "toVersionId": "ccc-333"}
    with fab.of(name) as client:
        body = {"logical_date": None, "conf": conf}
        assert client.post("/api/v2/dags/upgrade_request/dagRuns", json=body).status_code == triggered


def test_set_up_takes_former_rights_on_all_dags_back_and_leaves_what_administrators_granted(fab: Fab) -> None:
    (line,) = (each for each in fab.airflow.set_up_output.splitlines() if each.startswith("Upgrade Approver ["))
    assert str(FORMER) not in line
    assert str(("can_read", "DAGs")) not in line
    assert str(("can_read", "Assets")) in line


def test_every_role_was_tried() -> None:
    assert set(ROLES) == {*READERS, "tom", "ada"}
