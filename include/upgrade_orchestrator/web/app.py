"""The REST API that the plugin mounts into Airflow's API server."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import AbstractAsyncContextManager, asynccontextmanager

from fastapi import Depends, FastAPI

from upgrade_orchestrator import bootstrap
from upgrade_orchestrator.schemas.commands import DecisionBody, FencingBody, ReleaseBody, RevertBody
from upgrade_orchestrator.schemas.registry import BODIES
from upgrade_orchestrator.schemas.upgrades import UpgradeBody
from upgrade_orchestrator.service.views.fleet_health import FleetHealth
from upgrade_orchestrator.web.dependencies import Lazy, OpenIdempotencyStore, OpenPorts, live_feed_on
from upgrade_orchestrator.web.http import problems
from upgrade_orchestrator.web.http.middleware import RequestIds
from upgrade_orchestrator.web.http.rate_limits import Limiter
from upgrade_orchestrator.web.http.shutdown import end_streams_with_the_server
from upgrade_orchestrator.web.openapi import documentation
from upgrade_orchestrator.web.routes import (
    approvals,
    commands,
    executions,
    health,
    parked_events,
    registry,
    statistics,
    tenants,
    upgrade_paths,
    upgrades,
)
from upgrade_orchestrator.web.security import Authenticate, authenticated, no_unknown_parameters
from upgrade_orchestrator.web.view import assets, board, changes, create_form
from upgrade_orchestrator.web.view import statistics as statistics_pages
from upgrade_orchestrator.web.view.execution import page as execution_page
from upgrade_orchestrator.web.view.execution import tab
from upgrade_orchestrator.web.view.registry import components as components_pages

URL_PREFIX = "/api/v1/registry"
_ROUTERS = (
    health.router,
    upgrades.router,
    executions.router,
    commands.router,
    approvals.router,
    registry.router,
    upgrade_paths.router,
    tenants.router,
    statistics.router,
    parked_events.router,
    documentation.router,
    board.router,
    changes.router,
    create_form.router,  # before the executions, so that "new" is not taken for an id
    statistics_pages.router,
    components_pages.router,
    execution_page.router,
    tab.router,
    assets.router,
)


def create_app(
    open_ports: OpenPorts = bootstrap.open_ports,
    authenticate: Authenticate = bootstrap.authenticate,
    close_ports: Callable[[], Awaitable[None]] = bootstrap.close_ports,
    background: Callable[[], AbstractAsyncContextManager[None]] = bootstrap.control_loops,
    limiter: Limiter | None = None,
    open_idempotency_store: OpenIdempotencyStore = bootstrap.open_idempotency_store,
) -> FastAPI:
    """The app, with every call behind ``authenticated``; ``background`` runs in the background while it is served."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        try:
            async with background(), _running(end_streams_with_the_server(app.state.live)):
                yield
        finally:
            await close_ports()

    app = FastAPI(
        title="Upgrade Orchestrator",
        version="1",
        dependencies=[Depends(authenticated), Depends(no_unknown_parameters)],
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        redirect_slashes=False,
        lifespan=lifespan,
    )
    app.state.url_prefix = URL_PREFIX
    app.state.bodies = (UpgradeBody, DecisionBody, RevertBody, ReleaseBody, FencingBody, *BODIES)
    app.state.ports, app.state.authenticate = Lazy(open_ports), authenticate
    app.state.idempotency_store, app.state.live = Lazy(open_idempotency_store), live_feed_on(app.state.ports)
    app.state.limiter = limiter or Limiter(*bootstrap.call_limits())
    app.state.fleet_health = FleetHealth()
    problems.install(app)
    app.add_middleware(RequestIds)
    for router in _ROUTERS:
        app.include_router(router)
    return app


@asynccontextmanager
async def _running(work: Coroutine[None, None, None]) -> AsyncIterator[None]:
    task = asyncio.create_task(work)
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
