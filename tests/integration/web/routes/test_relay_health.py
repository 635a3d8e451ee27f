"""GET /health on the relay, and the parked events: who may see them, and their release."""

import httpx
import pytest

from tests.integration.web.authentication import Authentication
from tests.integration.world import World
from upgrade_orchestrator.domain.operations.permissions import Permission
from upgrade_orchestrator.service.ports.outbox import RelayState
from upgrade_orchestrator.service.ports.stores.events import StoredEvent

REASON = "Broker: Message size too large (2000000 bytes)"


@pytest.fixture
async def parked(world: World, api: httpx.AsyncClient) -> StoredEvent:
    """The first event of an execution, parked."""
    await world.ports.outbox.save_state(RelayState.RUNNING, "")
    made = await api.post("/tenants/550e8400/upgrades", json=world.request())
    assert made.status_code == 201, made.text
    (event, *_) = await world.ports.outbox.pending(10)
    await world.ports.outbox.park(event, REASON)
    return event


@pytest.mark.parametrize(("state", "status"), [("running", 200), ("off", 200), ("waiting", 503)])
async def test_health_shows_the_state_of_the_relay(
    api: httpx.AsyncClient, world: World, state: str, status: int
) -> None:
    await world.ports.outbox.save_state(RelayState(state), "why")
    response = await api.get("/health")
    body = response.json()
    assert (response.status_code, body["parts"]) == (status, {"database": "ok", "relay": state, "fleets": "ok"})
    assert (body["relay"]["state"], body["relay"]["detail"]) == (state, "why")


async def test_health_is_503_when_no_process_relays(api: httpx.AsyncClient) -> None:
    response = await api.get("/health")
    assert (response.status_code, response.json()["parts"]["relay"]) == (503, "down")
    assert "no process" in response.json()["detail"]


async def test_health_shows_the_lag(api: httpx.AsyncClient, world: World) -> None:
    await world.ports.outbox.save_state(RelayState.OFF, "")
    assert (await api.get("/health")).json()["relay"]["lagRows"] == 0
    assert (await api.post("/tenants/550e8400/upgrades", json=world.request())).status_code == 201
    relay = (await api.get("/health")).json()["relay"]
    assert relay["lagRows"] > 0
    assert 0 < relay["lagSeconds"] < 60


async def test_health_names_parked_events_without_tenant_and_reason(
    api: httpx.AsyncClient, parked: StoredEvent
) -> None:
    response = await api.get("/health", headers={"Authorization": ""})
    relay = response.json()["relay"]
    assert (response.status_code, relay["parked"]) == (200, 1)
    assert relay["parkedEvents"] == [{"id": parked.id, "executionId": parked.execution_id, "sequence": parked.sequence}]
    assert REASON not in response.text
    assert parked.tenant_id not in response.text


async def test_parked_events_are_listed_with_reason_page_by_page(
    api: httpx.AsyncClient, world: World, parked: StoredEvent, authentication: Authentication
) -> None:
    await api.post(f"/upgrades/{parked.execution_id}/start")
    for each in (await world.ports.outbox.pending(10))[:2]:
        await world.ports.outbox.park(each, REASON)
    admin = authentication.admit("admin", [Permission.ADMINISTER])
    first = (await api.get("/events/parked", params={"limit": 2}, headers=admin)).json()
    rest = (await api.get("/events/parked", params={"cursor": first["nextCursor"]}, headers=admin)).json()
    assert [len(first["items"]), len(rest["items"]), rest["nextCursor"]] == [2, 1, None]
    item = first["items"][0]
    assert (item["id"], item["reason"], item["tenantId"]) == (parked.id, REASON, parked.tenant_id)
    assert (item["sequence"], item["type"]) == (parked.sequence, parked.what.value)


async def test_released_event_waits_for_kafka_again(
    api: httpx.AsyncClient, world: World, parked: StoredEvent, authentication: Authentication
) -> None:
    admin = authentication.admit("admin", [Permission.ADMINISTER])
    response = await api.post(f"/events/{parked.id}/release", headers=admin)
    assert (response.status_code, response.json()["id"]) == (200, parked.id)
    assert parked.id in {each.id for each in await world.ports.outbox.pending(10)}
    assert (await api.post(f"/events/{parked.id}/release", headers=admin)).status_code == 404


@pytest.mark.parametrize("permission", [each for each in Permission if each is not Permission.ADMINISTER])
async def test_parked_events_require_the_administrator_permission(
    api: httpx.AsyncClient, world: World, parked: StoredEvent, authentication: Authentication, permission: Permission
) -> None:
    headers = authentication.admit("olga", [permission])
    assert (await api.get("/events/parked", headers=headers)).status_code == 403
    assert (await api.post(f"/events/{parked.id}/release", headers=headers)).status_code == 403
    assert len(await world.ports.outbox.parked(None, 10)) == 1
