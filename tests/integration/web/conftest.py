"""What the tests of the app share: it is made once, with one database and one fleet; a test has its own world in them.

app, api       the real app in front of the world, and its client
live           the same on a real server
"""

from collections.abc import AsyncIterator, Iterator

import httpx
import pytest
from fastapi import FastAPI

from local.postgres.server import Postgres
from tests.integration.fleet.running_agent import RunningAgent
from tests.integration.web.apps import SharedApp, client_of
from tests.integration.web.authentication import Authentication
from tests.integration.web.live import serving
from tests.integration.web.shared_world import SharedDatabaseAndFleet, shared_database_and_fleet
from tests.integration.world import World
from upgrade_orchestrator.bootstrap import close_ports
from upgrade_orchestrator.domain.operations.permissions import Permission


@pytest.fixture(scope="session")
def shared(
    postgres_server: Postgres,
    migrated_template: str,
    demo_agent: RunningAgent,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[SharedDatabaseAndFleet]:
    with shared_database_and_fleet(
        postgres_server, migrated_template, demo_agent, tmp_path_factory.mktemp("shared")
    ) as shared:
        yield shared


@pytest.fixture
def postgres_url(shared: SharedDatabaseAndFleet) -> str:
    """The world's database."""
    return shared.url


@pytest.fixture
def empty_database(shared: SharedDatabaseAndFleet) -> str:
    """The same database with nothing in it."""
    shared.contents.clear()
    return shared.url


@pytest.fixture
async def world(shared: SharedDatabaseAndFleet, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[World]:
    """The same world as in other folders, on the database and fleet that the tests of this folder share."""
    made = shared.new_world(monkeypatch)
    yield made
    made.close()
    await close_ports()


@pytest.fixture
def authentication() -> Authentication:
    return Authentication()


@pytest.fixture(scope="session")
def shared_app() -> SharedApp:
    return SharedApp()


@pytest.fixture
def app(shared_app: SharedApp, world: World, authentication: Authentication) -> FastAPI:
    """In front of the world; only who calls is chosen by the test."""
    return shared_app.stand_on(world, authentication.authenticate)


@pytest.fixture
async def api(app: FastAPI, authentication: Authentication) -> AsyncIterator[httpx.AsyncClient]:
    """A client of a user who may do everything; `headers=` selects another user."""
    async with client_of(app, authentication.admit("alice", Permission)) as client:
        yield client


@pytest.fixture
async def live(app: FastAPI, authentication: Authentication) -> AsyncIterator[httpx.AsyncClient]:
    """The same on a real server, where streamed events arrive at once."""
    headers = authentication.admit("alice", Permission)
    async with (
        serving(app) as url,
        httpx.AsyncClient(base_url=url, headers=headers, trust_env=False, timeout=20) as client,
    ):
        yield client
