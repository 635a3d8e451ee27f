"""Mounted by Airflow's real API server, behind the real FAB auth manager, over real HTTP."""

import json
import re
import time
from typing import Any

import httpx
import pytest

from include.upgrades.domain.notices import NoticeKind, notice_dag
from include.upgrades.web.app import URL_PREFIX
from tests.integration.web.auth_managers import PASSWORD
from tests.integration.web.failing import REASON, fail_an_upgrade
from tests.integration.web.running_airflow import RunningAirflow
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
        with airflow.postgres.connect(airflow.metadata) as connection:
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


def test_log_tells_of_a_write_under_its_request_id_and_so_does_the_audit(airflow: RunningAirflow) -> None:
    call, headers = "/tenants/550e8400/components/aaa-111/upgrades/active", {"X-Request-ID": "ci-4711"}
    with airflow.client("olga") as client:
        active = client.get(call, headers=headers).json()["id"]
        cancelled = client.post(f"/upgrades/{active}/cancel", params={"reason": "not-for-the-log"}, headers=headers)
    assert (cancelled.status_code, cancelled.headers["X-Request-ID"]) == (200, "ci-4711")
    (line,) = _told(airflow, "ci-4711")
    assert re.search(
        rf"request ci-4711 by 'olga': POST {URL_PREFIX}/upgrades/{active}/cancel is 200 after \d+ ms", line
    )
    with airflow.postgres.connect(airflow.own) as connection:
        kept = connection.execute("SELECT command, detail FROM command WHERE detail ->> 'requestId' = 'ci-4711'")
        assert kept.fetchall() == [("cancel", {"requestId": "ci-4711"})]


def test_log_tells_of_a_refused_read_under_the_id_that_was_made_for_it(airflow: RunningAirflow) -> None:
    with airflow.client("nina") as client:
        refused = client.get("/components", params={"limit": "77"}).headers["X-Request-ID"]
    with airflow.client("victor") as client:
        read = client.get("/components").headers["X-Request-ID"]
    (line,) = _told(airflow, refused)
    assert f"by 'nina': GET {URL_PREFIX}/components is 403" in line
    assert _told(airflow, read) == []


def test_every_line_of_ours_from_within_a_call_carries_its_id(airflow: RunningAirflow) -> None:
    with airflow.client("ursula") as client:
        assert client.get("/health", headers={"X-Request-ID": "probe-1"}).status_code == 503  # no Kafka here
    told = [line for line in airflow.log().splitlines() if "the relay of events is" in line and "GET" in line]
    assert [line for line in told if "request_id" in line and "probe-1" in line], told


def _wait_logged(airflow: RunningAirflow, text: str) -> None:
    """A request's line is written once its answer has been sent, so the caller may look before it is there."""
    deadline = time.monotonic() + 10
    while text not in airflow.log():
        assert time.monotonic() < deadline, f"not in the log: {text}"
        time.sleep(0.05)


def test_log_holds_no_token_no_query_and_no_password(airflow: RunningAirflow) -> None:
    token = airflow.login("olga")
    headers = {"Authorization": f"Bearer {token}", "Idempotency-Key": "kept-to-itself"}
    with airflow.client() as client:
        client.post("/upgrades/none/cancel", params={"reason": "s3cret-reason"}, headers=headers)
        client.post("/upgrades/none%0Drequest/cancel", headers=headers | {"X-Request-ID": "two lines"})
    for path in ("none", "none%0Drequest"):
        _wait_logged(airflow, f"/upgrades/{path}/cancel is 404")
    ours = [line for line in airflow.log().splitlines() if "request " in line and " by '" in line]
    assert any("/upgrades/none/cancel is 404" in line for line in ours)
    assert any("/upgrades/none%0Drequest/cancel is 404" in line for line in ours)
    assert not [line for line in ours if "s3cret" in line or "kept-to-itself" in line or "two lines" in line]
    assert token not in airflow.log()
    assert PASSWORD not in airflow.log()


def test_airflows_own_api_is_left_alone(airflow: RunningAirflow) -> None:
    assert httpx.get(f"{airflow.url}/api/v2/version", trust_env=False, timeout=30).status_code == 200


def _told(airflow: RunningAirflow, request_id: str) -> list[str]:
    """The lines of ours about the call as a whole."""
    return [line for line in airflow.log().splitlines() if f"request {request_id} by" in line]


def _components(airflow: RunningAirflow) -> int:
    with airflow.postgres.connect(airflow.own) as connection:
        row = connection.execute("SELECT count(*) FROM component").fetchone()
    assert row is not None
    return int(str(row[0]))


def test_server_that_leads_shows_metrics_through_airflows_own(airflow: RunningAirflow) -> None:
    airflow.statsd.until("airflow.upgrades.executions.PENDING.ROLLING:", seconds=60)
    airflow.statsd.until("airflow.upgrades.relay.lag_seconds:", seconds=60)


def test_upgrade_that_fails_becomes_one_dag_run_which_sends_its_notice(airflow: RunningAirflow) -> None:
    airflow.deploy("upgrade_notifications.py")
    execution_id = fail_an_upgrade(airflow)
    (run,) = _runs(airflow, notice_dag(NoticeKind.FAILED))
    assert (run["conf"]["executionId"], run["conf"]["data"]["reason"]) == (execution_id, REASON)
    airflow.command("dags", "test", notice_dag(NoticeKind.FAILED), "--conf", json.dumps(run["conf"]))
    assert airflow.notices.read_text() == f"{execution_id} of {TENANT} failed: {REASON}\n"


def _runs(airflow: RunningAirflow, dag_id: str) -> list[dict[str, Any]]:
    headers = {"Authorization": f"Bearer {airflow.login('admin')}"}
    url, deadline = f"{airflow.url}/api/v2/dags/{dag_id}/dagRuns", time.monotonic() + 60
    while not (found := httpx.get(url, headers=headers, trust_env=False, timeout=30).json()["dag_runs"]):
        assert time.monotonic() < deadline, airflow.log()[-3000:]
        time.sleep(0.2)
    runs: list[dict[str, Any]] = found
    return runs
