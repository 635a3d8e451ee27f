"""An event loop whose time passes only while all its tasks wait, and then at once: a wait of an hour takes no time.

Nothing outside the process is waited for: no sockets, no threads. Whatever is ready runs; when nothing is, the clock
jumps to the next timer. A test that waits for something that can never happen fails instead of hanging.
"""

import asyncio
import selectors
from datetime import UTC, datetime, timedelta
from typing import Any

START = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
"The wall clock's first time: a Monday morning."
_A_LITTLE = 1e-6


_MAX_TURNS = 20_000
"More turns of the loop than any test needs at one moment."


class NothingToWaitForError(RuntimeError):
    """All tasks wait and no timer is set, so that the wait would never end."""


class NobodyWaitsError(RuntimeError):
    """Something is always ready, so that time would never pass."""


class Clock:
    """The time of one loop, and the wall clock that all code reads, which a test may set."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self.ahead = timedelta()
        "How far the wall clock was set ahead (negative: back); the loop's time does not jump with it."

    def now(self) -> datetime:
        """The wall clock: a little later at each call, because no two things happen at the same moment."""
        self.seconds += _A_LITTLE
        return START + timedelta(seconds=self.seconds) + self.ahead


class _Jumps(selectors.SelectSelector):
    """Lets the clock jump instead of waiting."""

    def __init__(self, clock: Clock) -> None:
        super().__init__()
        self._clock = clock
        self._turns = 0

    def select(self, timeout: float | None = None) -> list[Any]:
        """Returns nothing: no event ever comes from outside."""
        if timeout is None:
            raise NothingToWaitForError("every task waits for another one, and no timer is set")
        self._turns = self._turns + 1 if timeout <= 0 else 0
        if self._turns > _MAX_TURNS:
            self._turns = 0
            raise NobodyWaitsError("something goes on without ever waiting")
        self._clock.seconds += max(0.0, timeout)
        return []


class VirtualLoop(asyncio.SelectorEventLoop):
    """The event loop on that clock."""

    def __init__(self) -> None:
        self.clock = Clock()
        super().__init__(_Jumps(self.clock))

    def time(self) -> float:
        """Virtual seconds since the loop was created."""
        return self.clock.seconds


def running_clock() -> Clock:
    """The clock of the running loop, which has to be a virtual one."""
    loop = asyncio.get_running_loop()
    assert isinstance(loop, VirtualLoop)
    return loop.clock
