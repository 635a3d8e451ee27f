"""A browser adds Airflow's cookie by itself: a write that comes with it must come from a page of this server."""

from collections.abc import AsyncIterator

import httpx
import pytest
from fastapi import FastAPI, Request

from tests.integration.web.apps import SharedApp, client_of
from tests.integration.web.authentication import Authentication, Known
from tests.integration.world import TENANT, World
from upgrade_orchestrator.domain.errors import Unauthenticated
from upgrade_orchestrator.domain.operations.permissions import Permission

HOST = "http://upgrades.test"
HERE = {"Sec-Fetch-Site": "same-origin", "Content-Type": "application/json"}
JSON = {"Content-Type": "application/json"}


@pytest.fixture
def app(shared_app: SharedApp, world: World, authentication: Authentication) -> FastAPI:
    async def authenticate(request: Request) -> Known:
        """As Airflow does: the header wins, then the cookie."""
        if "authorization" in request.headers:
            return await authentication.authenticate(request)
        found = authentication.known.get(request.cookies.get("_token", ""))
        if found is None:
            raise Unauthenticated("Not authenticated")
        return found

    return shared_app.stand_on(world, authenticate)


@pytest.fixture
async def browser(app: FastAPI, api: httpx.AsyncClient) -> AsyncIterator[httpx.AsyncClient]:
    """A browser in which alice has signed in to Airflow."""
    async with client_of(app, {"Cookie": "_token=token-of-alice"}) as client:
        yield client


@pytest.fixture
async def created(api: httpx.AsyncClient, world: World) -> str:
    identifier: str = (await api.post(f"/tenants/{TENANT}/upgrades", json=world.request())).json()["id"]
    return identifier


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Sec-Fetch-Site": "none"},
        {"Sec-Fetch-Site": "cross-site", "Origin": HOST},
        {"Origin": "http://evil.test"},
        {"Origin": "null"},
        {"Origin": "http://upgrades.test.evil.test"},
        {"Origin": "http://upgrades.test:8080"},
        {"Authorization": "Basic YWxpY2U6eA==", "Sec-Fetch-Site": "cross-site"},
        {},
    ],
    ids=str,
)
async def test_write_by_cookie_from_another_origin_is_403_and_changes_nothing(
    browser: httpx.AsyncClient, world: World, created: str, headers: dict[str, str], authentication: Authentication
) -> None:
    authentication.known["Basic YWxpY2U6eA=="] = authentication.known["token-of-alice"]
    before = world.rows("command", "event", "execution")
    for path in (f"/upgrades/{created}/start", f"/upgrades/{created}/cancel", f"/tenants/{TENANT}/upgrades"):
        response = await browser.post(path, headers=JSON | headers, json={})
        assert (response.status_code, response.json()["code"]) == (403, "FORBIDDEN"), path
    assert world.rows("command", "event", "execution") == before


@pytest.mark.parametrize(
    "headers",
    [{"Sec-Fetch-Site": "same-origin"}, {"Origin": HOST}, {"Origin": "HTTP://UPGRADES.test"}],
    ids=str,
)
async def test_write_by_cookie_from_our_own_page_is_carried_out_and_audited_as_from_the_ui(
    browser: httpx.AsyncClient, world: World, created: str, headers: dict[str, str]
) -> None:
    response = await browser.post(f"/upgrades/{created}/start", headers=JSON | headers)
    assert (response.status_code, response.json()["status"]) == (202, "VALIDATING")
    with world.connect() as connection:
        assert connection.execute("SELECT actor, source FROM command").fetchall() == [("alice", "UI")]


@pytest.mark.parametrize(
    "media_type", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"]
)
async def test_write_by_cookie_that_is_not_json_is_415(
    browser: httpx.AsyncClient, world: World, created: str, media_type: str
) -> None:
    headers = {"Sec-Fetch-Site": "same-origin", "Content-Type": media_type}
    assert (await browser.post(f"/upgrades/{created}/start", headers=headers)).status_code == 415
    assert (await browser.post(f"/upgrades/{created}/start", headers={"Origin": HOST})).status_code == 415
    assert world.rows("command") == 0


async def test_write_by_bearer_token_needs_no_origin_and_is_audited_as_from_the_api(
    api: httpx.AsyncClient, world: World, created: str
) -> None:
    response = await api.post(f"/upgrades/{created}/start", headers={"Sec-Fetch-Site": "cross-site"})
    assert response.status_code == 202
    with world.connect() as connection:
        assert connection.execute("SELECT source FROM command").fetchall() == [("API",)]


async def test_read_by_cookie_needs_no_origin(browser: httpx.AsyncClient, created: str) -> None:
    assert (await browser.get(f"/upgrades/{created}", headers={"Sec-Fetch-Site": "cross-site"})).status_code == 200


async def test_write_without_any_identity_is_401_not_403(app: FastAPI, created: str) -> None:
    async with client_of(app) as without_user:
        assert (await without_user.post(f"/upgrades/{created}/start", headers=HERE)).status_code == 401


async def test_write_by_cookie_without_the_permission_is_403(
    browser: httpx.AsyncClient, authentication: Authentication, created: str
) -> None:
    authentication.admit("alice", {Permission.READ})
    response = await browser.post(f"/upgrades/{created}/start", headers=HERE)
    assert (response.status_code, response.json()["code"]) == (403, "FORBIDDEN")
