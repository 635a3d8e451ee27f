"""How to see that something does not happen."""

import asyncio
from typing import Any

QUIET_SECONDS = 0.2
"Without a signal, after which none is taken to come."
STUCK_SECONDS = 0.1
"Without getting on, after which a task is taken to wait for somebody."


async def waits(*tasks: "asyncio.Task[Any]") -> bool:
    """None of them gets on for a while."""
    done, _ = await asyncio.wait(tasks, timeout=STUCK_SECONDS)
    return not done
