"""How many processes look at storages at the same time: a place is free again once its process is really gone."""

from __future__ import annotations

import asyncio
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

KILL_SECONDS = 2.0
"How long to wait for the end of a killed process; a hung mount may hold it for longer."
_dying: set[asyncio.Task[None]] = set()


class Places:
    """``most`` places; a caller that finds none waits up to ``seconds``."""

    def __init__(self, most: int, seconds: float) -> None:
        self._most, self._seconds = most, seconds
        self._free = asyncio.Semaphore(most)

    @asynccontextmanager
    async def process(self, *command: str) -> AsyncIterator[Process]:
        """A process that is killed when the context is left.

        :raises OSError: no place has become free in time.
        """
        await self._take()
        try:
            # its errors go where ours go
            started = await asyncio.create_subprocess_exec(*command, stdin=PIPE, stdout=PIPE, limit=1 << 20)
        except BaseException:
            self._free.release()
            raise
        try:
            yield started
        finally:
            await self._end(started)

    async def _take(self) -> None:
        try:
            async with asyncio.timeout(self._seconds):
                await self._free.acquire()
        except TimeoutError:
            busy = f"{self._most} looks at storages are under way in this process, at most that many at once"
            raise OSError(f"{busy}: does a storage hang?") from None

    async def _end(self, process: Process) -> None:
        with suppress(ProcessLookupError):
            process.kill()
        dying = asyncio.create_task(self._bury(process))
        _dying.add(dying)
        dying.add_done_callback(_dying.discard)
        await asyncio.wait([dying], timeout=KILL_SECONDS)

    async def _bury(self, process: Process) -> None:
        try:
            await process.wait()
        finally:
            self._free.release()
