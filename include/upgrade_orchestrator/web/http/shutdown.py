"""Detects that the server is shutting down: it waits for open streams before it runs the app's shutdown."""

from __future__ import annotations

import asyncio
import signal

from upgrade_orchestrator.service.events.feed import LiveFeed
from upgrade_orchestrator.web.dependencies import Lazy

POLL_SECONDS = 0.25


async def end_streams_with_the_server(live: Lazy[LiveFeed]) -> None:
    """Wait until the server shuts down, then end all live streams."""
    while not _server_ends():  # noqa: ASYNC110 - there is no event to wait for
        await asyncio.sleep(POLL_SECONDS)
    if live.opened is not None:
        live.opened.close()


def _server_ends() -> bool:
    """Read uvicorn's flag, which it sets at SIGTERM; it owns the signal handler, being Airflow's only server.

    With another server this is always False: streams then end by their own time limit, or when the server cuts them.
    """
    server = getattr(signal.getsignal(signal.SIGTERM), "__self__", None)
    return bool(getattr(server, "should_exit", False))
