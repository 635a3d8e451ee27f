import httpx
import pytest

from tests.integration.world import TENANT, World

UPGRADES = f"/tenants/{TENANT}/upgrades"
COMMANDS = ("pause", "resume", "cancel", "rollback")


@pytest.fixture
async def created(api: httpx.AsyncClient, world: World) -> str:
    """The id of an execution in PENDING."""
    identifier: str = (await api.post(UPGRADES, json=world.request())).json()["id"]
    return identifier


async def put_in(world: World, execution_id: str, status: str) -> None:
    with world.connect() as connection:
        connection.execute("UPDATE execution SET status = %s WHERE id = %s", (status, execution_id))


@pytest.mark.parametrize(
    ("command", "status", "code", "becomes"),
    [
        ("pause", "IN_PROGRESS", 200, "PAUSED"),
        ("pause", "CANARY_RUNNING", 200, "PAUSED"),
        ("resume", "PAUSED", 200, "IN_PROGRESS"),
        ("cancel", "PENDING", 200, "CANCELLED"),
        ("cancel", "VALIDATING", 200, "CANCELLED"),
        ("cancel", "PAUSED", 200, "CANCELLED"),
        ("cancel", "ROLLING_BACK", 200, "CANCELLED"),
        ("rollback", "IN_PROGRESS", 202, "ROLLED_BACK"),
        ("rollback", "PAUSED", 202, "ROLLED_BACK"),
        ("rollback", "CANARY_RUNNING", 202, "ROLLED_BACK"),
    ],
)
async def test_command_changes_the_status_of_an_untouched_execution(
    api: httpx.AsyncClient, world: World, created: str, command: str, status: str, code: int, becomes: str
) -> None:
    await put_in(world, created, status)
    response = await api.post(f"/upgrades/{created}/{command}", params={"reason": "night is over"})
    assert (response.status_code, response.json()["status"]) == (code, becomes)
    with world.connect() as connection:
        audit = connection.execute("SELECT command, actor, source, reason FROM command").fetchall()
    assert [(row[0], row[2], row[3]) for row in audit] == [(command, "API", "night is over")]


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("status", ["COMPLETED", "FAILED", "CANCELLED", "ROLLED_BACK"])
async def test_command_in_a_terminal_status_is_refused_and_changes_nothing(
    api: httpx.AsyncClient, world: World, created: str, command: str, status: str
) -> None:
    await put_in(world, created, status)
    events = world.rows("event")
    response = await api.post(f"/upgrades/{created}/{command}")
    assert (response.status_code, response.json()["code"]) == (409, "INVALID_STATE")
    assert status not in response.json()["allowedFrom"]
    assert (world.rows("event"), world.rows("command")) == (events, 0)


async def test_second_pause_is_refused(api: httpx.AsyncClient, world: World, created: str) -> None:
    await put_in(world, created, "IN_PROGRESS")
    assert (await api.post(f"/upgrades/{created}/pause")).status_code == 200
    assert (await api.post(f"/upgrades/{created}/pause")).status_code == 409


async def test_cancelled_execution_that_touched_nothing_frees_its_active_slot(
    api: httpx.AsyncClient, world: World, created: str
) -> None:
    await api.post(f"/upgrades/{created}/cancel")
    assert (await api.post(UPGRADES, json=world.request())).status_code == 201


async def test_active_execution_keeps_its_active_slot(api: httpx.AsyncClient, world: World, created: str) -> None:
    assert (await api.post(UPGRADES, json=world.request())).status_code == 409


async def test_cancel_reports_the_number_of_instances_on_each_version(api: httpx.AsyncClient, created: str) -> None:
    body = (await api.post(f"/upgrades/{created}/cancel", params={"reason": "wrong night"})).json()
    assert body["statusReason"] == "wrong night; 4 on 3.6.0"
