"""Connections to our own database: one small pool for each process and event loop, opened on first use."""

from __future__ import annotations

import asyncio
import time
from functools import partial
from typing import Any
from weakref import WeakKeyDictionary

from sqlalchemy import Dialect, Engine, create_engine, event
from sqlalchemy.exc import DisconnectionError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import ConnectionPoolEntry, NullPool

from upgrade_orchestrator.adapters.postgres.engine.limits import (
    answer_seconds,
    connection_arguments,
    open_answering,
    server_limits,
)

POOL_SIZE = 4
"Connections that a process keeps; all its triggers share them."

PING_AFTER_SECONDS = 5.0
"A connection that was idle for longer is pinged before use."

IDLE_SECONDS = 15.0
"""PostgreSQL closes a connection that was idle for longer: after a burst a process that waits keeps the one or two
that it needs, not the whole pool. Well above ``PING_AFTER_SECONDS``, so that none is closed just before its use."""

_engines: WeakKeyDictionary[asyncio.AbstractEventLoop, dict[str, AsyncEngine]] = WeakKeyDictionary()


def engine_of(url: str) -> AsyncEngine:
    """The engine for ``url`` that belongs to the running event loop."""
    engines = _engines.setdefault(asyncio.get_running_loop(), {})
    if url not in engines:
        engines[url] = _open(url)
    return engines[url]


def _open(url: str) -> AsyncEngine:
    arguments = connection_arguments(url, "timezone=UTC", _closes_idle(), *server_limits())
    answering = partial(open_answering, answer_seconds(arguments["options"]))
    engine = create_async_engine(
        url,
        pool_size=POOL_SIZE,
        max_overflow=POOL_SIZE,
        pool_timeout=10,
        pool_use_lifo=True,  # reuse the most recent connection, so that the others become idle and are closed
        connect_args={**arguments, "application_name": "upgrades", "async_creator_fn": answering},
    )
    event.listen(engine.sync_engine, "checkin", _note_idle)
    event.listen(engine.sync_engine, "checkout", partial(_ping_if_idle, engine.sync_engine.dialect))
    return engine


def _closes_idle() -> str:
    return f"idle_session_timeout={IDLE_SECONDS * 1000:.0f}"


def _note_idle(_connection: object, record: ConnectionPoolEntry) -> None:
    record.info["rests_since"] = time.monotonic()


def _ping_if_idle(dialect: Dialect, connection: Any, record: ConnectionPoolEntry, _proxy: object) -> None:
    """Ping only idle connections: a ping at every use would double the round trips of a busy process."""
    idle = time.monotonic() - record.info.get("rests_since", time.monotonic())
    if idle < PING_AFTER_SECONDS:
        return
    try:
        dialect.do_ping(connection)
    except Exception as error:
        raise DisconnectionError from error  # the pool opens another connection instead


async def dispose_engines() -> None:
    """Close the engines of the running event loop; a worker does so before its loop ends."""
    for engine in _engines.pop(asyncio.get_running_loop(), {}).values():
        await engine.dispose()


def sync_engine(url: str) -> Engine:
    """An engine for the migrations, whose statements may take as long as they need."""
    return create_engine(url, poolclass=NullPool, connect_args=connection_arguments(url, "timezone=UTC"))
