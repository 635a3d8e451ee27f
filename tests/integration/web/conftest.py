"""The real app, mounted where the plugin mounts it, in front of the world; only who calls is chosen by the test."""

from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import nullcontext
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI, Request
from playwright.sync_api import Browser, StorageState

from include.upgrades.domain.errors import Unauthenticated
from include.upgrades.domain.permissions import RESOURCE, Permission
from include.upgrades.service.ports import Ports
from include.upgrades.web.app import URL_PREFIX, create_app
from local.postgres import Postgres
from tests.browsing import Visits, browser, logged_in, pytest_runtest_makereport, visiting
from tests.integration.fleet.running_agent import RunningAgent
from tests.integration.web.auth_managers import PASSWORD
from tests.integration.web.live import serving
from tests.integration.web.running_airflow import RunningAirflow
from tests.integration.world import World

__all__ = ["browser", "logged_in", "pytest_runtest_makereport"]


@dataclass
class Door:
    """Stands where Airflow's auth manager stands: the tokens it knows, and what each may."""

    known: dict[str, "Known"] = field(default_factory=dict)

    def admit(self, name: str, permissions: Iterable[Permission]) -> dict[str, str]:
        """The header of a user with these permissions in every tenant."""
        return self.admit_to(name, {(each.value, RESOURCE) for each in permissions})

    def admit_to(self, name: str, granted: Iterable[tuple[str, str]]) -> dict[str, str]:
        """The header of a user with these permissions on resources, as FAB has them."""
        self.known[f"token-of-{name}"] = Known(name, frozenset(granted))
        return {"Authorization": f"Bearer token-of-{name}"}

    async def authenticate(self, request: Request) -> "Known":
        token = request.headers.get("authorization", "").removeprefix("Bearer ")
        if token not in self.known:
            raise Unauthenticated("Not authenticated")
        return self.known[token]


@dataclass(frozen=True)
class Known:
    name: str
    granted: frozenset[tuple[str, str]]

    def may(self, permission: Permission, resource: str = RESOURCE) -> bool:
        return (permission.value, resource) in self.granted


@pytest.fixture
def door() -> Door:
    return Door()


def served(app: FastAPI) -> httpx.ASGITransport:
    """The app below its prefix, as in the API server."""
    server = FastAPI()
    server.mount(URL_PREFIX, app)
    return httpx.ASGITransport(server)


@pytest.fixture
def app(world: World, door: Door) -> FastAPI:
    async def open_ports() -> Ports:
        return world.ports

    async def leave_open() -> None:
        """The world closes them."""

    return create_app(open_ports, door.authenticate, leave_open, beside=nullcontext)


@pytest.fixture
async def api(app: FastAPI, door: Door) -> AsyncIterator[httpx.AsyncClient]:
    """A client of somebody who may do everything; `headers=` makes it somebody else."""
    headers = door.admit("alice", Permission)
    base = f"http://upgrades.test{URL_PREFIX}"
    async with httpx.AsyncClient(transport=served(app), base_url=base, headers=headers) as client:
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


@pytest.fixture(scope="package")
def airflow(
    postgres_server: Postgres,
    migrated_template: str,
    demo_agent: RunningAgent,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[RunningAirflow]:
    """One for all tests: it takes half a minute to set up."""
    running = RunningAirflow(postgres_server, migrated_template, demo_agent, tmp_path_factory.mktemp("airflow"))
    try:
        running.wait()
        yield running
    finally:
        running.close()


@pytest.fixture
def visits(
    airflow: RunningAirflow, browser: Browser, logged_in: dict[tuple[str, str], StorageState], tmp_path: Path
) -> Iterator[Visits]:
    """Opens pages of that API server as one of its users."""
    with visiting(Visits(browser, airflow.url, lambda _: PASSWORD, logged_in)) as opened:
        yield opened
