"""Airflow's real API server with its default auth manager: what its four roles may do.

Which permission each call needs, and that none is made without one, is checked in `../security`.
"""

import httpx
import pytest

from tests.integration.web.api_server.running_airflow import RunningAirflow
from tests.integration.web.api_server.simple_auth import USERS
from tests.integration.web.apps import SharedApp
from tests.integration.web.every_call import good_call
from tests.integration.world import COMPONENT, NEW, OLD, TENANT
from upgrade_orchestrator.domain.operations.permissions import Permission

UPGRADES = f"/tenants/{TENANT}/upgrades"
REQUEST = {"componentId": COMPONENT, "fromVersionId": OLD, "toVersionId": NEW}
P = Permission
MAY = {"viewer": {P.READ}, "user": {P.READ, P.OPERATE}, "op": set(Permission), "admin": set(Permission)}
"As docs/adopt.md has it."
CALLS = {P.READ: "read", P.OPERATE: "cancel", P.APPROVE: "approve", P.ADMINISTER: "add_component"}
"One for each permission."
TABLES = ("execution", "command", "event", "component", "component_version", "upgrade_path", "deployment", "backup")


@pytest.fixture
def execution(airflow: RunningAirflow) -> str:
    """One that ulla has created; what was active before is not any more."""
    with airflow.client("ulla") as client:
        before = client.get(f"/tenants/{TENANT}/components/{COMPONENT}/upgrades/active")
        if before.is_success:
            assert client.post(f"/upgrades/{before.json()['id']}/cancel").is_success
        created = client.post(UPGRADES, json=REQUEST)
        assert (created.status_code, created.json().get("createdBy")) == (201, "ulla"), created.text
        return str(created.json()["id"])


def test_setup_command_without_fab_reports_that_it_creates_no_roles(airflow: RunningAirflow) -> None:
    *_, schema, roles, bundle = airflow.set_up_output.strip().splitlines()
    assert bundle == "upgrades: the DAG files are in the bundle dags-folder"
    assert schema == "upgrades: database is at the newest schema"
    assert roles.startswith("upgrades: no roles to make: SimpleAuthManager has its own")


@pytest.mark.parametrize("name", USERS)
def test_role_permits_exactly_its_calls(
    airflow: RunningAirflow, shared_app: SharedApp, execution: str, name: str
) -> None:
    may, app = MAY[USERS[name]], shared_app.app
    with airflow.client(name) as client:
        for permission, route in CALLS.items():
            before = _stored(airflow)
            response = client.request(**good_call(app, route, executionId=execution)._asdict())
            if permission in may:
                assert response.status_code not in (401, 403), (route, response.text)
                continue
            assert (response.status_code, response.json()["code"]) == (403, "FORBIDDEN"), (route, response.text)
            assert _stored(airflow) == before, route


def test_call_without_a_token_or_with_one_of_another_issuer_is_401(
    airflow: RunningAirflow, shared_app: SharedApp
) -> None:
    app, forged = shared_app.app, airflow.login("ada").rsplit(".", 1)[0] + ".c2lnbmF0dXJl"
    for headers in ({}, {"Authorization": f"Bearer {forged}"}):
        with airflow.client() as client:
            for route in CALLS.values():
                response = client.request(**good_call(app, route, executionId="none")._asdict(), headers=headers)
                assert (response.status_code, response.json()["code"]) == (401, "UNAUTHENTICATED"), route


def test_wrong_password_gets_no_token(airflow: RunningAirflow) -> None:
    given = {"username": "ada", "password": "guessed"}
    assert httpx.post(f"{airflow.url}/auth/token", json=given, trust_env=False, timeout=30).status_code == 401


def test_upgrade_is_created_started_and_cancelled_under_the_users_name(airflow: RunningAirflow, execution: str) -> None:
    with airflow.client("ulla") as client:
        assert client.post(f"/upgrades/{execution}/start").json()["status"] == "VALIDATING"
        assert client.post(f"/upgrades/{execution}/cancel").json()["status"] == "CANCELLED"
    with airflow.postgres.connect(airflow.own) as connection:
        query = "SELECT command, actor FROM command WHERE execution_id = %s ORDER BY created_at"
        assert connection.execute(query, (execution,)).fetchall() == [("start", "ulla"), ("cancel", "ulla")]


def _stored(airflow: RunningAirflow) -> list[object]:
    with airflow.postgres.connect(airflow.own) as connection:
        return [connection.execute(f"SELECT count(*) FROM {each}").fetchone() for each in TABLES]
