"""Helpers to check that something does not happen."""

import asyncio
from typing import Any

QUIET_SECONDS = 0.2
"Seconds without a signal after which a test assumes that none will come."
STUCK_SECONDS = 0.1
"Seconds without progress after which a test assumes that a task is blocked."


async def waits(*tasks: "asyncio.Task[Any]") -> bool:
    """Check that none of the tasks makes progress for a while."""
    done, _ = await asyncio.wait(tasks, timeout=STUCK_SECONDS)
    return not done
