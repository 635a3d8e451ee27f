"""The monotonic clock of waits and time-outs."""

from __future__ import annotations

import asyncio


def now_seconds() -> float:
    """The event loop's time in seconds; it does not jump when the wall clock is set."""
    return asyncio.get_running_loop().time()
