import httpx
import pytest

from tests.integration.world import COMPONENT, TENANT, World

UPGRADES = f"/tenants/{TENANT}/upgrades"


@pytest.fixture
async def created(api: httpx.AsyncClient, world: World) -> str:
    """The id of an execution in PENDING."""
    identifier: str = (await api.post(UPGRADES, json=world.request())).json()["id"]
    return identifier


async def test_start_is_accepted_and_requests_the_parse_of_the_dag(
    api: httpx.AsyncClient, world: World, created: str
) -> None:
    response = await api.post(f"/upgrades/{created}/start")
    assert (response.status_code, response.json()["status"]) == (202, "VALIDATING")
    assert response.json()["startedAt"].endswith("Z")
    assert world.parses.asked == [created]


async def test_second_start_is_refused_and_changes_nothing(api: httpx.AsyncClient, world: World, created: str) -> None:
    await api.post(f"/upgrades/{created}/start")
    events = world.rows("event")
    response = await api.post(f"/upgrades/{created}/start")
    body = response.json()
    assert (response.status_code, body["code"], body["status"]) == (409, "INVALID_STATE", 409)
    assert (body["currentStatus"], body["allowedFrom"]) == ("VALIDATING", ["PENDING"])
    assert (world.rows("event"), world.rows("command")) == (events, 1)


async def test_events_are_cloud_events_without_a_gap(api: httpx.AsyncClient, created: str) -> None:
    await api.post(f"/upgrades/{created}/start")
    page = (await api.get(f"/upgrades/{created}/events")).json()
    assert [each["sequence"] for each in page["items"]] == [1, 2, 3]
    assert [each["type"] for each in page["items"]] == [
        f"registry.upgrade.{what}.v1" for what in ("created", "command-received", "status-changed")
    ]
    first = page["items"][0]
    assert (first["specversion"], first["subject"]) == ("1.0", created)
    assert first["source"] == f"/registry/upgrades/{created}"
    assert first["time"].endswith("Z")
    assert page["nextCursor"] is None


async def test_events_continue_after_a_sequence_and_after_a_cursor(api: httpx.AsyncClient, created: str) -> None:
    await api.post(f"/upgrades/{created}/start")
    first = (await api.get(f"/upgrades/{created}/events", params={"limit": 2})).json()
    rest = (await api.get(f"/upgrades/{created}/events", params={"cursor": first["nextCursor"]})).json()
    after = (await api.get(f"/upgrades/{created}/events", params={"after": 2})).json()
    assert [each["sequence"] for each in rest["items"]] == [3]
    assert rest == after
    both = await api.get(f"/upgrades/{created}/events", params={"after": 2, "cursor": first["nextCursor"]})
    assert both.status_code == 422


async def test_instances_are_paged_in_the_plans_order(api: httpx.AsyncClient, created: str) -> None:
    plan = (await api.get(f"/upgrades/{created}/plan")).json()
    first = (await api.get(f"/upgrades/{created}/instances", params={"limit": 3})).json()
    rest = (await api.get(f"/upgrades/{created}/instances", params={"cursor": first["nextCursor"]})).json()
    planned = [instance for batch in plan["batches"] for instance in batch["instances"]]
    assert [each["instanceId"] for each in first["items"] + rest["items"]] == planned
    assert set(first["items"][0]) == {
        *("instanceId", "batch", "status", "fromVersion", "toVersion", "reportedVersion", "attempts"),
        *("healthy", "gone", "lastHealthAt", "error", "startedAt", "completedAt"),
    }
    assert rest["nextCursor"] is None


@pytest.mark.parametrize("path", ["", "/plan", "/instances", "/events", "/start"])
@pytest.mark.parametrize("unknown", ["01900000-0000-7000-8000-000000000000", "-no-id", "x" * 65])
async def test_unknown_execution_is_404(api: httpx.AsyncClient, path: str, unknown: str) -> None:
    response = await api.request("POST" if path == "/start" else "GET", f"/upgrades/{unknown}{path}")
    assert (response.status_code, response.json()["code"]) == (404, "NOT_FOUND")


async def test_active_execution_is_404_when_there_is_none(api: httpx.AsyncClient) -> None:
    response = await api.get(f"/tenants/{TENANT}/components/{COMPONENT}/upgrades/active")
    assert (response.status_code, response.json()["code"]) == (404, "NO_ACTIVE_UPGRADE")
