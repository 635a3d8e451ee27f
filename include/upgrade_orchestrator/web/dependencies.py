"""FastAPI dependencies: the ports, the live feed and the links of this app."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Annotated, Generic, TypeVar

from fastapi import Depends, Request

from upgrade_orchestrator.domain.errors import Unavailable
from upgrade_orchestrator.schemas.executions import Links
from upgrade_orchestrator.service.events.feed import LiveFeed
from upgrade_orchestrator.service.idempotency import KeyedWrite
from upgrade_orchestrator.service.ports.idempotency import IdempotencyStore, StoredResponse
from upgrade_orchestrator.service.ports.unit_of_work import Ports

T = TypeVar("T")
OpenPorts = Callable[[], Awaitable[Ports]]
OpenIdempotencyStore = Callable[[], Awaitable[IdempotencyStore]]


class Lazy(Generic[T]):
    """Opened at the first call that needs it, so that the server starts without the database."""

    def __init__(self, open_now: Callable[[], Awaitable[T]]) -> None:
        self._open = open_now
        self._value: T | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    @property
    def opened(self) -> T | None:
        """The value that is open in the running event loop."""
        return self._value if self._loop is asyncio.get_running_loop() else None

    async def get(self) -> T:
        """The value for the running event loop, opened if necessary.

        :raises Unavailable: it cannot be opened now.
        """
        found = self.opened
        if found is None:
            found = self._value = await self._opened()
            self._loop = asyncio.get_running_loop()
        return found

    async def _opened(self) -> T:
        try:
            return await self._open()
        except Unavailable:
            raise
        except Exception as error:  # several types mean that the connection is not defined
            raise Unavailable(
                "the orchestrator's database is not configured: is its Airflow connection defined?"
            ) from error


class Repeated(Exception):
    """The call was carried out before with the same Idempotency-Key; raised once the caller's rights are checked."""

    def __init__(self, answer: StoredResponse) -> None:
        super().__init__("repeated")
        self.answer = answer


async def open_ports_of(request: Request) -> Ports:
    """The ports of the app that serves ``request``."""
    lazy: Lazy[Ports] = request.app.state.ports
    return await lazy.get()


async def idempotency_store_of(request: Request) -> IdempotencyStore:
    """The idempotency store of the app that serves ``request``."""
    lazy: Lazy[IdempotencyStore] = request.app.state.idempotency_store
    return await lazy.get()


async def live_of(request: Request) -> LiveFeed:
    """The live feed, which all streams of this process share."""
    lazy: Lazy[LiveFeed] = request.app.state.live
    return await lazy.get()


def live_feed_on(lazy: Lazy[Ports]) -> Lazy[LiveFeed]:
    """A live feed that uses these ports."""

    async def open_feed() -> LiveFeed:
        ports = await lazy.get()
        return LiveFeed(ports.work, ports.signals)

    return Lazy(open_feed)


async def ports_of(request: Request) -> Ports:
    """The ports for a call; with an Idempotency-Key, all its units of work are part of one transaction.

    :raises Repeated: with the response to the first call, if there is one.
    """
    once: KeyedWrite | None = getattr(request.state, "once", None)
    if once is None:
        return await open_ports_of(request)
    if once.first is not None:
        raise Repeated(once.first)
    return once.ports


def links_of(request: Request) -> Links:
    """The links of the app that serves ``request``."""
    root = str(request.scope.get("root_path", "")).rstrip("/")
    return Links(root, root.removesuffix(str(request.app.state.url_prefix)))


PortsDep = Annotated[Ports, Depends(ports_of)]
LiveDep = Annotated[LiveFeed, Depends(live_of)]
LinksDep = Annotated[Links, Depends(links_of)]
