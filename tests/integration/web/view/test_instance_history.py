"""The history of one instance on the real store: the call and the page, for ids of any letters."""

from typing import Any
from urllib.parse import quote

import httpx
import pytest

from tests.browser.markup import read_html
from tests.integration.web.statuses import standing
from tests.integration.world import World
from tests.unit.domain.builders import NOW, make_instance
from upgrade_orchestrator.domain.events.factory import instance_changed
from upgrade_orchestrator.domain.instance.instance import Instance, InstanceStatus, move
from upgrade_orchestrator.domain.instance.note import Note, NoteKind

I = InstanceStatus  # noqa: E741
ODD = "rack/2 brøker?#%2f&a=1"
HOSTILE = "<img src=x onerror=alert(1)>"
DRAIN = Note(NoteKind.ORDER, "drain", "202", 12, 8, 1, 2.0)
BUSY = Note(NoteKind.ORDER, "version 3.7.0", "FLEET_BUSY: no slot", 12, 3, 4, 1.0)


@pytest.fixture
async def created(api: httpx.AsyncClient, world: World) -> str:
    return (await standing(api, world, "ROLLING")).id


async def happened(world: World, execution_id: str, *changes: tuple[Instance, Instance, tuple[Note, ...]]) -> None:
    """Append the events of these changes."""
    async with world.ports.work() as work:
        execution = await work.executions.lock(execution_id)
        await work.events.append(execution, [instance_changed(*each) for each in changes])
        await work.commit()


async def upgraded(world: World, execution_id: str, name: str, error: str = "line 1\n\tline 2") -> None:
    """The instance was drained and upgraded, and failed."""
    draining = make_instance(name, I.DRAINING, attempts=1)
    upgrading = move(draining, I.UPGRADING, NOW)
    changes = (draining, upgrading, (DRAIN,)), (upgrading, move(upgrading, I.FAILED, NOW, error), (BUSY,))
    await happened(world, execution_id, *changes)


async def history(api: httpx.AsyncClient, execution_id: str, name: str, **params: Any) -> httpx.Response:
    return await api.get(f"/upgrades/{execution_id}/instances/{quote(name, safe='')}/history", params=params)


@pytest.mark.parametrize("name", ["kafka-1", ODD, "history", "a/history", "ø" * 255])
async def test_history_of_an_instance_is_found_under_its_encoded_id(
    api: httpx.AsyncClient, world: World, created: str, name: str
) -> None:
    await upgraded(world, created, name)
    await upgraded(world, created, "another")
    response = await history(api, created, name)
    assert response.status_code == 200, response.text
    found = response.json()["items"]
    assert [(each["kind"], each["what"], each["detail"], each["token"]) for each in found] == [
        ("ORDER", "drain", "202 in 8 ms", 12),
        ("STATE", "DRAINING → UPGRADING", None, None),
        ("ORDER", "version 3.7.0", "FLEET_BUSY: no slot in 3 ms (4 times)", 12),
        ("STATE", "UPGRADING → FAILED", "line 1\n\tline 2", None),
    ]
    assert set(found[0]) == {"time", "kind", "what", "detail", "actor", "token"}
    assert all(each["time"].endswith("Z") for each in found)


async def test_history_is_paged_by_entries(api: httpx.AsyncClient, world: World, created: str) -> None:
    await upgraded(world, created, "kafka-1")
    whole = (await history(api, created, "kafka-1")).json()
    found, params = list[Any](), dict[str, Any](limit=1)
    for _ in range(4):
        page = (await history(api, created, "kafka-1", **params)).json()
        found += page["items"]
        params = {"limit": 1, "cursor": page["nextCursor"]}
    assert found == whole["items"]
    assert params["cursor"] is None


@pytest.mark.parametrize("name", ["another", "kafka-1/x", "\x00", "a\x07b", "x" * 256])
async def test_history_of_an_instance_that_is_not_in_the_plan_is_404(
    api: httpx.AsyncClient, world: World, created: str, name: str
) -> None:
    await upgraded(world, created, "kafka-1")
    response = await history(api, created, name)
    assert (response.status_code, response.json()["code"]) == (404, "NOT_FOUND")


async def test_cursor_of_another_list_is_refused(api: httpx.AsyncClient, world: World, created: str) -> None:
    await upgraded(world, created, "kafka-1")
    cursor = (await api.get(f"/upgrades/{created}/events", params={"limit": 1})).json()["nextCursor"]
    response = await history(api, created, "kafka-1", cursor=cursor)
    assert (response.status_code, response.json()["errors"][0]["field"]) == (422, "cursor")


@pytest.mark.parametrize("name", ["kafka-1", ODD, HOSTILE])
async def test_page_of_the_history_shows_the_newest_first_and_lines_as_they_are(
    api: httpx.AsyncClient, world: World, created: str, name: str
) -> None:
    await upgraded(world, created, name, f"{HOSTILE}\n\tline 2")
    response = await api.get(f"/view/upgrades/{created}/history", params={"instance": name})
    assert response.status_code == 200, response.text
    page = read_html(response.text)
    assert page.one("h1").text == name
    what = [each.one("b").text for each in page.all("#history-list tbody tr")]
    assert what == ["State", "Order", "State", "Order"]
    assert f"{HOSTILE}\n\tline 2".replace("<", "&lt;").replace(">", "&gt;") in response.text
    assert not page.has("img[src=x]")


async def test_link_of_every_tile_leads_to_the_history(api: httpx.AsyncClient, created: str) -> None:
    page = read_html((await api.get(f"/view/upgrades/{created}")).text)
    links = [each["href"] for each in page.all("a[data-history]")]
    assert len(links) == len(page.all(".tile")) > 0
    response = await api.get(f"/view/upgrades/{links[0]}")
    assert response.status_code == 200, links[0]


async def test_page_of_the_history_of_an_unknown_instance_is_404(api: httpx.AsyncClient, created: str) -> None:
    response = await api.get(f"/view/upgrades/{created}/history", params={"instance": "none"})
    assert response.status_code == 404
