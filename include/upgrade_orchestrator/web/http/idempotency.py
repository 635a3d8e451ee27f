"""Idempotency-Key on every write (specification section 1): a repeated call gets the first response."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import Request, Response
from fastapi.routing import APIRoute

from upgrade_orchestrator.domain.errors import ValidationFailed
from upgrade_orchestrator.service.idempotency import idempotent
from upgrade_orchestrator.service.ports.idempotency import Key, StoredResponse
from upgrade_orchestrator.web.dependencies import Repeated, idempotency_store_of, open_ports_of
from upgrade_orchestrator.web.http.bodies import content_of
from upgrade_orchestrator.web.security import MAX_NAME_LENGTH, authenticated

HEADER = "Idempotency-Key"
REPLAYED = "Idempotency-Replayed"
PATTERN = r"^[!-~]{1,255}$"
WRITES = frozenset({"POST", "PUT"})
DESCRIBED_KEY: dict[str, Any] = {
    "name": HEADER,
    "in": "header",
    "required": False,
    "description": "Repeating the same key and request returns the first response, for 24 h.",
    "schema": {"type": "string", "pattern": PATTERN, "examples": ["build-4711"]},
}
"The header parameter in the OpenAPI description of a write."
STORE_NOTHING = frozenset({"compatibility"})
"Names of routes that are POST only because they have a body."
_KEPT_HEADERS = ("content-type", "location", "etag")

Handler = Callable[[Request], Coroutine[Any, Any, Response]]


class KeyedRoute(APIRoute):
    """A route whose writes accept an Idempotency-Key."""

    def get_route_handler(self) -> Handler:
        """Wrap FastAPI's handler."""
        handler = super().get_route_handler()

        async def handle(request: Request) -> Response:
            if HEADER in request.headers and is_write(self):
                return await _once(request, handler)
            return await handler(request)

        return handle


def is_write(route: APIRoute) -> bool:
    """Whether a call of ``route`` may store anything."""
    return bool(WRITES & route.methods) and route.name not in STORE_NOTHING


async def _once(request: Request, handler: Handler) -> Response:
    caller = await authenticated(request)
    assert caller is not None  # no write is public
    key = Key(caller.name[:MAX_NAME_LENGTH], _key_of(request), await _fingerprint(request))
    if request.query_params.get("dryRun") == "true":  # stores nothing, so it is carried out each time
        return await handler(request)
    async with idempotent(await open_ports_of(request), await idempotency_store_of(request), key) as call:
        request.state.once = call
        try:
            response = await handler(request)
        except Repeated as repeated:  # the caller still has the right to make the call
            return _replay(repeated.answer)
        if response.status_code < 300:
            await call.keep(_kept(response))
    return response


def _key_of(request: Request) -> str:
    given = request.headers.getlist(HEADER)
    if len(given) != 1 or not re.fullmatch(PATTERN, given[0]):
        raise ValidationFailed.of(HEADER, "should be one key of 1 to 255 visible ASCII characters")
    return given[0]


async def _fingerprint(request: Request) -> str:
    call = f"{request.method} {request.url.path}?{request.url.query}\n"
    return hashlib.sha256(call.encode() + await content_of(request)).hexdigest()


def _kept(response: Response) -> StoredResponse:
    headers = {name: response.headers[name] for name in _KEPT_HEADERS if name in response.headers}
    return StoredResponse(response.status_code, headers, bytes(response.body).decode())


def _replay(stored: StoredResponse) -> Response:
    return Response(stored.body, stored.status, {**stored.headers, REPLAYED: "true"})
