"""Notices that the server is about to end: it waits for open streams, and tells the app only when they are gone."""

from __future__ import annotations

import asyncio
import signal

from upgrade_orchestrator.service.events.feed import LiveFeed
from upgrade_orchestrator.web.dependencies import Lazy

LOOK_SECONDS = 0.25


async def end_streams_with_the_server(live: Lazy[LiveFeed]) -> None:
    """Until the server ends; then let everybody go who follows a live stream."""
    while not _server_ends():  # noqa: ASYNC110 - it tells nobody
        await asyncio.sleep(LOOK_SECONDS)
    if live.opened is not None:
        live.opened.close()


def _server_ends() -> bool:
    """What uvicorn notes at SIGTERM: it is the owner of the signal's handler, as the only server of Airflow's.

    Under another server nothing is noticed: streams end with their life, or when that server cuts them.
    """
    server = getattr(signal.getsignal(signal.SIGTERM), "__self__", None)
    return bool(getattr(server, "should_exit", False))
