"""The event log as Server-Sent Events, for calls with ``Accept: text/event-stream`` (specification section 1)."""

from __future__ import annotations

import asyncio
import json
from asyncio import get_running_loop
from collections.abc import AsyncGenerator, Iterator, Sequence
from contextlib import aclosing, suppress
from typing import Any

from fastapi import Request
from fastapi.sse import KEEPALIVE_COMMENT, format_sse_event
from starlette.responses import StreamingResponse
from starlette.types import Send

from upgrade_orchestrator.service.events.cloud_event import cloud_event
from upgrade_orchestrator.service.events.feed import LiveFeed, StreamReader
from upgrade_orchestrator.service.ports.stores.events import StoredEvent

MEDIA_TYPE = "text/event-stream"
RETRY_MILLISECONDS = 2000
"How long a client is asked to wait before it reconnects."
KEEP_ALIVE_SECONDS = 15.0
GRACE_SECONDS = 30.0
"Extra time after which a stream is closed even if its client does not read."
_HEADERS = {"Cache-Control": "no-store", "X-Accel-Buffering": "no", "Vary": "Accept"}

_EXAMPLE = (
    'retry: 2000\n\nevent: registry.upgrade.progress.v1\ndata: {"specversion":"1.0", …}\nid: 7\n\n: ping\n\n'
    'event: end\ndata: {"status":"COMPLETED","sequence":7}\n\n'
)
DESCRIBED: dict[int | str, dict[str, Any]] = {
    200: {"content": {MEDIA_TYPE: {"schema": {"type": "string"}, "example": _EXAMPLE}}},
    204: {"description": "there will be no events after `Last-Event-ID`; browsers then stop reconnecting"},
}
"``responses=`` of the call."


def wants_stream(request: Request) -> bool:
    """Whether Accept names ``text/event-stream`` and does not prefer JSON; ``*/*`` alone does not ask for a stream."""
    weights = dict(_weights(request.headers.getlist("Accept")))
    stream = weights.get(MEDIA_TYPE, 0.0)
    return stream > 0 and stream >= weights.get("application/json", 0.0)


def _weights(given: Sequence[str]) -> Iterator[tuple[str, float]]:
    for each in (part for line in given for part in line.split(",")):
        name, *parameters = (part.strip().lower() for part in each.split(";"))
        weight = 1.0
        for parameter in parameters:
            if parameter.startswith("q="):
                with suppress(ValueError):
                    weight = float(parameter[2:])
        yield name, weight


class FrameStream(StreamingResponse):
    """Sends ``frames``, which end after ``seconds`` at the latest."""

    media_type = MEDIA_TYPE

    def __init__(self, frames: AsyncGenerator[bytes, None], seconds: float) -> None:
        self._frames = frames
        self._longest = seconds + GRACE_SECONDS
        super().__init__(self._frames, headers=_HEADERS)

    async def stream_response(self, send: Send) -> None:
        """Close the generator in any case, even if the client neither reads nor disconnects."""
        with suppress(TimeoutError):
            async with asyncio.timeout(self._longest), aclosing(self._frames):
                await super().stream_response(send)


class EventStream(FrameStream):
    """The events of an execution after sequence ``after``, for at most ``seconds``."""

    def __init__(self, live: LiveFeed, execution_id: str, after: int, seconds: float) -> None:
        super().__init__(_frames(live, execution_id, after, seconds), seconds)


async def _frames(live: LiveFeed, execution_id: str, after: int, seconds: float) -> AsyncGenerator[bytes, None]:
    yield format_sse_event(retry=RETRY_MILLISECONDS)
    end = get_running_loop().time() + seconds
    async with live.following(execution_id, after) as reader:
        while not reader.ended and (left := end - get_running_loop().time()) > 0:
            found = await reader.next(min(KEEP_ALIVE_SECONDS, left))
            yield b"".join(map(_frame, found)) or KEEPALIVE_COMMENT
        if reader.over:
            yield _last(reader)


def _frame(stored: StoredEvent) -> bytes:
    shown = cloud_event(stored)
    return format_sse_event(data_str=_line(shown), event=stored.what.cloud_type, id=str(stored.sequence))


def _last(reader: StreamReader) -> bytes:
    assert reader.tail is not None
    return format_sse_event(
        data_str=_line({"status": reader.tail.status, "sequence": reader.tail.sequence}), event="end"
    )


def _line(shown: object) -> str:
    """JSON in ASCII, because some readers would break the line at a Unicode line separator."""
    return json.dumps(shown, separators=(",", ":"), allow_nan=False)
