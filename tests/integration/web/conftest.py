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
from tests.integration.web.door import Door
from tests.integration.web.ground import Ground, laid_ground
from tests.integration.web.live import serving
from tests.integration.world import World
from upgrade_orchestrator.bootstrap import close_ports
from upgrade_orchestrator.domain.operations.permissions import Permission


@pytest.fixture(scope="session")
def ground(
    postgres_server: Postgres,
    migrated_template: str,
    demo_agent: RunningAgent,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Ground]:
    with laid_ground(postgres_server, migrated_template, demo_agent, tmp_path_factory.mktemp("ground")) as laid:
        yield laid


@pytest.fixture
def postgres_url(ground: Ground) -> str:
    """The world's database."""
    return ground.url


@pytest.fixture
def empty_database(ground: Ground) -> str:
    """The same database with nothing in it."""
    ground.contents.clear()
    return ground.url


@pytest.fixture
async def world(ground: Ground, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[World]:
    """The same world as elsewhere, on the ground that it shares with the other tests of this folder."""
    made = ground.new_world(monkeypatch)
    yield made
    made.close()
    await close_ports()


@pytest.fixture
def door() -> Door:
    return Door()


@pytest.fixture(scope="session")
def shared_app() -> SharedApp:
    return SharedApp()


@pytest.fixture
def app(shared_app: SharedApp, world: World, door: Door) -> FastAPI:
    """In front of the world; only who calls is chosen by the test."""
    return shared_app.stand_on(world, door.authenticate)


@pytest.fixture
async def api(app: FastAPI, door: Door) -> AsyncIterator[httpx.AsyncClient]:
    """A client of somebody who may do everything; `headers=` makes it somebody else."""
    async with client_of(app, door.admit("alice", Permission)) as client:
        yield client


@pytest.fixture
async def live(app: FastAPI, door: Door) -> AsyncIterator[httpx.AsyncClient]:
    """The same on a real server: what is streamed arrives while it is told."""
    headers = door.admit("alice", Permission)
    async with (
        serving(app) as url,
        httpx.AsyncClient(base_url=url, headers=headers, trust_env=False, timeout=20) as client,
    ):
        yield client
