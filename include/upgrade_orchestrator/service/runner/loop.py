"""The loop of all runners, and its timing: backoff between observations, and the poll schedule of health polls."""

from __future__ import annotations

import logging
from asyncio import get_running_loop
from collections.abc import Awaitable, Callable, Hashable, Iterable
from dataclasses import dataclass, field
from math import inf
from typing import TypeVar

from upgrade_orchestrator.domain.errors import LostLease
from upgrade_orchestrator.service.ports.fleet import StaleToken
from upgrade_orchestrator.service.ports.signals import Waiter
from upgrade_orchestrator.service.runner.lease import LeaseKeeper
from upgrade_orchestrator.service.runner.outcome import Ending, Outcome

log = logging.getLogger(__name__)

LEASE_WAIT_SECONDS = 1.0
"How often a runner tries to acquire a lease that another one holds."
LEASE_WORTH_KEEPING_SECONDS = 2.0
"""For a longer wait with nothing in flight the lease is given back.

It is not below ``Backoff.LONGEST``, so that a runner that waits for the fleet keeps the lease.
"""

K = TypeVar("K", bound=Hashable)
Tick = Callable[[], Awaitable[Outcome | float]]
"""One round; the outcome, or the seconds until the next round."""


Refused = Callable[[StaleToken], Awaitable[Outcome]]
"""Ends the work of the lease's holder whose order the fleet refused; raises LostLease if it is not the holder."""


async def repeat(tick: Tick, lease: LeaseKeeper, waiter: Waiter, seconds: float | None, refused: Refused) -> Outcome:
    """Call ``tick`` until the work ends or the time is over; after a lost lease the rows are read again.

    A fleet that refuses an order as stale has mostly seen the next holder of the lease; if there is none, ``refused``
    ends the work.
    """
    end = None if seconds is None else get_running_loop().time() + seconds
    while True:
        try:
            try:
                found = await lease.kept_during(tick)
            except StaleToken as refusal:
                log.warning("%s", refusal)
                found = await refused(refusal)
        except LostLease as error:
            log.warning("%s", error)
            lease.forget()
            found = LEASE_WAIT_SECONDS
        if isinstance(found, Outcome):
            return found
        if end is not None and get_running_loop().time() + found > end:
            return Outcome(Ending.UNFINISHED)
        await waiter.wait(found)


@dataclass
class Backoff:
    """Gaps between observations that grow with the time since the last change: from 0.12 s up to 2 s."""

    SHORTEST, LONGEST, SHARE = 0.12, 2.0, 0.3
    _changed_at: float = field(default_factory=lambda: get_running_loop().time())

    def changed(self) -> None:
        """Something changed, so the next gap is short."""
        self._changed_at = get_running_loop().time()

    def gap(self) -> float:
        """Seconds until the next observation: 30 % of the time since the last change, within the limits."""
        waited = get_running_loop().time() - self._changed_at
        return min(self.LONGEST, max(self.SHORTEST, waited * self.SHARE))


@dataclass
class PollSchedule:
    """When each (a try of an instance, a pool) is polled: at once, then at gaps doubling from 0.5 s up to ``longest``.

    Specification section 4.
    """

    longest: float
    _due: dict[Hashable, tuple[float, float]] = field(default_factory=dict)

    FIRST = 0.5

    def due(self, keys: Iterable[K]) -> list[K]:
        """Those that it is time to poll, the most overdue first; the schedule of all others is forgotten."""
        now, keys = get_running_loop().time(), list(keys)
        self._due = {each: self._due.get(each, (now, 0.0)) for each in keys}
        return sorted((each for each in keys if now >= self._due[each][0]), key=lambda each: self._due[each][0])

    def polled(self, key: Hashable, at_most: float | None = None) -> None:
        """Record a poll; the gap to the next one doubles, but is at most ``at_most`` seconds."""
        _, gap = self._due.get(key, (0.0, 0.0))
        following = min(self.longest, gap * 2) if gap else min(self.longest, self.FIRST)
        wait = following if at_most is None else min(following, max(0.05, at_most))
        self._due[key] = (get_running_loop().time() + wait, following)

    def next_in(self, keys: Iterable[Hashable]) -> float:
        """Seconds until the first of these is polled; infinite without any."""
        now = get_running_loop().time()
        return max(0.0, min((self._due.get(each, (now, 0.0))[0] for each in keys), default=inf) - now)
