"""Around every call: its id in the answer and the log, a line of the log, and an answer for what nobody expected."""

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
_SANE = re.compile(r"[A-Za-z0-9._:/+=@-]{1,128}")
_READS = frozenset({"GET", "HEAD"})


class RequestIds:
    """Gives every call an ``X-Request-ID`` (the caller's when it is sane) and turns exceptions into a plain 500.

    The id is ``request_id`` in Airflow's logging, so that every line of ours from within the call carries it.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        answer = _Answer(send, request_id_of(Headers(scope=scope).get(HEADER)))
        scope.setdefault("state", {})["request_id"] = answer.request_id
        began = time.perf_counter()
        with bound_contextvars(request_id=answer.request_id):
            try:
                await self._serve(scope, receive, answer)
            finally:
                _tell(scope, answer, time.perf_counter() - began)

    async def _serve(self, scope: Scope, receive: Receive, answer: _Answer) -> None:
        try:
            await self._app(scope, receive, answer.send)
        except Exception:
            log.exception("request %s failed: %s %s", answer.request_id, scope["method"], quote(scope["path"]))
            if answer.status:
                raise  # half an answer is out: only a broken connection can tell
            await unexpected(answer.request_id, scope["path"])(scope, receive, answer.send)


def request_id_of(given: str | None) -> str:
    """``given`` when it can stand in a header and a log line, else a new one."""
    return given if given is not None and _SANE.fullmatch(given) else new_id()


class _Answer:
    def __init__(self, send: Send, request_id: str) -> None:
        self._send = send
        self.request_id = request_id
        self.status = 0

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            MutableHeaders(scope=message)[HEADER] = self.request_id
        await self._send(message)


def _tell(scope: Scope, answer: _Answer, seconds: float) -> None:
    """One line for what may have changed something and for what was refused; Airflow's access log has the others.

    Nothing of headers, query and body is in it: those could hold secrets.
    """
    if scope["method"] in _READS and 200 <= answer.status < 400:
        return
    caller = scope["state"].get("caller")
    name, path, status = caller.name if caller else "-", quote(scope["path"]), answer.status or "no answer"
    line = "request %s by %r: %s %s is %s after %.0f ms"
    log.info(line, answer.request_id, name, scope["method"], path, status, seconds * 1000)
