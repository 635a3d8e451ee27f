"""The button that takes an ended upgrade back: offered, carried out by the API, or barred with the reason."""

import httpx

from tests.browser.markup import Element, read_html
from tests.integration.web.routes.test_revert import ended
from tests.integration.world import World

HTML = {"Accept": "text/html"}


async def read(api: httpx.AsyncClient, execution_id: str) -> Element:
    response = await api.get(f"/view/upgrades/{execution_id}", headers=HTML)
    assert response.status_code == 200, response.text
    return read_html(response.text)


async def test_revert_asks_for_a_reason_and_shows_what_goes_back(api: httpx.AsyncClient, world: World) -> None:
    old = await ended(api, world)
    page = await read(api, old)
    dialog = page.one("#dialog-revert")
    assert (dialog["data-command"], dialog["data-reason"]) == ("revert", "body")
    assert "required" in page.one("#reason-revert").attributes
    assert "4 of 4 instances go back from 3.7.0 to 3.5.9" in dialog.text
    made = await api.post(f"/upgrades/{old}/{dialog['data-command']}", json={"reason": "bad"})
    assert made.status_code == 201
    shown = await read(api, made.json()["id"])
    assert [each["href"] for each in shown.all("#origin a")] == [f"../upgrades/{old}"]


async def test_reverted_upgrade_names_its_revert_and_others_name_none(api: httpx.AsyncClient, world: World) -> None:
    old = await ended(api, world)
    assert not (await read(api, old)).has("#followers")
    made = (await api.post(f"/upgrades/{old}/revert", json={"reason": "bad"})).json()["id"]
    followers = (await read(api, old)).one("#followers")
    assert followers.text.split() == ["Reverted", "by", made, "Pending"]
    assert followers.one("a")["href"] == f"../upgrades/{made}"


async def test_barred_revert_says_why_and_leads_to_the_newer_upgrade(api: httpx.AsyncClient, world: World) -> None:
    old, newer = await ended(api, world), await ended(api, world)
    page = await read(api, old)
    barred = page.one("#barred-revert")
    assert "only the newest is reverted" in barred.text
    assert barred.one("a")["href"] == newer
    assert not page.has("#dialog-revert")
    assert (await read(api, newer)).has("#dialog-revert")


async def test_revert_of_an_upgrade_that_touched_nothing_is_barred(api: httpx.AsyncClient, world: World) -> None:
    old = await ended(api, world)
    with world.connect() as connection:
        connection.execute("UPDATE instance SET status = 'PENDING'")
    assert "Nothing was touched" in (await read(api, old)).one("#barred-revert").text


async def test_revert_is_barred_until_the_place_is_free(api: httpx.AsyncClient, world: World) -> None:
    old = await ended(api, world)
    with world.connect() as connection:
        connection.execute("UPDATE execution SET settled_at = NULL")
    assert "the place is free" in (await read(api, old)).one("#barred-revert").text
