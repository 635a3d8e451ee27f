"""Around every call: its id, and an answer for what nobody expected."""

from __future__ import annotations

import logging
import re

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from include.upgrades.adapters.ids import new_id
from include.upgrades.web.problems import unexpected

log = logging.getLogger(__name__)

HEADER = "X-Request-ID"
_SANE = re.compile(r"[A-Za-z0-9._:/+=@-]{1,128}")


class RequestIds:
    """Gives every call an ``X-Request-ID`` (the caller's when it is sane) and turns exceptions into a plain 500."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        answer = _Answer(send, request_id_of(Headers(scope=scope).get(HEADER)))
        try:
            await self._app(scope, receive, answer.send)
        except Exception:
            log.exception("request %s failed: %s %s", answer.request_id, scope["method"], scope["path"])
            if answer.started:
                raise  # half an answer is out: only a broken connection can tell
            await unexpected(answer.request_id, scope["path"])(scope, receive, answer.send)


def request_id_of(given: str | None) -> str:
    """``given`` when it can stand in a header and a log line, else a new one."""
    return given if given is not None and _SANE.fullmatch(given) else new_id()


class _Answer:
    def __init__(self, send: Send, request_id: str) -> None:
        self._send = send
        self.request_id = request_id
        self.started = False

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.started = True
            MutableHeaders(scope=message)[HEADER] = self.request_id
        await self._send(message)
