"""The responses to invalid calls and to errors of the server."""

from collections.abc import AsyncIterator
from typing import NoReturn

import httpx
import pytest
from fastapi import FastAPI, Request

from local.ports import HOST, free_port
from tests.integration.web.apps import SharedApp
from tests.integration.world import TENANT, World
from upgrade_orchestrator.bootstrap import ports_for
from upgrade_orchestrator.settings import Settings
from upgrade_orchestrator.web.app import URL_PREFIX

UPGRADES = f"/tenants/{TENANT}/upgrades"
JSON = {"Content-Type": "application/json"}
SECRET = "password=hunter2"


async def chunks(size: int) -> AsyncIterator[bytes]:
    """A body without a Content-Length."""
    for _ in range(size // 65536):
        yield b" " * 65536


@pytest.mark.parametrize("chunked", [False, True], ids=["with length", "chunked"])
async def test_body_over_one_mebibyte_is_413(api: httpx.AsyncClient, world: World, chunked: bool) -> None:
    content = chunks(2 << 20) if chunked else b" " * (2 << 20)
    response = await api.post(UPGRADES, content=content, headers=JSON)
    assert (response.status_code, response.json()["code"]) == (413, "PAYLOAD_TOO_LARGE")
    assert world.rows("execution") == 0


async def test_body_of_one_mebibyte_is_accepted(api: httpx.AsyncClient) -> None:
    content = b'{"name": "x"}'.ljust(1 << 20)
    assert (await api.post("/components", content=content, headers=JSON)).status_code == 201


@pytest.mark.parametrize("content", [b"", b"{", b"\xff", b"[" * 100_000, b'{"a": "\\ud800"}'])
async def test_body_that_is_not_json_is_400(api: httpx.AsyncClient, content: bytes) -> None:
    response = await api.post(UPGRADES, content=content, headers=JSON)
    assert (response.status_code, response.json()["code"]) == (400, "MALFORMED")


@pytest.mark.parametrize(
    ("content", "field"),
    [(b'{"name": "a", "name": "b"}', "name"), (b'{"name": NaN}', "name"), (b"[]", "body"), (b"null", "body")],
)
async def test_body_of_the_wrong_shape_is_422(api: httpx.AsyncClient, world: World, content: bytes, field: str) -> None:
    response = await api.post("/components", content=content, headers=JSON)
    assert response.status_code == 422
    assert [each["field"] for each in response.json()["errors"]] == [field]
    assert world.rows("component") == 1


@pytest.mark.parametrize("media_type", ["application/x-www-form-urlencoded", "text/plain", ""])
async def test_other_media_type_is_415(api: httpx.AsyncClient, media_type: str) -> None:
    response = await api.post("/components", content=b'{"name": "x"}', headers={"Content-Type": media_type})
    assert (response.status_code, response.json()["code"]) == (415, "UNSUPPORTED_MEDIA_TYPE")


async def test_unknown_path_is_a_problem(api: httpx.AsyncClient) -> None:
    response = await api.get("/nowhere")
    assert (response.status_code, response.headers["content-type"]) == (404, "application/problem+json")
    assert response.json()["instance"] == f"{URL_PREFIX}/nowhere"


async def test_wrong_method_is_405_naming_the_allowed_methods(api: httpx.AsyncClient) -> None:
    response = await api.delete("/components")
    assert (response.status_code, response.headers["Allow"]) == (405, "GET, POST")
    assert response.json()["code"] == "METHOD_NOT_ALLOWED"


async def test_valid_request_id_is_kept(api: httpx.AsyncClient) -> None:
    response = await api.get("/components", headers={"X-Request-ID": "ci-4711"})
    assert response.headers["X-Request-ID"] == "ci-4711"


@pytest.mark.parametrize("given", ["", "a b", "x" * 129, "<script>"])
async def test_invalid_request_id_is_replaced(api: httpx.AsyncClient, given: str) -> None:
    response = await api.get("/nowhere", headers={"X-Request-ID": given})
    assert len(response.headers["X-Request-ID"]) == 36


@pytest.fixture
def broken_database(shared_app: SharedApp, app: FastAPI) -> None:
    """A database address at which no server listens."""
    shared_app.ports = ports_for(f"postgresql+psycopg://u:{SECRET}@{HOST}:{free_port()}/x", Settings())


@pytest.mark.usefixtures("broken_database")
async def test_health_is_503_naming_the_database_when_it_is_unreachable(api: httpx.AsyncClient) -> None:
    response = await api.get("/health")
    assert (response.status_code, response.json()["parts"]) == (503, {"database": "unavailable"})


@pytest.mark.usefixtures("broken_database")
async def test_call_is_503_with_retry_after_when_the_database_is_unreachable(api: httpx.AsyncClient) -> None:
    response = await api.get("/components")
    assert (response.status_code, response.json()["code"]) == (503, "SERVICE_UNAVAILABLE")
    assert int(response.headers["Retry-After"]) > 0
    assert SECRET not in response.text


async def test_unexpected_error_is_500_without_its_text_and_is_logged(
    api: httpx.AsyncClient, shared_app: SharedApp, caplog: pytest.LogCaptureFixture
) -> None:
    async def fall_over(request: Request) -> NoReturn:
        raise RuntimeError(SECRET)

    shared_app.authenticate = fall_over
    response = await api.get("/components", headers={"X-Request-ID": "find-me"})
    assert (response.status_code, response.json()["code"]) == (500, "INTERNAL_ERROR")
    assert response.headers["content-type"] == "application/problem+json"
    assert response.headers["X-Request-ID"] == "find-me"
    assert SECRET not in response.text
    assert "find-me" in caplog.text
