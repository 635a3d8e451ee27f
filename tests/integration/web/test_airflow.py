"""Mounted by Airflow's real API server, behind the real FAB auth manager, over real HTTP."""

from typing import Any

import httpx
import pytest

from tests.integration.web.running_airflow import METADATA, OWN, RunningAirflow
from tests.integration.world import COMPONENT, NEW, OLD, TENANT

UPGRADES = f"/tenants/{TENANT}/upgrades"
REQUEST = {"componentId": COMPONENT, "fromVersionId": OLD, "toVersionId": NEW}
JSON = {"Content-Type": "application/json"}


@pytest.mark.parametrize(
    ("name", "may_read", "may_operate", "may_administer"),
    [
        ("victor", True, False, False),
        ("olga", True, True, False),
        ("anna", True, False, False),
        ("ursula", True, True, True),
        ("admin", True, True, True),
        ("nina", False, False, False),
    ],
)
def test_role_opens_what_it_is_for(
    airflow: RunningAirflow, name: str, may_read: bool, may_operate: bool, may_administer: bool
) -> None:
    with airflow.client(name) as client:
        assert client.get(UPGRADES).status_code == (200 if may_read else 403)
        assert client.post("/upgrades/none/start").status_code == (404 if may_operate else 403)
        assert client.post("/components", json={}).status_code == (422 if may_administer else 403)


def test_role_of_a_tenant_opens_that_tenant_only(airflow: RunningAirflow) -> None:
    with airflow.client("tina") as own, airflow.client("tom") as other:
        assert (own.get(UPGRADES).status_code, other.get(UPGRADES).status_code) == (200, 404)
        assert (own.get("/components").status_code, other.get("/components").status_code) == (200, 200)
        assert own.post("/components", json={"name": "x"}).status_code == 403
        assert other.post(UPGRADES, json=REQUEST).status_code == 404
        assert own.get(f"/components/{COMPONENT}/upgrade-statistics").status_code == 403


@pytest.mark.parametrize("header", ["", "Bearer nonsense", "Basic YWRtaW46YWRtaW4=", "Bearer a.b.c"])
def test_call_is_401_without_a_valid_token(airflow: RunningAirflow, header: str) -> None:
    with airflow.client() as client:
        response = client.get("/components", headers={"Authorization": header})
    assert (response.status_code, response.json()["code"]) == (401, "UNAUTHENTICATED")
    assert "X-Request-ID" in response.headers


def test_upgrade_is_created_and_started_in_the_users_name(airflow: RunningAirflow) -> None:
    with airflow.client("olga") as client:
        created = client.post(UPGRADES, json=REQUEST | {"initiatedBy": "ci"})
        assert created.status_code == 201, created.text
        body = created.json()
        started = client.post(f"/upgrades/{body['id']}/start")
        assert (started.status_code, started.json()["status"]) == (202, "VALIDATING")
        with airflow.postgres.connect(METADATA) as connection:
            asked = connection.execute("SELECT relative_fileloc FROM dag_priority_parsing_request").fetchall()
    assert (body["createdBy"], body["initiatedBy"]) == ("olga", "ci")
    assert len(asked) == 1
    assert str(asked[0][0]).startswith("upgrade_executions/shard_")


def test_cookie_of_the_ui_opens_reads(airflow: RunningAirflow) -> None:
    with airflow.client() as client:
        client.cookies.set("_token", airflow.login("ursula"))
        assert client.get("/components").status_code == 200


def test_form_of_another_site_is_refused_though_the_cookie_comes_with_it(airflow: RunningAirflow) -> None:
    with airflow.client() as client:
        client.cookies.set("_token", airflow.login("ursula"))
        response = client.post("/components", data={"name": "evil"})
    assert response.status_code == 415
    assert _components(airflow) == 1


def test_bearer_wins_over_the_cookie(airflow: RunningAirflow) -> None:
    with airflow.client("victor") as client:
        client.cookies.set("_token", airflow.login("ursula"))
        assert client.post("/components", json={"name": "x"}).status_code == 403


@pytest.mark.parametrize("chunked", [False, True], ids=["with length", "chunked"])
def test_sender_of_two_mebibytes_hears_413(airflow: RunningAirflow, chunked: bool) -> None:
    content: Any = iter([b" " * 65536] * 32) if chunked else b" " * (2 << 20)
    with airflow.client("ursula") as client:
        response = client.post("/components", content=content, headers=JSON)
    assert (response.status_code, response.json()["code"]) == (413, "PAYLOAD_TOO_LARGE")
    assert _components(airflow) == 1


def test_description_is_behind_the_door(airflow: RunningAirflow) -> None:
    with airflow.client() as client:
        assert {client.get(path).status_code for path in ("/openapi.json", "/docs")} == {401}
    with airflow.client("victor") as client:
        assert client.get("/openapi.json").json()["servers"] == [{"url": "/api/v1/registry"}]
        assert "openapi.json" in client.get("/docs").text


def test_airflows_own_api_is_left_alone(airflow: RunningAirflow) -> None:
    assert httpx.get(f"{airflow.url}/api/v2/version", trust_env=False, timeout=30).status_code == 200


def _components(airflow: RunningAirflow) -> int:
    with airflow.postgres.connect(OWN) as connection:
        row = connection.execute("SELECT count(*) FROM component").fetchone()
    assert row is not None
    return int(str(row[0]))
