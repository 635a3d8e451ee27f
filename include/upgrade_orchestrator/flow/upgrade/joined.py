"""One look at the database for all triggers of the triggerer that are woken for the same thing at the same moment."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Generic, TypeVar

T = TypeVar("T")


class JoinedLooks(Generic[T]):
    """Looks by what they are at. Who asks before a look has begun shares it; who asks later may know of something
    newer than it has seen, and gets one of its own."""

    def __init__(self) -> None:
        self._about_to: dict[str, asyncio.Task[T]] = {}

    async def look(self, at: str, look: Callable[[], Awaitable[T]]) -> T:
        """What ``look`` finds, or raises; who is cancelled leaves it to the others."""
        if at not in self._about_to:
            self._about_to[at] = asyncio.create_task(self._begin(at, look))
            self._about_to[at].add_done_callback(partial(self._forget, at))
        return await asyncio.shield(self._about_to[at])

    def _forget(self, at: str, ended: asyncio.Task[T]) -> None:
        """One that was cancelled before it began must not be joined any more; one that failed may have nobody left."""
        if not ended.cancelled():
            ended.exception()
        if self._about_to.get(at) is ended:
            del self._about_to[at]

    async def _begin(self, at: str, look: Callable[[], Awaitable[T]]) -> T:
        await asyncio.sleep(0)  # all that were woken with us have asked by now
        del self._about_to[at]
        return await look()
