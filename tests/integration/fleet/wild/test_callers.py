"""Calls through an Airflow connection whose secret changes: looked up again after a refusal, and not otherwise."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest

from tests.integration.fleet.test_client import BODY
from upgrade_orchestrator.adapters.airflow.connections import FleetAddress
from upgrade_orchestrator.adapters.fleet.callers import AgentCaller, caller_of, close_callers
from upgrade_orchestrator.adapters.fleet.drivers import ConnectionFleets
from upgrade_orchestrator.domain.registry.entries import Deployment
from upgrade_orchestrator.service.ports.fleet import FleetError, RefusedToken, WrongConnection

FLEET = json.dumps({"fleet": "a", "instances": [], "capacity": {"freeInstances": 0}, "traffic": "blue"}).encode()


@dataclass
class Guarded:
    """An agent that accepts one secret, and what it was sent."""

    secret: str
    port: int = 0
    heads: list[str] = field(default_factory=list)
    refusal: str = "401 Unauthorized"
    open: int = 0
    hold: asyncio.Event | None = None

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.open += 1
        try:
            while head := (await reader.readuntil(b"\r\n\r\n")).decode():
                self.heads.append(head)
                if self.hold is not None:
                    await self.hold.wait()
                well = f"Authorization: Bearer {self.secret}\r\n" in head
                status, body = ("200 OK", FLEET) if well else (self.refusal, BODY)
                writer.write(f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            self.open -= 1
            writer.close()

    def keys(self) -> list[str]:
        return [line for head in self.heads for line in head.splitlines() if line.startswith(("Idempotency", "X-Fenc"))]


@asynccontextmanager
async def guarded(secret: str) -> AsyncIterator[Guarded]:
    agent = Guarded(secret)
    server = await asyncio.start_server(agent.serve, "127.0.0.1", 0)
    agent.port = server.sockets[0].getsockname()[1]
    try:
        yield agent
    finally:
        await close_callers()
        server.close()


@pytest.fixture
def define(monkeypatch: pytest.MonkeyPatch) -> Callable[[Guarded, str | None], None]:
    """Defines the Airflow connection ``agent``, as it is from now on."""

    def connection(agent: Guarded, password: str | None) -> None:
        fields = {"conn_type": "http", "host": "127.0.0.1", "port": agent.port} | (
            {"password": password} if password else {}
        )
        monkeypatch.setenv("AIRFLOW_CONN_AGENT", json.dumps(fields))

    return connection


Define = Callable[[Guarded, str | None], None]
DEPLOYMENT = Deployment(
    tenant_id="acme", component_id="pg", driver="agent", conn_id="agent", fleet="a", current_version_id="v"
)


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not condition():  # noqa: ASYNC110 - it is the other end of a socket
            await asyncio.sleep(0.01)


# fault 11
@pytest.mark.parametrize("refusal", ["401 Unauthorized", "403 Forbidden"])
async def test_call_is_repeated_with_the_secret_that_the_connection_has_by_now(define: Define, refusal: str) -> None:
    async with guarded("new") as agent:
        agent.refusal = refusal
        define(agent, "old")
        async with ConnectionFleets().of(DEPLOYMENT) as driver:
            with pytest.raises(RefusedToken):
                await driver.fleet()
            define(agent, "new")
            await driver.drain("i1", 7, "once")
            assert (await driver.fleet()).name == "a"
        secrets = [head.partition("Bearer ")[2].split("\r\n")[0] for head in agent.heads]
        assert secrets == ["old", "old", "new", "new"]
        assert agent.keys() == ["Idempotency-Key: once", "X-Fencing-Token: 7"] * 2
        await until(lambda: agent.open == 1)  # the old secret's connection is closed


# fault 11
async def test_refusal_names_the_status_and_the_connection_and_not_the_secret(define: Define) -> None:
    async with guarded("new") as agent:
        define(agent, "old-secret")
        async with ConnectionFleets().of(DEPLOYMENT) as driver:
            with pytest.raises(RefusedToken) as refused:
                await driver.fleet()
        assert str(refused.value) == (
            "the agent refuses the token (401): correct the password of Airflow connection agent"
        )
        assert len(agent.heads) == 1  # nothing has changed, so nothing is sent again


async def test_call_is_repeated_once_only() -> None:
    secrets = iter(range(100))

    async with guarded("right") as agent:

        async def look_up(_: str) -> FleetAddress:
            return FleetAddress(f"http://127.0.0.1:{agent.port}", f"wrong-{next(secrets)}")

        caller = AgentCaller("agent", look_up)
        await caller.use(await look_up("agent"))
        with pytest.raises(RefusedToken):
            await caller.request("GET", "/fleets/a")
        await caller.close()
        assert len(agent.heads) == 2


async def test_calls_that_are_refused_together_share_one_look() -> None:
    looks: list[str] = []

    async with guarded("right") as agent:
        address = f"http://127.0.0.1:{agent.port}"

        async def look_up(conn_id: str) -> FleetAddress:
            looks.append(conn_id)
            await asyncio.sleep(0)
            return FleetAddress(address, "right" if len(looks) > 1 else "wrong")

        caller = AgentCaller("agent", look_up)
        await caller.use(FleetAddress(address, "wrong"))
        agent.hold = asyncio.Event()
        calls = [asyncio.create_task(caller.request("GET", "/fleets/a")) for _ in range(8)]
        await until(lambda: len(agent.heads) == 8)
        agent.hold.set()
        refused = await asyncio.gather(*calls, return_exceptions=True)
        assert [type(each) for each in refused] == [RefusedToken] * 8
        assert len(looks) == 1
        assert (await caller.request("GET", "/fleets/a")).status == 200
        await caller.close()


async def test_client_of_an_old_secret_is_closed_after_its_last_call(define: Define) -> None:
    async with guarded("old") as agent:
        define(agent, "old")
        caller = await caller_of("agent", "a")
        agent.hold = asyncio.Event()
        call = asyncio.create_task(caller.request("GET", "/fleets/a"))
        await until(lambda: len(agent.heads) == 1)
        define(agent, "new")
        assert await caller_of("agent", "a") is caller
        agent.hold.set()
        assert (await call).status == 200
        await until(lambda: agent.open == 0)


async def test_fleets_have_callers_of_their_own(define: Define) -> None:
    async with guarded("old") as agent:
        define(agent, "old")
        assert await caller_of("agent", "a") is await caller_of("agent", "a")
        assert await caller_of("agent", "a") is not await caller_of("agent", "b")


async def test_connection_that_is_removed_meanwhile_is_named(define: Define, monkeypatch: pytest.MonkeyPatch) -> None:
    async with guarded("new") as agent:
        define(agent, "old")
        async with ConnectionFleets().of(DEPLOYMENT) as driver:
            monkeypatch.delenv("AIRFLOW_CONN_AGENT")
            with pytest.raises(WrongConnection, match="the Airflow connection agent is not defined"):
                await driver.fleet()


async def test_token_is_still_refused_when_airflow_cannot_be_asked() -> None:
    async def look_up(_: str) -> FleetAddress:
        raise RuntimeError("the API server is away")

    async with guarded("new") as agent:
        caller = AgentCaller("agent", look_up)
        await caller.use(FleetAddress(f"http://127.0.0.1:{agent.port}", "old"))
        with pytest.raises(RefusedToken):
            await caller.request("GET", "/fleets/a")
        await caller.close()
        with pytest.raises(FleetError, match="was closed"):
            await caller.request("GET", "/fleets/a")


# fault 12
@pytest.mark.parametrize("password", [None, " ", "\t \n"])
async def test_no_authorization_is_sent_without_a_password(define: Define, password: str | None) -> None:
    async with guarded("x") as agent:
        agent.refusal = "200 OK"
        define(agent, password)
        caller = await caller_of("agent", "a")
        await caller.request("GET", "/fleets/a")
        await caller.request("POST", "/fleets/a/instances/i1/drain", headers={"Idempotency-Key": "k"})
    assert not any("authorization" in head.lower() for head in agent.heads)
