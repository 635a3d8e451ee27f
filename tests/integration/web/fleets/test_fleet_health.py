"""GET /health on the fleet drivers: those that do not answer are named without secrets, and calls are cached."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

import httpx
import pytest

from local.ports import HOST, free_port
from tests.integration.fleet.running_agent import TOKEN
from tests.integration.web.apps import SharedApp
from tests.integration.world import COMPONENT, CONNECTION, TENANT, World
from upgrade_orchestrator.domain.registry.entries import Deployment
from upgrade_orchestrator.service.ports.fleet import FleetDriver, Fleets
from upgrade_orchestrator.service.ports.outbox import RelayState
from upgrade_orchestrator.service.views import fleet_health
from upgrade_orchestrator.service.views.fleet_health import FleetHealth


@pytest.fixture(autouse=True)
async def relay_is_well(world: World) -> None:
    await world.ports.outbox.save_state(RelayState.RUNNING, "")


@pytest.fixture
def dead_connection(monkeypatch: pytest.MonkeyPatch) -> str:
    """An Airflow connection to a port at which no server listens."""
    dead = {"conn_type": "http", "host": HOST, "port": free_port(), "password": TOKEN}
    monkeypatch.setenv("AIRFLOW_CONN_DEAD_AGENT", json.dumps(dead))
    return "dead_agent"


async def _deployment(world: World, **changed: str) -> Deployment:
    async with world.ports.work() as work:
        found = await work.registry.deployment(TENANT, COMPONENT)
    assert found is not None
    return replace(found, **changed)  # type: ignore[arg-type]


async def _put(world: World, deployment: Deployment) -> None:
    async with world.ports.work() as work:
        await work.registry.put(deployment)
        await work.commit()


async def test_health_names_the_driver_that_responds(api: httpx.AsyncClient) -> None:
    response = await api.get("/health", headers={"Authorization": ""})
    assert (response.status_code, response.json()["parts"]["fleets"]) == (200, "ok")
    assert response.json()["fleets"] == [{"driver": "agent", "connId": CONNECTION, "status": "ok"}]


async def test_health_is_503_and_names_the_driver_that_does_not_respond(
    api: httpx.AsyncClient, world: World, dead_connection: str
) -> None:
    await _put(world, await _deployment(world, tenant_id="another", conn_id=dead_connection, fleet="secret-fleet"))
    response = await api.get("/health", headers={"Authorization": ""})
    body = response.json()
    parts = {"database": "ok", "relay": "running", "fleets": "unavailable"}
    assert (response.status_code, body["parts"]) == (503, parts)
    statuses = {each["connId"]: each["status"] for each in body["fleets"]}
    assert statuses == {CONNECTION: "ok", dead_connection: "unavailable"}
    assert body["detail"] == "the fleet driver agent does not answer at the connection dead_agent"
    assert not any(each in response.text for each in (TOKEN, HOST, "secret-fleet", "another"))


async def test_health_is_503_when_the_agent_refuses_the_token(
    api: httpx.AsyncClient, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    wrong = {"conn_type": "http", "host": HOST, "port": world.agent.port, "password": "wrong"}
    monkeypatch.setenv("AIRFLOW_CONN_WRONG_TOKEN", json.dumps(wrong))
    await _put(world, await _deployment(world, conn_id="wrong_token"))
    assert (await api.get("/health")).status_code == 503


@pytest.mark.parametrize("changed", [{"conn_id": "not_defined"}, {"driver": "no-driver"}])
async def test_health_is_503_when_the_connection_of_a_deployment_is_unusable(
    api: httpx.AsyncClient, world: World, changed: dict[str, str]
) -> None:
    await _put(world, await _deployment(world, **changed))
    response = await api.get("/health")
    assert (response.status_code, response.json()["parts"]["fleets"]) == (503, "unavailable")


async def test_health_is_ok_when_the_agent_responds_that_a_fleet_is_unknown(
    api: httpx.AsyncClient, world: World
) -> None:
    await _put(world, await _deployment(world, fleet="never-made"))
    assert (await api.get("/health")).status_code == 200


class CountedFleets:
    """Port ``Fleets``: the real one, and how often it was asked for a driver."""

    def __init__(self, fleets: Fleets) -> None:
        self._fleets, self.asked = fleets, 0

    @asynccontextmanager
    async def of(self, deployment: Deployment) -> AsyncIterator[FleetDriver]:
        self.asked += 1
        async with self._fleets.of(deployment) as driver:
            yield driver


async def test_fleets_are_polled_once_for_concurrent_health_calls(
    api: httpx.AsyncClient, shared_app: SharedApp, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    fleets = CountedFleets(world.ports.fleets)
    shared_app.ports = replace(world.ports, fleets=fleets)
    answers = await asyncio.gather(*(api.get("/health") for _ in range(20)))
    assert ({each.status_code for each in answers}, fleets.asked) == ({200}, 1)
    monkeypatch.setattr(fleet_health, "CACHE_SECONDS", 0.0)
    await api.get("/health")
    assert fleets.asked == 2, "a cached result must expire"


@asynccontextmanager
async def silent_agent() -> AsyncIterator[int]:
    """The port of a server that accepts every connection and never answers."""
    closing = asyncio.Event()

    async def say_nothing(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await closing.wait()
        writer.close()

    async with await asyncio.start_server(say_nothing, HOST) as server:
        yield server.sockets[0].getsockname()[1]
        closing.set()


async def test_hanging_drivers_are_polled_concurrently_with_a_short_time_out(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fleet_health, "RESPONSE_TIMEOUT_SECONDS", 0.5)
    async with silent_agent() as port:
        for number in range(fleet_health.MAX_CONNECTIONS + 5):
            hangs = {"conn_type": "http", "host": HOST, "port": port, "password": str(number)}
            monkeypatch.setenv(f"AIRFLOW_CONN_HANGS_{number}", json.dumps(hangs))
            await _put(world, await _deployment(world, tenant_id=f"tenant-{number}", conn_id=f"hangs_{number}"))
        fleets = CountedFleets(world.ports.fleets)
        async with asyncio.timeout(fleet_health.MAX_CONNECTIONS * 0.5):
            found = await FleetHealth().look(replace(world.ports, fleets=fleets))
    statuses = {each.conn_id: each.answers for each in found}
    assert (len(statuses), fleets.asked) == (fleet_health.MAX_CONNECTIONS, fleet_health.MAX_CONNECTIONS)
    assert not any(well for conn_id, well in statuses.items() if conn_id != CONNECTION)


async def test_drivers_with_an_upgrade_under_way_are_polled_first(api: httpx.AsyncClient, world: World) -> None:
    await _put(world, await _deployment(world, tenant_id="another", conn_id="a-first-by-name"))
    assert [each.conn_id for each in await _ways(world, 5)] == ["a-first-by-name", CONNECTION]
    made = await api.post(f"/tenants/{TENANT}/upgrades", json=world.request())
    assert made.status_code == 201, made.text
    assert [each.conn_id for each in await _ways(world, 5)] == [CONNECTION, "a-first-by-name"]
    assert [each.conn_id for each in await _ways(world, 1)] == [CONNECTION]


async def _ways(world: World, limit: int) -> list[Deployment]:
    async with world.ports.work() as work:
        return await work.registry.connections(limit)
