"""The app on the store in memory and fleets in this process, on a real server in a thread of its own."""

import asyncio
import threading
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from fastapi import FastAPI, Request

from tests.integration.web.authentication import Known
from tests.integration.web.live import serving
from tests.labs.fleet.agent import AgentInMemory
from tests.labs.fleet.wire import FleetsInMemory
from tests.labs.memory.world import LOCATION, Storage, memory_ports
from tests.labs.seed import BACKUP
from upgrade_orchestrator.adapters.memory.engine.database import MemoryDatabase
from upgrade_orchestrator.adapters.memory.idempotency import MemoryIdempotencyStore
from upgrade_orchestrator.cli.registry.document import entries_in
from upgrade_orchestrator.domain.errors import Unauthenticated
from upgrade_orchestrator.service.ports.unit_of_work import Ports
from upgrade_orchestrator.service.registry.load import load_registry
from upgrade_orchestrator.web.app import URL_PREFIX, create_app

LEASE_SECONDS = 20.0
Granted = frozenset[tuple[str, str]]
Prepare = Callable[[Ports], Awaitable[None]]


@dataclass
class Served:
    """`url` is the server's root; `ports` are the app's."""

    ports: Ports
    users: dict[str, Granted] = field(default_factory=dict)
    url: str = ""

    async def authenticate(self, request: Request) -> Known:
        """By the cookie, whose value is the user's name."""
        name = request.cookies.get("_token", "")
        if name not in self.users:
            raise Unauthenticated("Not authenticated")
        return Known(name, self.users[name])

    def app(self, database: MemoryDatabase) -> FastAPI:
        async def ports() -> Ports:
            return self.ports

        async def idempotency_store() -> MemoryIdempotencyStore:
            return MemoryIdempotencyStore(database, LEASE_SECONDS)

        async def close() -> None:
            """Nothing is open."""

        return create_app(
            ports, self.authenticate, close, background=nullcontext, open_idempotency_store=idempotency_store
        )


@contextmanager
def served(
    document: dict[str, Any], fleets: Sequence[str], users: dict[str, Granted], prepare: Prepare
) -> Iterator[Served]:
    """A server with that registry, fleets of four instances, and what ``prepare`` does."""
    database, agent = MemoryDatabase(), AgentInMemory(lambda: datetime.now(UTC))
    storage = Storage({LOCATION: BACKUP})
    ports = replace(memory_ports(database, LEASE_SECONDS), fleets=FleetsInMemory(agent.agent), read_object=storage)
    made, started, ended = Served(ports, users), threading.Event(), threading.Event()

    async def run() -> None:
        for each in fleets:
            await agent.create(each, size=4, version="3.6.0")
        await load_registry(ports, entries_in(document))
        await prepare(ports)
        async with serving(made.app(database)) as url:
            made.url = url.removesuffix(URL_PREFIX)
            started.set()
            await asyncio.to_thread(ended.wait)

    thread = threading.Thread(target=asyncio.run, args=(run(),), daemon=True)
    thread.start()
    assert started.wait(60), "the server did not start"
    try:
        yield made
    finally:
        ended.set()
        thread.join(60)


def ago(**time: float) -> str:
    """A moment before now, as a registry file has it."""
    return (datetime.now(UTC) - timedelta(**time)).isoformat()
