"""A fleet's agent behind an Airflow connection, of our type and of type http, and the connection form's button
"Test".
"""

import asyncio
import json
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from airflow.providers.http.hooks.http import HttpHook

from tests.integration.fleet.running_agent import TOKEN, Caller, RunningAgent
from tests.integration.fleet.test_client import BODY, Server, answer, trickle
from tests.integration.kafka import certificates
from upgrade_orchestrator.adapters.airflow.connections import FleetAddress, fleet_address
from upgrade_orchestrator.adapters.fleet import client as adapter
from upgrade_orchestrator.adapters.fleet.callers import close_callers
from upgrade_orchestrator.adapters.fleet.drivers import ConnectionFleets
from upgrade_orchestrator.adapters.fleet.hook import FleetAgentHook
from upgrade_orchestrator.domain.registry.entries import Deployment
from upgrade_orchestrator.service.ports.fleet import WrongConnection

KINDS = ("upgrade_fleet_agent", "http")
Define = Callable[..., None]


@pytest.fixture
def define(agent: RunningAgent, monkeypatch: pytest.MonkeyPatch) -> Define:
    """Defines the Airflow connection ``agent``: the running agent's, except for the given values."""

    def connection(**given: Any) -> None:
        fields = {"conn_type": KINDS[0], "host": "127.0.0.1", "port": agent.port, "password": TOKEN} | given
        monkeypatch.setenv("AIRFLOW_CONN_AGENT", json.dumps({key: each for key, each in fields.items() if each}))

    return connection


def button() -> tuple[bool, str]:
    """What Airflow does when the button is pressed."""
    from airflow.models.connection import Connection

    status, message = Connection.get_connection_from_secrets("agent").test_connection()
    return status, message


@pytest.mark.parametrize("kind", KINDS)
async def test_fleet_is_reached_through_a_connection_of_either_type(kind: str, define: Define, fleet: Caller) -> None:
    define(conn_type=kind)
    deployment = Deployment(
        tenant_id="acme", component_id="pg", driver="agent", conn_id="agent", fleet=fleet.fleet, current_version_id="v"
    )
    try:
        async with ConnectionFleets().of(deployment) as driver:
            assert len((await driver.fleet()).instances) == 3
    finally:
        await close_callers()


@pytest.mark.parametrize(
    ("given", "address"),
    [
        ({}, FleetAddress("http://a", "")),
        ({"schema": "https", "port": 8443, "password": "t"}, FleetAddress("https://a:8443", "t")),
        ({"host": "https://a/base/"}, FleetAddress("https://a/base", "")),
        ({"extra": {"verify": False}}, FleetAddress("http://a", "", False)),
        ({"extra": {"verify": "false"}}, FleetAddress("http://a", "", False)),
        ({"extra": {"verify": " True "}}, FleetAddress("http://a", "", True)),
        ({"extra": {"verify": "", "cert": "", "key": None}}, FleetAddress("http://a", "", True)),
        ({"extra": {"verify": "/ca", "cert": "/c", "key": "/k"}}, FleetAddress("http://a", "", "/ca", "/c", "/k")),
    ],
)
async def test_address_is_built_from_the_connection(
    given: dict[str, Any], address: FleetAddress, monkeypatch: pytest.MonkeyPatch
) -> None:
    for kind in KINDS:
        monkeypatch.setenv("AIRFLOW_CONN_AGENT", json.dumps({"conn_type": kind, "host": "a"} | given))
        assert await fleet_address("agent") == address


# fault 12
@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"extra": {"verify": 1}}, "verify in extra must be true, false or the path of a CA file"),
        ({"extra": {"verify": ["/ca"]}}, "verify in extra must be"),
        ({"extra": {"cert": True}}, "cert in extra must be the path of a PEM file"),
        ({"extra": {"cert": "/c", "key": {}}}, "key in extra must be the path of a PEM file"),
        ({"extra": {"key": "/k"}}, "extra has key without cert"),
        ({"password": "s3cret\n"}, "its password cannot be sent as a token"),
        ({"password": "s3cret\x7f"}, "its password cannot be sent as a token"),
        ({"password": "s3cretё"}, "no letters beyond Latin-1"),
        ({"host": "ftp://a"}, "schema must be http or https, not 'ftp'"),
        ({"schema": "tcp"}, "schema must be http or https, not 'tcp'"),
        ({"host": ""}, "has no host"),
        ({"host": "https://"}, "has no host"),
    ],
)
async def test_connection_that_cannot_be_used_is_named_with_its_field(
    given: dict[str, Any], said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_AGENT", json.dumps({"conn_type": "http", "host": "a"} | given))
    with pytest.raises(WrongConnection) as refused:
        await fleet_address("agent")
    assert str(refused.value).startswith("the Airflow connection agent")
    assert said in str(refused.value)
    assert "s3cret" not in str(refused.value)


@pytest.mark.parametrize(
    "given",
    [
        {"host": "a"},
        {"host": "a", "port": 81},
        {"host": "a", "schema": "https", "port": 8443},
        {"host": "https://a/base/"},
        {"host": "https://a", "port": 8443},
        {"host": "https://a", "schema": "http"},
    ],
)
async def test_base_url_is_the_one_of_the_providers_hook(
    given: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_AGENT", json.dumps({"conn_type": "http"} | given))
    hook = HttpHook(http_conn_id="agent")
    hook.get_conn()
    assert (await fleet_address("agent")).base_url == hook.base_url.rstrip("/")


def test_connection_test_succeeds_when_the_agent_responds(define: Define) -> None:
    define()
    assert button()[0] is True
    assert "answers and accepts the token" in button()[1]


def test_connection_test_describes_the_named_fleet(define: Define, fleet: Caller) -> None:
    define(extra={"fleet": fleet.fleet})
    assert button() == (True, f"The agent has fleet {fleet.fleet}: 3 instances, 3 healthy (3 on 3.5.0).")


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"password": "wrong"}, "refuses the token (401)"),
        ({"password": None}, "refuses the token (401)"),
        ({"extra": {"fleet": "nowhere"}}, "the agent answered 404 to GET /fleets/nowhere"),
        ({"port": 9}, "does not answer (ClientConnectorError)"),
        ({"password": "line\n"}, "its password cannot be sent as a token"),
        ({"schema": "https"}, "does not answer"),
        ({"schema": "https", "extra": {"verify": "/no/such/ca.pem"}}, "cannot be used (/no/such/ca.pem)"),
    ],
)
def test_connection_test_gives_the_reason_of_a_failure(given: dict[str, Any], said: str, define: Define) -> None:
    define(**given)
    status, message = button()
    assert (status, said in message) == (False, True), message
    assert TOKEN not in message


