"""The app on a real server in the test's own event loop, and a reader of its streams."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx
import uvicorn
from fastapi import FastAPI

from local.ports import HOST
from upgrade_orchestrator.web.app import URL_PREFIX

STREAM = {"Accept": "text/event-stream"}
SECONDS = 90


@dataclass(frozen=True)
class Message:
    """One message of a stream; ``comment`` and ``retry`` come without an event."""

    event: str | None = None
    id: str | None = None
    data: Any = None
    comment: str | None = None
    retry: int | None = None


async def messages(response: httpx.Response) -> AsyncIterator[Message]:
    """As a browser reads them."""
    lines: list[str] = []
    async for line in response.aiter_lines():
        lines.append(line)
        if not line:
            for each in messages_of(lines):
                yield each
            lines = []


def messages_of(lines: Iterable[str]) -> Iterator[Message]:
    """Those that are whole."""
    fields: dict[str, Any] = {}
    for line in lines:
        if line:
            name, _, value = line.partition(":")
            assert name not in fields, f"two lines of {name}"
            fields[name] = value.removeprefix(" ")
        elif fields:
            yield _message(fields)
            fields = {}


def _message(fields: dict[str, str]) -> Message:
    return Message(
        event=fields.get("event"),
        id=fields.get("id"),
        data=json.loads(fields["data"]) if "data" in fields else None,
        comment=fields.get(""),
        retry=int(fields["retry"]) if "retry" in fields else None,
    )


async def take(found: AsyncIterator[Message], count: int) -> list[Message]:
    """The next ``count`` that carry something."""
    taken: list[Message] = []
    async with asyncio.timeout(SECONDS):
        while len(taken) < count:
            each = await anext(found)
            if each.event:
                taken.append(each)
    return taken


async def rest(found: AsyncIterator[Message]) -> list[Message]:
    """All that carry something, until the server ends the stream."""
    async with asyncio.timeout(SECONDS):
        return [each async for each in found if each.event]


async def until(holds: Callable[[], bool]) -> None:
    """Wait for it."""
    deadline = time.monotonic() + SECONDS
    while not holds():
        assert time.monotonic() < deadline
        await asyncio.sleep(0.01)


@asynccontextmanager
async def serving(app: FastAPI) -> AsyncIterator[str]:
    """The address of the app below its prefix, as in the API server."""

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        async with app.router.lifespan_context(app):
            yield

    outer = FastAPI(lifespan=lifespan)
    outer.mount(URL_PREFIX, app)
    server = uvicorn.Server(uvicorn.Config(outer, host=HOST, port=0, log_config=None, timeout_keep_alive=60))
    task = asyncio.create_task(server.serve())
    try:
        await until(lambda: server.started)
        port = server.servers[0].sockets[0].getsockname()[1]
        yield f"http://{HOST}:{port}{URL_PREFIX}"
    finally:
        server.should_exit = True
        async with asyncio.timeout(SECONDS):
            await task
