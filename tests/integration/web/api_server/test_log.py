"""Log lines of our calls and metrics of our upgrades in Airflow's real API server."""

import time

from tests.integration.web.api_server.running_airflow import RunningAirflow
from tests.integration.web.api_server.simple_auth import PASSWORD
from tests.integration.world import COMPONENT, NEW, OLD, TENANT
from upgrade_orchestrator.web.app import URL_PREFIX

REQUEST = {"componentId": COMPONENT, "fromVersionId": OLD, "toVersionId": NEW}


def log_with(airflow: RunningAirflow, text: str) -> str:
    """The log, once the text is in it: a call's line is written when its answer was sent already."""
    deadline = time.monotonic() + 10
    while text not in (log := airflow.log()):
        assert time.monotonic() < deadline, f"not in the log: {text}"
        time.sleep(0.05)
    return log


def calls_in(log: str) -> list[str]:
    """The lines of ours about a call as a whole."""
    return [line for line in log.splitlines() if "request " in line and " by '" in line]


def test_write_is_logged_and_audited_under_its_request_id(airflow: RunningAirflow) -> None:
    deployment = f"/tenants/{TENANT}/components/{COMPONENT}"
    headers = {"X-Request-ID": "ci-4711"}
    with airflow.client("ulla") as client:
        before = client.get(f"{deployment}/upgrades/active").json().get("id")
        active = before or client.post(f"/tenants/{TENANT}/upgrades", json=REQUEST).json()["id"]
        read = client.get(f"/upgrades/{active}", headers={"X-Request-ID": "only-read"})
        cancelled = client.post(f"/upgrades/{active}/cancel", params={"reason": "not-for-the-log"}, headers=headers)
    assert (cancelled.status_code, cancelled.headers["X-Request-ID"], read.status_code) == (200, "ci-4711", 200)
    found = calls_in(log_with(airflow, "request ci-4711 by 'ulla'"))
    (line,) = (each for each in found if "request ci-4711 by" in each)
    assert f"POST {URL_PREFIX}/upgrades/{active}/cancel is 200 after " in line
    assert not [each for each in found if "only-read" in each]
    with airflow.postgres.connect(airflow.own) as connection:
        kept = connection.execute("SELECT command, detail FROM command WHERE detail ->> 'requestId' = 'ci-4711'")
        assert kept.fetchall() == [("cancel", {"requestId": "ci-4711"})]


def test_refused_read_is_logged_under_its_generated_request_id(airflow: RunningAirflow) -> None:
    with airflow.client("vera") as client:
        refused = client.get("/events/parked", params={"limit": "77"}).headers["X-Request-ID"]
    log = log_with(airflow, f"request {refused} by")
    (line,) = (each for each in calls_in(log) if refused in each)
    assert f"by 'vera': GET {URL_PREFIX}/events/parked is 403 after" in line


def test_every_log_line_of_the_product_within_a_call_has_its_request_id(airflow: RunningAirflow) -> None:
    with airflow.client() as client:
        assert client.get("/health", headers={"X-Request-ID": "probe-1"}).status_code == 503  # Kafka is away
    found = [line for line in airflow.log().splitlines() if "the relay of events is" in line and "GET" in line]
    assert [line for line in found if "request_id" in line and "probe-1" in line], found


def test_log_contains_no_token_no_query_and_no_password(airflow: RunningAirflow) -> None:
    token = airflow.login("ulla")
    headers = {"Authorization": f"Bearer {token}", "Idempotency-Key": "kept-to-itself"}
    with airflow.client() as client:
        client.post("/upgrades/none/cancel", params={"reason": "s3cret-reason"}, headers=headers)
        client.post("/upgrades/none%0Drequest/cancel", headers=headers | {"X-Request-ID": "two lines"})
    log_with(airflow, "/upgrades/none/cancel is 404")
    log = log_with(airflow, "/upgrades/none%0Drequest/cancel is 404")
    assert not [line for line in calls_in(log) if "s3cret" in line or "kept-to-itself" in line or "two lines" in line]
    assert token not in log
    assert PASSWORD not in log


def test_leading_server_publishes_metrics_through_airflows_statsd(airflow: RunningAirflow) -> None:
    airflow.statsd.until("airflow.upgrades.executions.PENDING.ROLLING:", seconds=60)
    airflow.statsd.until("airflow.upgrades.relay.lag_seconds:", seconds=60)
