"""The loop of everything that works on a fleet: look, act, wait; somebody else may take over at any time."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable

from upgrade_orchestrator.domain.errors import LostLease
from upgrade_orchestrator.service.ports.signals import Waiter
from upgrade_orchestrator.service.runner.backoff import now_seconds
from upgrade_orchestrator.service.runner.lease import LeaseKeeper
from upgrade_orchestrator.service.runner.outcome import Ending, Outcome

log = logging.getLogger(__name__)

LEASE_WAIT_SECONDS = 1.0
"How often it is asked whether another holder is done."
LEASE_WORTH_KEEPING_SECONDS = 2.0
"A longer wait with nothing in flight gives the lease back."

Tick = Callable[[], Awaitable[Outcome | float]]
"""One round; the outcome, or the seconds until the next round."""


async def repeat(tick: Tick, keeper: LeaseKeeper, waiter: Waiter, seconds: float | None) -> Outcome:
    """Tick until the work ends or the time is over; a lost lease is taken again, from the rows as they are."""
    end = None if seconds is None else now_seconds() + seconds
    while True:
        try:
            found = await tick()
        except LostLease as error:
            log.warning("%s", error)
            keeper.forget()
            found = LEASE_WAIT_SECONDS
        if isinstance(found, Outcome):
            return found
        if end is not None and now_seconds() + found > end:
            return Outcome(Ending.UNFINISHED)
        await waiter.wait(found)
