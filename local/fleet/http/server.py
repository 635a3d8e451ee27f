"""The agent as a web application, and the server that runs it."""

import hmac
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from socket import socket

import uvicorn
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from local.fleet.agent.agent import Agent
from local.fleet.faults.connections import FaultyConnections, target_of
from local.fleet.http.administration import Administration
from local.fleet.http.protocol import Protocol
from local.fleet.refusal import Refusal
from local.fleet.state.faults import Kind

_GRACE_SECONDS = 1
_IDLE_SECONDS = 60  # longer than clients usually keep a connection: a call on one that is just being closed is lost


class TokenGuard:
    """Lets through only calls with `Authorization: Bearer <token>`; the others get 401."""

    def __init__(self, app: ASGIApp, agent: Agent, token: str) -> None:
        self._app, self._agent = app, agent
        self._expected = f"Bearer {token}".encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """The ASGI entry point."""
        if scope["type"] != "http" or self._allows(scope):
            await self._app(scope, receive, send)
            return
        body = {"code": "UNAUTHORIZED", "detail": "Authorization: Bearer with this agent's token is required"}
        await JSONResponse(body, 401, {"WWW-Authenticate": "Bearer"})(scope, receive, send)

    def _allows(self, scope: Scope) -> bool:
        """By the fault UNAUTHORIZED a fleet may have another token than the agent."""
        given = dict(scope["headers"]).get(b"authorization", b"")
        fleet, _ = target_of(self._agent, scope)
        fault = fleet.faults.find(Kind.UNAUTHORIZED, None) if fleet else None
        expected = self._expected if fault is None else f"Bearer {fault.variant or ''}".encode()
        allowed = hmac.compare_digest(given, expected) and (fault is None or bool(fault.variant))
        if fleet and fault and not allowed:
            fleet.spend([fault])
        return allowed


def application(agent: Agent, token: str) -> ASGIApp:
    """The routes of specification section 11 and of the administration, for callers with the token."""
    routes = Starlette(
        routes=[*Protocol(agent).routes(), *Administration(agent).routes()],
        middleware=[Middleware(TokenGuard, agent=agent, token=token)],
        exception_handlers={Refusal: _refused, HTTPException: _no_such_call},
    )
    return FaultyConnections(routes, agent)


class Server(uvicorn.Server):
    """Uvicorn on a socket that is already bound; reports when it is ready, and leaves signals to its caller."""

    def __init__(self, app: ASGIApp, on_ready: Callable[[], None], on_stop: Callable[[], None]) -> None:
        super().__init__(
            uvicorn.Config(
                app,
                log_level="warning",
                access_log=False,
                timeout_keep_alive=_IDLE_SECONDS,
                timeout_graceful_shutdown=_GRACE_SECONDS,
            )
        )
        self._on_ready = on_ready
        self._on_stop = on_stop

    async def startup(self, sockets: list[socket] | None = None) -> None:
        """Begin to answer."""
        await super().startup(sockets)
        self._on_ready()

    async def shutdown(self, sockets: list[socket] | None = None) -> None:
        """Finish the calls that are being answered."""
        self._on_stop()
        await super().shutdown(sockets)

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Do nothing: Uvicorn would end the program before the instances are stopped."""
        yield


async def _refused(_: Request, refusal: Exception) -> JSONResponse:
    assert isinstance(refusal, Refusal)
    headers = {"Retry-After": "1"} if refusal.status == 503 else None
    return JSONResponse(refusal.body, refusal.status, headers)


async def _no_such_call(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)
    return JSONResponse({"code": "NO_SUCH_CALL", "detail": error.detail}, error.status_code)
