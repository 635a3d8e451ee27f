"""The list of a tenant's executions: order, pages, filters."""

from typing import Any

import httpx
import pytest

from tests.integration.world import COMPONENT, TENANT, World

UPGRADES = f"/tenants/{TENANT}/upgrades"
END = "UPDATE execution SET status = 'CANCELLED', completed_at = now(), settled_at = now()"


@pytest.fixture
async def five(api: httpx.AsyncClient, world: World) -> list[str]:
    """Ids of five executions, oldest first; the first four are over."""
    ids = []
    for number in range(5):
        with world.connect() as connection:
            connection.execute(END)
        strategy = "RECREATE" if number == 0 else "ROLLING"
        ids.append((await api.post(UPGRADES, json=world.request(strategy=strategy))).json()["id"])
    return ids


async def listed(api: httpx.AsyncClient, **params: Any) -> tuple[list[str], str | None]:
    response = await api.get(UPGRADES, params=params)
    assert response.status_code == 200, response.text
    return [each["id"] for each in response.json()["items"]], response.json()["nextCursor"]


async def test_list_is_newest_first(api: httpx.AsyncClient, five: list[str]) -> None:
    assert await listed(api) == (five[::-1], None)


async def test_pages_hold_every_execution_once_also_when_more_are_made(
    api: httpx.AsyncClient, world: World, five: list[str]
) -> None:
    first, cursor = await listed(api, limit=2)
    with world.connect() as connection:
        connection.execute(END)
    await api.post(UPGRADES, json=world.request())
    second, cursor = await listed(api, limit=2, cursor=cursor)
    third, cursor = await listed(api, limit=2, cursor=cursor)
    assert first + second + third == five[::-1]
    assert cursor is None


async def test_filters_narrow_the_list(api: httpx.AsyncClient, five: list[str]) -> None:
    assert (await listed(api, status="PENDING"))[0] == [five[-1]]
    assert (await listed(api, strategy="RECREATE"))[0] == [five[0]]
    assert (await listed(api, componentId=COMPONENT, status="CANCELLED"))[0] == five[3::-1]
    assert (await listed(api, componentId="other"))[0] == []
    third = (await api.get(f"/upgrades/{five[2]}")).json()["createdAt"]
    assert (await listed(api, since=third))[0] == five[:1:-1]


async def test_list_shows_no_execution_of_another_tenant(api: httpx.AsyncClient, five: list[str]) -> None:
    assert (await api.get("/tenants/other/upgrades")).json() == {"items": [], "nextCursor": None}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("limit", "0"),
        ("limit", "201"),
        ("limit", "many"),
        ("status", "DONE"),
        ("strategy", "rolling"),
        ("since", "yesterday"),
        ("since", "2026-01-31T12:00:00"),
        ("cursor", "nonsense"),
        ("cursor", "WyIyMDI2LTAxLTAxIiwiYSJd"),
        ("cursor", "W10"),
        ("stauts", "PENDING"),
    ],
)
async def test_list_refuses_a_bad_parameter(api: httpx.AsyncClient, name: str, value: str) -> None:
    response = await api.get(UPGRADES, params={name: value})
    assert (response.status_code, response.json()["code"]) == (422, "VALIDATION_FAILED")
    assert [each["field"] for each in response.json()["errors"]] == [name]
