"""The real app, mounted where the plugin mounts it, in front of the world; only who calls is chosen by the test."""

from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass, field

import httpx
import pytest
from fastapi import FastAPI, Request

from include.upgrades.domain.errors import Unauthenticated
from include.upgrades.domain.permissions import Permission
from include.upgrades.service.ports import Ports
from include.upgrades.web.app import URL_PREFIX, create_app
from tests.integration.world import World


@dataclass
class Door:
    """Stands where Airflow's auth manager stands: the tokens it knows, and what each may."""

    known: dict[str, tuple[str, frozenset[Permission]]] = field(default_factory=dict)

    def admit(self, name: str, permissions: Iterable[Permission]) -> dict[str, str]:
        """The header of a user with these permissions."""
        self.known[f"token-of-{name}"] = (name, frozenset(permissions))
        return {"Authorization": f"Bearer token-of-{name}"}

    async def authenticate(self, request: Request) -> "Known":
        token = request.headers.get("authorization", "").removeprefix("Bearer ")
        if token not in self.known:
            raise Unauthenticated("Not authenticated")
        return Known(*self.known[token])


@dataclass(frozen=True)
class Known:
    name: str
    permissions: frozenset[Permission]

    def may(self, permission: Permission) -> bool:
        return permission in self.permissions


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

    return create_app(open_ports, door.authenticate)


@pytest.fixture
async def api(app: FastAPI, door: Door) -> AsyncIterator[httpx.AsyncClient]:
    """A client of somebody who may do everything; `headers=` makes it somebody else."""
    headers = door.admit("alice", Permission)
    base = f"http://upgrades.test{URL_PREFIX}"
    async with httpx.AsyncClient(transport=served(app), base_url=base, headers=headers) as client:
        yield client
