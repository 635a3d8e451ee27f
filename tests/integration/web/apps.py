"""The real app in front of a world, mounted where the plugin mounts it: one for all tests, or one of a test's own."""

from collections.abc import Mapping
from contextlib import nullcontext

import httpx
from fastapi import FastAPI, Request

from tests.integration.web.authentication import Authentication
from tests.integration.world import World
from upgrade_orchestrator.adapters.postgres.idempotency import PostgresIdempotencyStore
from upgrade_orchestrator.service.ports.unit_of_work import Ports
from upgrade_orchestrator.service.views.fleet_health import FleetHealth
from upgrade_orchestrator.settings import Settings
from upgrade_orchestrator.web.app import URL_PREFIX, create_app
from upgrade_orchestrator.web.http.rate_limits import Limiter
from upgrade_orchestrator.web.security import Authenticate, Caller


class SharedApp:
    """The product's app, created once, since that takes longer than most tests. Each test sets its world and caller.

    Nothing of the test before is left: ports are opened for each event loop, so for each test, before its first call.
    """

    def __init__(self) -> None:
        self.ports: Ports | None = None
        self.idempotency_store: PostgresIdempotencyStore | None = None
        self.authenticate: Authenticate = Authentication().authenticate
        self.app = create_app(
            self._open_ports,
            self._authenticate,
            _leave_open,
            background=nullcontext,
            open_idempotency_store=self._open_idempotency_store,
        )

    def stand_on(self, world: World, authenticate: Authenticate) -> FastAPI:
        """Applies until the next call; also clears the health of the fleets, which the app caches for seconds."""
        self.ports, self.idempotency_store, self.authenticate = world.ports, idempotency_store_in(world), authenticate
        self.app.state.fleet_health = FleetHealth()
        return self.app

    async def _open_ports(self) -> Ports:
        assert self.ports is not None, "the test has no world"
        return self.ports

    async def _open_idempotency_store(self) -> PostgresIdempotencyStore:
        assert self.idempotency_store is not None, "the test has no world"
        return self.idempotency_store

    async def _authenticate(self, request: Request) -> Caller:
        return await self.authenticate(request)


def own_app(world: World, authenticate: Authenticate, limiter: Limiter | None = None) -> FastAPI:
    """An app that remembers nothing of other tests."""

    async def open_ports() -> Ports:
        return world.ports

    async def open_idempotency_store() -> PostgresIdempotencyStore:
        return idempotency_store_in(world)

    return create_app(
        open_ports,
        authenticate,
        _leave_open,
        background=nullcontext,
        limiter=limiter,
        open_idempotency_store=open_idempotency_store,
    )


def idempotency_store_in(world: World) -> PostgresIdempotencyStore:
    """The store of one process, in which calls with the same key wait for each other."""
    return PostgresIdempotencyStore(world.url, Settings().lease_seconds)


def client_of(app: FastAPI, headers: Mapping[str, str] | None = None) -> httpx.AsyncClient:
    """A client of the app below its prefix, as in the API server."""
    server = FastAPI()
    server.mount(URL_PREFIX, app)
    return httpx.AsyncClient(
        transport=httpx.ASGITransport(server), base_url=f"http://upgrades.test{URL_PREFIX}", headers=headers
    )


async def _leave_open() -> None:
    """The world closes the ports."""
