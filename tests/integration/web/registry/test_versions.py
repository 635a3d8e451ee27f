"""The versions of a component over HTTP, their status, and which one is recommended."""

import asyncio
from datetime import date
from typing import Any

import httpx
import pytest

from tests.integration.web.live import until
from tests.integration.world import COMPONENT, NEW, World
from upgrade_orchestrator.domain.registry.entries import ComponentVersion


async def test_version_is_created_and_its_status_is_changed(api: httpx.AsyncClient) -> None:
    body = {"id": "v4", "version": "4.0.0", "status": "DRAFT", "dependencies": {"zk": ">=3.8"}, "lts": True}
    made = await api.post(f"/components/{COMPONENT}/versions", json=body | {"releaseDate": "2026-01-31"})
    assert made.status_code == 201
    assert {name: made.json()[name] for name in body} == body
    changed = await api.put("/versions/v4/status", json={"status": "STABLE"})
    assert (changed.status_code, changed.json()) == (
        200,
        made.json() | {"status": "STABLE", "effectiveStatus": "STABLE"},
    )


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"version": "3.6.0 "}, "version"),
        ({"minPlatformVersion": "x"}, "minPlatformVersion"),
        ({"dependencies": {"zk": "about 3"}}, "dependencies.zk"),
        ({"releaseDate": "2026-02-31"}, "releaseDate"),
        ({"status": "stable"}, "status"),
    ],
)
async def test_version_is_422_when_a_field_does_not_parse(
    api: httpx.AsyncClient, world: World, changed: dict[str, Any], field: str
) -> None:
    response = await api.post(f"/components/{COMPONENT}/versions", json={"version": "9.0"} | changed)
    assert response.status_code == 422
    assert [each["field"] for each in response.json()["errors"]] == [field]
    assert world.rows("component_version") == 2


BAD_VERSIONS: list[tuple[dict[str, Any], str]] = [
    ({"version": ""}, "version"),
    ({"version": "3" * 129}, "version"),
    ({"version": 3.6}, "version"),
    ({"minPlatformVersion": "3.10", "maxPlatformVersion": "3.9"}, "maxPlatformVersion"),
    ({"releaseDate": "2026-02-01", "endOfLifeDate": "2026-01-31"}, "endOfLifeDate"),
    ({"releaseDate": "2026-01-31T00:00:00Z"}, "releaseDate"),
    ({"dependencies": {"": "1"}}, "dependencies."),
    ({"dependencies": {"zk": 3}}, "dependencies.zk"),
    ({"dependencies": {"zk": ">=3,"}}, "dependencies.zk"),
    ({"recommended": 1}, "recommended"),
    ({"lts": None}, "lts"),
    ({"componentId": COMPONENT}, "componentId"),
    ({"id": "a/b"}, "id"),
]


@pytest.mark.parametrize(("changed", "field"), BAD_VERSIONS)
async def test_version_is_422_when_a_value_makes_no_sense(
    api: httpx.AsyncClient, world: World, changed: dict[str, Any], field: str
) -> None:
    response = await api.post(f"/components/{COMPONENT}/versions", json={"version": "9.0"} | changed)
    assert response.status_code == 422, response.text
    assert [each["field"] for each in response.json()["errors"]] == [field]
    assert world.rows("component_version") == 2


# fault 40
@pytest.mark.parametrize(
    "text",
    [
        "8.15.0-SNAPSHOT",
        "1.1.1w",
        "1:2.3~rc1-4",
        "9.2.0-9.el9",
        "16.8.7-ee.0",
        "RELEASE.2024-10-13T13-34-11Z",
        "19c",
        "9" * 128,
    ],
)
async def test_any_text_is_registered_as_a_version(api: httpx.AsyncClient, text: str) -> None:
    made = await api.post(f"/components/{COMPONENT}/versions", json={"id": "v4", "version": text})
    assert (made.status_code, made.json().get("version"), made.json().get("warnings")) == (201, text, [])
    path = {"componentId": COMPONENT, "fromVersionId": NEW, "toVersionId": "v4"}
    assert (await api.post("/upgrade-paths", json=path)).status_code == 201


async def test_refused_version_is_quoted_with_what_to_write(api: httpx.AsyncClient) -> None:
    response = await api.post(f"/components/{COMPONENT}/versions", json={"version": " 3.6.0"})
    (error,) = response.json()["errors"]
    assert error == {"field": "version", "message": "' 3.6.0' begins or ends with a blank: write '3.6.0'"}


# fault 43
async def test_bare_version_as_a_range_is_warned_of(api: httpx.AsyncClient) -> None:
    body = {"id": "v4", "version": "4.0.0", "dependencies": {"java": "17", "postgresql": "^15 || ^16"}}
    made = await api.post(f"/components/{COMPONENT}/versions", json=body)
    said = "dependencies.java: 17 means exactly 17: write ==17 if that is meant, or >=17 or ^17"
    assert (made.status_code, made.json()["warnings"]) == (201, [said])


async def test_version_past_its_end_of_life_is_shown_as_eol(api: httpx.AsyncClient) -> None:
    for name, ends in (("past", "2020-01-01"), ("future", "2999-01-01")):
        body = {"id": name, "version": f"9.{len(name)}", "endOfLifeDate": ends}
        assert (await api.post(f"/components/{COMPONENT}/versions", json=body)).status_code == 201
    found = (await api.get(f"/components/{COMPONENT}/versions")).json()["items"]
    statuses = {each["id"]: (each["status"], each["effectiveStatus"]) for each in found}
    assert (statuses["past"], statuses["future"]) == (("STABLE", "EOL"), ("STABLE", "STABLE"))


