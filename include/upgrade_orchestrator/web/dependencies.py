"""What the calls are handed: the ports, and where this app is mounted."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Annotated

from fastapi import Depends, Request

from upgrade_orchestrator.domain.errors import Unavailable
from upgrade_orchestrator.schemas.links import Links
from upgrade_orchestrator.service.idempotency import Once
from upgrade_orchestrator.service.ports.idempotency import KeptAnswer
from upgrade_orchestrator.service.ports.unit_of_work import Ports

OpenPorts = Callable[[], Awaitable[Ports]]


class LazyPorts:
    """Opens the ports at the first call that needs them: a database that is away does not keep the server down."""

    def __init__(self, open_ports: OpenPorts) -> None:
        self._open = open_ports
        self._ports: Ports | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    async def get(self) -> Ports:
        """The ports of the running event loop.

        :raises Unavailable: when they cannot be opened now.
        """
        loop = asyncio.get_running_loop()
        if self._ports is None or self._loop is not loop:
            self._ports, self._loop = await self._opened(), loop
        return self._ports

    async def _opened(self) -> Ports:
        try:
            return await self._open()
        except Exception as error:  # whichever way Airflow says that it does not know the connection
            raise Unavailable("our own database is not known: is its Airflow connection defined?") from error


class Repeated(Exception):
    """The call was carried out before, under the same Idempotency-Key; raised when the caller may make it."""

    def __init__(self, answer: KeptAnswer) -> None:
        super().__init__("repeated")
        self.answer = answer


async def open_ports_of(request: Request) -> Ports:
    """The ports of the app that serves ``request``."""
    lazy: LazyPorts = request.app.state.ports
    return await lazy.get()


async def ports_of(request: Request) -> Ports:
    """What the call is to use: under an Idempotency-Key its units of work are parts of one transaction.

    :raises Repeated: with the first answer, when there is one.
    """
    once: Once | None = getattr(request.state, "once", None)
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
LinksDep = Annotated[Links, Depends(links_of)]
