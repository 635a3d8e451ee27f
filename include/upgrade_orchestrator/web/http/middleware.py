"""Around every call: a request id in response and log, a log line, and a 500 for unexpected errors."""

from __future__ import annotations

import logging
import re
import time
from urllib.parse import quote

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from structlog.contextvars import bound_contextvars

from upgrade_orchestrator.adapters.ids import new_id
from upgrade_orchestrator.web.http.problems import unexpected

log = logging.getLogger(__name__)

HEADER = "X-Request-ID"
_VALID_ID = re.compile(r"[A-Za-z0-9._:/+=@-]{1,128}")
_READS = frozenset({"GET", "HEAD"})


class RequestIds:
    """Gives every call an ``X-Request-ID`` (the caller's if it is valid) and turns exceptions into a plain 500.

    The id is bound as ``request_id`` in Airflow's logging, so every log line of the call has it.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        response = _Response(send, request_id_of(Headers(scope=scope).get(HEADER)))
        scope.setdefault("state", {})["request_id"] = response.request_id
        began = time.perf_counter()
        with bound_contextvars(request_id=response.request_id):
            try:
                await self._serve(scope, receive, response)
            finally:
                _log_call(scope, response, time.perf_counter() - began)

    async def _serve(self, scope: Scope, receive: Receive, response: _Response) -> None:
        try:
            await self._app(scope, receive, response.send)
        except Exception:
            log.exception("request %s failed: %s %s", response.request_id, scope["method"], quote(scope["path"]))
            if response.status:
                raise  # part of the response is sent: only a broken connection can show the error
            await unexpected(response.request_id, scope["path"])(scope, receive, response.send)


def request_id_of(given: str | None) -> str:
    """``given`` if it is safe in a header and a log line, otherwise a new id."""
    return given if given is not None and _VALID_ID.fullmatch(given) else new_id()


class _Response:
    def __init__(self, send: Send, request_id: str) -> None:
        self._send = send
        self.request_id = request_id
        self.status = 0

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            MutableHeaders(scope=message)[HEADER] = self.request_id
        await self._send(message)


def _log_call(scope: Scope, response: _Response, seconds: float) -> None:
    """Log writes and refused calls; Airflow's access log has the others.

    The line has nothing of headers, query and body, which could contain secrets.
    """
    if scope["method"] in _READS and 200 <= response.status < 400:
        return
    caller = scope["state"].get("caller")
    name, path, status = caller.name if caller else "-", quote(scope["path"]), response.status or "no response"
    line = "request %s by %r: %s %s is %s after %.0f ms"
    log.info(line, response.request_id, name, scope["method"], path, status, seconds * 1000)
