"""Connections to our own database: one small pool per process and event loop, opened when first needed."""

from __future__ import annotations

import asyncio
from weakref import WeakKeyDictionary

from sqlalchemy import Engine, create_engine
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import NullPool

POOL_SIZE = 4
"Connections a process keeps; all its triggers share them."

_engines: WeakKeyDictionary[asyncio.AbstractEventLoop, dict[str, AsyncEngine]] = WeakKeyDictionary()


def engine_of(url: str) -> AsyncEngine:
    """The engine for ``url`` that belongs to the running event loop."""
    engines = _engines.setdefault(asyncio.get_running_loop(), {})
    if url not in engines:
        engines[url] = create_async_engine(
            url,
            pool_size=POOL_SIZE,
            max_overflow=POOL_SIZE,
            pool_timeout=10,
            pool_pre_ping=True,
            connect_args={"connect_timeout": 5, "application_name": "upgrades", "options": "-c timezone=UTC"},
        )
    return engines[url]


async def dispose_engines() -> None:
    """Close what the running event loop has opened; a worker does so before its loop ends."""
    for engine in _engines.pop(asyncio.get_running_loop(), {}).values():
        await engine.dispose()


def sync_engine(url: str) -> Engine:
    """An engine for code without an event loop: the dag files and the migrations."""
    return create_engine(url, poolclass=NullPool, connect_args={"connect_timeout": 5, "options": "-c timezone=UTC"})
