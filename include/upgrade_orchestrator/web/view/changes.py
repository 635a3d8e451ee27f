"""Notifies the list page of changes, without details, because reading the list is what checks permissions."""

from __future__ import annotations

from asyncio import get_running_loop
from collections.abc import AsyncGenerator

from fastapi import APIRouter, Request
from fastapi.responses import Response
from fastapi.sse import KEEPALIVE_COMMENT, format_sse_event

from upgrade_orchestrator.service.events.feed import LiveFeed
from upgrade_orchestrator.web.dependencies import LiveDep, PortsDep
from upgrade_orchestrator.web.http.event_stream import KEEP_ALIVE_SECONDS, RETRY_MILLISECONDS, FrameStream, wants_stream
from upgrade_orchestrator.web.security import RegistryReader
from upgrade_orchestrator.web.view.error_pages import PageRoute

router = APIRouter(prefix="/view", include_in_schema=False, route_class=PageRoute)

CHANGED = "changed"


@router.get("/changes", dependencies=[RegistryReader])
async def changes(request: Request, ports: PortsDep, live: LiveDep) -> Response:
    """Server-Sent Events, at most four a second; 204 if the caller does not accept a stream."""
    if not wants_stream(request):
        return Response(status_code=204)
    live.require_room()
    seconds = ports.options.stream_seconds
    return FrameStream(_frames(live, seconds), seconds)


async def _frames(live: LiveFeed, seconds: float) -> AsyncGenerator[bytes, None]:
    yield format_sse_event(retry=RETRY_MILLISECONDS)
    end = get_running_loop().time() + seconds
    async with live.watching() as watcher:
        while not watcher.ended and (left := end - get_running_loop().time()) > 0:
            found = await watcher.next(min(KEEP_ALIVE_SECONDS, left))
            yield format_sse_event(data_str="{}", event=CHANGED) if found else KEEPALIVE_COMMENT
