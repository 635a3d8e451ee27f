"""The clock of waits and time-outs."""

from __future__ import annotations

import asyncio


def now_seconds() -> float:
    """The event loop's clock: no jump of the wall clock disturbs a wait."""
    return asyncio.get_running_loop().time()
