"""One read of the database for all triggers of a triggerer that are woken for the same thing at the same moment."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Generic, TypeVar

T = TypeVar("T")


class SharedReads(Generic[T]):
    """Reads by key. A caller that comes before a read has begun shares it.

    A later caller may know of newer changes than that read sees, so it gets its own.
    """

    def __init__(self) -> None:
        self._planned: dict[str, asyncio.Task[T]] = {}

    async def read(self, key: str, read: Callable[[], Awaitable[T]]) -> T:
        """The result of ``read``, or its exception; a cancelled caller does not cancel it for the others."""
        if key not in self._planned:
            self._planned[key] = asyncio.create_task(self._begin(key, read))
            self._planned[key].add_done_callback(partial(self._forget, key))
        return await asyncio.shield(self._planned[key])

    def _forget(self, key: str, ended: asyncio.Task[T]) -> None:
        """Remove a read that was cancelled before it began; retrieve the exception of one without waiting callers."""
        if not ended.cancelled():
            ended.exception()
        if self._planned.get(key) is ended:
            del self._planned[key]

    async def _begin(self, key: str, read: Callable[[], Awaitable[T]]) -> T:
        await asyncio.sleep(0)  # let all callers that were woken at the same moment join
        del self._planned[key]
        return await read()