@asynccontextmanager
async def serving(respond: Any, context: ssl.SSLContext | None = None) -> AsyncIterator[tuple[Server, int]]:
    server = Server(respond)
    listening = await asyncio.start_server(server.serve, "127.0.0.1", 0, ssl=context)
    try:
        yield server, listening.sockets[0].getsockname()[1]
    finally:
        listening.close()


@pytest.mark.parametrize(
    ("respond", "said"),
    [
        (answer("404 Not Found", "Content-Type: text/html", body=b"<html>"), "not a JSON object"),
        (answer("200 OK", body=b""), "the response is 200, which no agent would send"),
        (answer("302 Found", "Location: http://127.0.0.1:9/"), "the response is 302, which no agent would send"),
        (answer("200 OK", body=b" " * (adapter.MAX_BYTES + 1)), "larger than 16 MiB"),
        (trickle, "does not answer (TimeoutError)"),
    ],
)
async def test_connection_test_fails_when_another_server_responds(
    respond: Any, said: str, define: Define, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(adapter, "CALL_SECONDS", 1.0)
    async with serving(respond) as (_, port):
        define(port=port)
        async with asyncio.timeout(20):
            status, message = await asyncio.to_thread(button)
    assert (status, said in message) == (False, True), message


async def test_call_has_no_token_when_the_connection_has_none(define: Define) -> None:
    async with serving(answer("404 Not Found", body=BODY)) as (server, port):
        for password in (None, "secret"):
            define(port=port, password=password)
            assert (await asyncio.to_thread(button))[0] is True
    assert ["Authorization: Bearer secret" in head for head in server.heads] == [False, True]
    assert "Authorization" not in server.heads[0]


def _part(pem: Path, name: str) -> str:
    """A file with only this part of the PEM file."""
    begin, end = (f"-----{word} {name}-----" for word in ("BEGIN", "END"))
    text = pem.read_text()
    part = pem.with_name(f"{name.split()[-1].lower()}.pem")
    part.write_text(text[text.index(begin) : text.index(end) + len(end)] + "\n")
    return str(part)


async def test_certificates_are_verified_as_the_connection_configures(define: Define, tmp_path: Path) -> None:
    authority, certificate = certificates.make(tmp_path)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate)
    mutual = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=str(authority))
    mutual.load_cert_chain(certificate)
    mutual.verify_mode = ssl.CERT_REQUIRED
    trusted, ours = {"verify": str(authority)}, {"cert": str(certificate)}
    apart = {"cert": _part(certificate, "CERTIFICATE"), "key": _part(certificate, "PRIVATE KEY")}
    for server_side, extra, well in (
        (context, {}, False),
        (context, {"verify": False}, True),
        (context, trusted, True),
        (mutual, trusted, False),
        (mutual, trusted | ours, True),
        (mutual, trusted | apart, True),
        (mutual, trusted | {"cert": apart["cert"]}, False),
        (mutual, {"verify": False} | ours, True),
    ):
        async with serving(answer("404 Not Found", body=BODY), server_side) as (_, port):
            define(schema="https", port=port, extra=extra)
            status, message = await asyncio.to_thread(button)
        assert status is well, (extra, message)


async def test_undefined_connection_is_named_in_the_error() -> None:
    with pytest.raises(WrongConnection, match="the Airflow connection nowhere is not defined"):
        await fleet_address("nowhere")


def test_hook_returns_the_address_of_the_agent(define: Define, agent: RunningAgent) -> None:
    define()
    assert FleetAgentHook("agent").get_conn() == FleetAddress(agent.url, TOKEN)