async def test_recommended_version_replaces_the_previous_one(api: httpx.AsyncClient) -> None:
    for name in ("one", "two"):
        body = {"id": name, "version": f"9.{len(name) + (name == 'two')}", "recommended": True}
        assert (await api.post(f"/components/{COMPONENT}/versions", json=body)).status_code == 201
    found = (await api.get(f"/components/{COMPONENT}/versions")).json()["items"]
    assert [each["id"] for each in found if each["recommended"]] == ["two"]


async def test_last_of_concurrently_recommended_versions_is_the_only_one(api: httpx.AsyncClient, world: World) -> None:
    one = ComponentVersion(id="one", component_id=COMPONENT, version="9.1", recommended=True)
    async with world.ports.work() as work:
        await work.registry.lock()
        await work.registry.add(one)
        body = {"id": "two", "version": "9.2", "recommended": True}
        adding = asyncio.create_task(api.post(f"/components/{COMPONENT}/versions", json=body))
        await until(lambda: _waits_for_a_lock(world))
        await work.commit()
    assert (await asyncio.wait_for(adding, 10)).status_code == 201
    found = (await api.get(f"/components/{COMPONENT}/versions")).json()["items"]
    assert [each["id"] for each in found if each["recommended"]] == ["two"]


def _waits_for_a_lock(world: World) -> bool:
    query = "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
    return world.connection.execute(query).fetchone() is not None


@pytest.mark.parametrize("status", ["DRAFT", "STABLE", "DEPRECATED", "EOL"])
async def test_version_status_may_be_changed_to_any_other_and_back(api: httpx.AsyncClient, status: str) -> None:
    assert (await api.put(f"/versions/{NEW}/status", json={"status": status})).json()["status"] == status
    assert (await api.put(f"/versions/{NEW}/status", json={"status": "STABLE"})).json()["status"] == "STABLE"


async def test_version_status_is_set_with_its_dates_and_keeps_omitted_ones(api: httpx.AsyncClient) -> None:
    values = {"status": "DEPRECATED", "releaseDate": "2026-01-31", "endOfLifeDate": "2999-01-31"}
    changed = (await api.put(f"/versions/{NEW}/status", json=values)).json()
    assert {name: changed[name] for name in values} == values
    kept = (await api.put(f"/versions/{NEW}/status", json={"status": "STABLE"})).json()
    assert (kept["releaseDate"], kept["endOfLifeDate"]) == ("2026-01-31", "2999-01-31")
    gone = (await api.put(f"/versions/{NEW}/status", json={"status": "STABLE", "endOfLifeDate": None})).json()
    assert (gone["releaseDate"], gone["endOfLifeDate"]) == ("2026-01-31", None)


async def test_version_that_becomes_stable_gets_todays_release_date_unless_it_has_one(
    api: httpx.AsyncClient, world: World
) -> None:
    with world.connect() as connection:
        row = connection.execute("SELECT clock_timestamp()::date").fetchone()
    assert row is not None
    draft = (await api.put(f"/versions/{NEW}/status", json={"status": "DRAFT"})).json()
    stable = (await api.put(f"/versions/{NEW}/status", json={"status": "STABLE"})).json()
    assert draft["releaseDate"] is None
    assert (date.fromisoformat(stable["releaseDate"]) - row[0]).days in (0, 1)
    none = (await api.put(f"/versions/{NEW}/status", json={"status": "STABLE", "releaseDate": None})).json()
    assert none["releaseDate"] is None


async def test_version_status_is_422_when_its_dates_contradict_it(api: httpx.AsyncClient) -> None:
    eol = {"status": "EOL", "releaseDate": "2019-01-01", "endOfLifeDate": "2020-01-01"}
    assert (await api.put(f"/versions/{NEW}/status", json=eol)).status_code == 200
    for body in (
        {"status": "STABLE"},
        {"status": "DRAFT", "endOfLifeDate": "2021-01-01"},
        {"status": "EOL", "endOfLifeDate": "2018-12-31"},
    ):
        response = await api.put(f"/versions/{NEW}/status", json=body)
        assert response.status_code == 422, body
        assert [each["field"] for each in response.json()["errors"]] == ["endOfLifeDate"]
    back = await api.put(f"/versions/{NEW}/status", json={"status": "STABLE", "endOfLifeDate": None})
    assert (back.status_code, back.json()["effectiveStatus"]) == (200, "STABLE")


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "status"),
        ({"status": None}, "status"),
        ({"status": "stable"}, "status"),
        ({"status": "EOL", "endOfLifeDate": "soon"}, "endOfLifeDate"),
        ({"status": "EOL", "reason": "x"}, "reason"),
    ],
)
async def test_version_status_is_422_when_a_field_is_wrong(
    api: httpx.AsyncClient, body: dict[str, Any], field: str
) -> None:
    response = await api.put(f"/versions/{NEW}/status", json=body)
    assert (response.status_code, [each["field"] for each in response.json()["errors"]]) == (422, [field])


async def test_version_is_409_when_the_component_has_it_already(api: httpx.AsyncClient) -> None:
    response = await api.post(f"/components/{COMPONENT}/versions", json={"version": "3.7.0"})
    assert (response.status_code, response.json()["code"]) == (409, "ALREADY_EXISTS")
