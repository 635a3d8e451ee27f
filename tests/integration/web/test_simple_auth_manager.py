"""Airflow's real API server with the auth manager that it has when nobody chose one: what its four roles may do."""

from collections.abc import Iterator

import httpx
import pytest

from include.upgrades.domain.permissions import Permission
from include.upgrades.web.app import create_app
from local.postgres import Postgres
from tests.integration.fleet.running_agent import RunningAgent
from tests.integration.web.auth_managers import SIMPLE, SIMPLE_USERS
from tests.integration.web.every_call import TABLE, good_call
from tests.integration.web.running_airflow import RunningAirflow
from tests.integration.world import COMPONENT, NEW, OLD, TENANT

UPGRADES = f"/tenants/{TENANT}/upgrades"
REQUEST = {"componentId": COMPONENT, "fromVersionId": OLD, "toVersionId": NEW}
P = Permission
MAY = {"viewer": {P.READ}, "user": {P.READ, P.OPERATE}, "op": set(Permission), "admin": set(Permission)}
"As docs/adopt.md has it."
TABLES = ("execution", "command", "event", "component", "component_version", "upgrade_path", "deployment", "backup")


@pytest.fixture(scope="module")
def airflow(
    postgres_server: Postgres,
    migrated_template: str,
    demo_agent: RunningAgent,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[RunningAirflow]:
    folder = tmp_path_factory.mktemp("airflow")
    running = RunningAirflow(postgres_server, migrated_template, demo_agent, folder, SIMPLE)
    try:
        running.wait()
        yield running
    finally:
        running.close()


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


def test_set_up_works_without_fab_and_says_that_there_are_no_roles_to_make(airflow: RunningAirflow) -> None:
    *_, schema, roles = airflow.told_by_set_up.strip().splitlines()
    assert schema == "upgrades: database is at the newest schema"
    assert roles.startswith("upgrades: no roles to make: SimpleAuthManager has its own")


@pytest.mark.parametrize("name", SIMPLE_USERS)
def test_role_opens_every_call_that_it_is_for_and_no_other(airflow: RunningAirflow, execution: str, name: str) -> None:
    may, app = MAY[SIMPLE_USERS[name]], create_app()
    with airflow.client(name) as client:
        for route, needs in TABLE.items():
            before = _stored(airflow)
            response = client.request(**good_call(app, route, executionId=execution)._asdict())
            if needs.permission in may:
                assert response.status_code not in (401, 403), (route, response.text)
                continue
            assert (response.status_code, response.json()["code"]) == (403, "FORBIDDEN"), (route, response.text)
            assert _stored(airflow) == before, route


def test_every_call_is_401_without_a_token_and_with_one_of_another_issuer(airflow: RunningAirflow) -> None:
    app, forged = create_app(), airflow.login("ada").rsplit(".", 1)[0] + ".c2lnbmF0dXJl"
    for headers in ({}, {"Authorization": f"Bearer {forged}"}):
        with airflow.client() as client:
            for route in TABLE:
                response = client.request(**good_call(app, route, executionId="none")._asdict(), headers=headers)
                assert (response.status_code, response.json()["code"]) == (401, "UNAUTHENTICATED"), route


def test_wrong_password_gets_no_token(airflow: RunningAirflow) -> None:
    given = {"username": "ada", "password": "guessed"}
    assert httpx.post(f"{airflow.url}/auth/token", json=given, trust_env=False, timeout=30).status_code == 401


def test_upgrade_is_created_started_and_cancelled_in_the_users_name(airflow: RunningAirflow, execution: str) -> None:
    with airflow.client("ulla") as client:
        assert client.post(f"/upgrades/{execution}/start").json()["status"] == "VALIDATING"
        assert client.post(f"/upgrades/{execution}/cancel").json()["status"] == "CANCELLED"
    with airflow.postgres.connect(airflow.own) as connection:
        query = "SELECT command, actor FROM command WHERE execution_id = %s ORDER BY created_at"
        assert connection.execute(query, (execution,)).fetchall() == [("start", "ulla"), ("cancel", "ulla")]


def _stored(airflow: RunningAirflow) -> list[object]:
    with airflow.postgres.connect(airflow.own) as connection:
        return [connection.execute(f"SELECT count(*) FROM {each}").fetchone() for each in TABLES]
