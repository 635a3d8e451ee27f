"""The loop of use cases that wait for a decision: read the rows, wait for a signal, read again."""

from __future__ import annotations

from asyncio import get_running_loop
from collections.abc import Awaitable, Callable

from upgrade_orchestrator.service.ports.unit_of_work import Ports
from upgrade_orchestrator.service.runner.outcome import SLOW_POLL_SECONDS, Ending, Outcome

Look = Callable[[], Awaitable[Outcome | float]]
"""Reads the rows once; the outcome, or the seconds until the next call, earlier after a signal."""


async def wait_until(look: Look, ports: Ports, execution_id: str, seconds: float | None) -> Outcome:
    """Call ``look`` until there is an outcome; UNFINISHED after about ``seconds`` (None: no limit)."""
    end = None if seconds is None else get_running_loop().time() + seconds
    async with ports.signals.of(execution_id) as waiter:
        while True:
            found = await look()
            if isinstance(found, Outcome):
                return found
            left = SLOW_POLL_SECONDS if end is None else end - get_running_loop().time()
            if left <= 0:
                return Outcome(Ending.UNFINISHED)
            await waiter.wait(min(found, left, SLOW_POLL_SECONDS))
