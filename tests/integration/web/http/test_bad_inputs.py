"""Two hundred and more hand-picked bad inputs, by call: a clear 4xx that names the field, and nothing is stored."""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from psycopg import sql

from tests.integration.web.bad_inputs import (
    COMMANDS,
    FIELDS,
    GOOD,
    JSON,
    NO_NUMBERS_OF_JSON,
    NOT_THERE,
    PARAMETERS,
    TWICE,
    UPGRADES,
    WHOLE,
)
from tests.integration.world import World


@pytest.fixture
def untouched(world: World) -> Iterator[None]:
    """No row of any table is written, changed or deleted within."""
    before = _everything(world)
    yield
    assert _everything(world) == before


def _everything(world: World) -> dict[str, str]:
    named = "SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY 1"
    whole = "SELECT coalesce(md5(string_agg(t::text, '|' ORDER BY t::text)), '') FROM {} t"
    with world.connect() as connection:
        names = [row[0] for row in connection.execute(named).fetchall()]
        found = {name: connection.execute(sql.SQL(whole).format(sql.Identifier(name))).fetchone() for name in names}
    return {name: str(row) for name, row in found.items()}


def _is_problem(response: httpx.Response, status: int, why: object) -> dict[str, Any]:
    body: dict[str, Any] = response.json()
    assert (response.status_code, body.get("status")) == (status, status), f"{why!r}: {response.text[:500]}"
    assert response.headers["content-type"] == "application/problem+json"
    assert {"type", "title", "detail", "instance", "code"} <= set(body)
    assert not any(word in response.text for word in ("Traceback", "psycopg", "SELECT ", "pydantic"))
    return body


async def _send(api: httpx.AsyncClient, call: tuple[str, str], content: bytes) -> httpx.Response:
    return await api.request(*call, content=content, headers=JSON)


def _json(value: Any) -> bytes:
    """As httpx would, but for numbers too large for it."""
    return httpx.Request("POST", "http://x", json=value).content


@pytest.mark.usefixtures("untouched")
@pytest.mark.parametrize("call", FIELDS, ids=" ".join)
async def test_invalid_field_is_named(api: httpx.AsyncClient, call: tuple[str, str]) -> None:
    for field, values in FIELDS[call].items():
        for value in values:
            response = await _send(api, call, _json(GOOD[call] | {field: value}))
            body = _is_problem(response, 422, (field, value))
            assert body["code"] == "VALIDATION_FAILED"
            assert {each["field"].split(".")[0] for each in body["errors"]} == {field}, (value, body["errors"])


@pytest.mark.usefixtures("untouched")
@pytest.mark.parametrize("call", GOOD, ids=" ".join)
async def test_body_that_is_not_a_json_object_is_refused(api: httpx.AsyncClient, call: tuple[str, str]) -> None:
    for what, content, status in WHOLE:
        _is_problem(await _send(api, call, content), status, what)


@pytest.mark.usefixtures("untouched")
@pytest.mark.parametrize("call", GOOD, ids=" ".join)
async def test_body_without_required_fields_is_refused_naming_all_of_them(
    api: httpx.AsyncClient, call: tuple[str, str]
) -> None:
    if not GOOD[call]:
        return
    body = _is_problem(await _send(api, call, b"{}"), 422, "nothing given")
    assert {each["field"] for each in body["errors"]} == set(GOOD[call])
    assert {each["message"] for each in body["errors"]} == {"is required"}


@pytest.mark.usefixtures("untouched")
async def test_number_that_json_does_not_define_is_refused(api: httpx.AsyncClient) -> None:
    for number in NO_NUMBERS_OF_JSON:
        content = _json(GOOD["POST", UPGRADES])[:-1] + b', "batchSize": ' + number + b"}"
        response = await _send(api, ("POST", UPGRADES), content)
        body = _is_problem(response, response.status_code, number)
        assert response.status_code == 400 or [each["field"] for each in body["errors"]] == ["batchSize"]


@pytest.mark.usefixtures("untouched")
async def test_duplicate_key_is_named(api: httpx.AsyncClient) -> None:
    for content in TWICE:
        body = _is_problem(await _send(api, ("POST", "/components"), content), 422, content)
        assert "name" in {each["field"] for each in body["errors"]}


@pytest.mark.usefixtures("untouched")
async def test_invalid_parameter_is_named(api: httpx.AsyncClient) -> None:
    for path, name, value in PARAMETERS:
        body = _is_problem(await api.get(path, params={name: value}), 422, (path, name, value))
        assert name in {each["field"] for each in body["errors"]}


@pytest.mark.usefixtures("untouched")
async def test_path_with_an_invalid_id_is_404(api: httpx.AsyncClient) -> None:
    for path in NOT_THERE:
        _is_problem(await api.get(path), 404, path)


async def test_command_with_a_query_is_refused_and_not_carried_out(api: httpx.AsyncClient, world: World) -> None:
    created = (await api.post(UPGRADES, json=world.request())).json()["id"]
    before = _everything(world)
    for command, query, field in COMMANDS:
        body = _is_problem(await api.post(f"/upgrades/{created}/{command}", params=query), 422, (command, query))
        assert [each["field"] for each in body["errors"]] == [field]
    assert _everything(world) == before


@pytest.mark.usefixtures("untouched")
@pytest.mark.parametrize("call", GOOD, ids=" ".join)
async def test_other_media_types_are_refused(api: httpx.AsyncClient, call: tuple[str, str]) -> None:
    for media_type in ("text/plain", "application/xml", "application/json2", "multipart/form-data; boundary=x", "x"):
        response = await api.request(*call, content=_json(GOOD[call]), headers={"Content-Type": media_type})
        assert _is_problem(response, 415, media_type)["code"] == "UNSUPPORTED_MEDIA_TYPE"


def test_bad_inputs_are_more_than_four_hundred() -> None:
    fields = sum(len(values) for each in FIELDS.values() for values in each.values())
    others = len(WHOLE) * len(GOOD) + len(TWICE) + len(NO_NUMBERS_OF_JSON) + len(PARAMETERS) + len(NOT_THERE)
    assert fields > 200
    assert fields + others + len(COMMANDS) > 400
