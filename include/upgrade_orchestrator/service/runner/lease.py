"""Holds a fleet's lease while there is work to do, and gives it back for longer waits."""

from __future__ import annotations

import asyncio
import logging
from asyncio import get_running_loop
from collections.abc import Awaitable, Callable
from math import inf
from typing import TypeVar

from upgrade_orchestrator.domain.errors import LostLease, Unavailable
from upgrade_orchestrator.domain.registry.entries import Deployment
from upgrade_orchestrator.service.ports.stores.leases import Lease
from upgrade_orchestrator.service.ports.unit_of_work import Ports, UnitOfWork
from upgrade_orchestrator.service.runner.journal.sentences import pairs
from upgrade_orchestrator.service.runner.journal.task_log import TaskLog

log = logging.getLogger(__name__)

T = TypeVar("T")

LONGEST_ROUND_SECONDS = 60.0
"The longest time between two rounds that counts as watched; in a longer one the process was suspended."
TURN_GAP_SECONDS = 5.0
"Nobody holds the lease between two turns at the end of an execution; a gap up to this counts as watched."

SaveClocks = Callable[[UnitOfWork], Awaitable[None]]
"""Writes the watched seconds in the transaction that renews the lease."""


async def no_clocks(_: UnitOfWork) -> None:
    """Write nothing, for work that counts no watched seconds."""


class LeaseKeeper:
    """The lease of a deployment's fleet, for one runner, which is its owner."""

    def __init__(self, ports: Ports, deployment: Deployment, counted_gap: float = 0.0) -> None:
        """``counted_gap``: how many seconds without any holder before the first take count as watched."""
        self._ports, self._counted_gap = ports, counted_gap
        self._key = (deployment.conn_id, deployment.fleet, ports.new_id())
        self._lease: Lease | None = None
        self.held = False
        "True while this runner may write and give orders."
        self._renew_at = 0.0
        self._watched_at: float | None = None
        self._log = TaskLog()
        self.unfenced = False
        "True while the previous holder, which never gave the lease back, may still send an order."

    @property
    def lease(self) -> Lease:
        """The lease held; every order carries its fencing token.

        :raises LostLease: it is not held.
        """
        if self._lease is None:
            raise LostLease("the lease of this fleet is not held")
        return self._lease

    async def take(self) -> bool:
        """Try to acquire the lease; False while another runner holds it."""
        async with self._ports.work() as work:
            self._lease = lease = await work.leases.take(*self._key)
            await work.commit()
        self.held = lease is not None
        self._tell(lease)
        if lease is not None:
            self.unfenced = lease.taken_over
            self._renew_at = get_running_loop().time() + self._ports.options.lease_seconds / 3
            self._watched_at = self._watched_since(get_running_loop().time(), lease.unattended.total_seconds())
        return self.held

    def _tell(self, lease: Lease | None) -> None:
        """Sentence once: a runner that has nothing in flight gives the lease back and takes it again in every round."""
        conn_id, fleet, _ = self._key
        if lease is None:
            what = pairs("wait", **{"for": "lease"}, fleet=fleet, connection=conn_id)
            self._log.once("lease", None, f"{what}: another runner works on this fleet")
            return
        before = "after a runner that did not give it back" if lease.taken_over else "nobody had it"
        taken = pairs("lease taken", token=lease.token, fleet=fleet, connection=conn_id)
        self._log.once("lease", lease.taken_over, f"{taken}: {before}", again=inf)

    def _watched_since(self, now: float, unattended: float) -> float | None:
        if self._watched_at is not None:  # time in which another runner held it was counted by that runner
            return max(self._watched_at, now - unattended)
        return now - unattended if 0 < unattended <= self._counted_gap else None

    async def renew_if_due(self, save_clocks: SaveClocks) -> None:
        """Extend the lease well before it expires; to be called in every round. An expired one must be re-acquired.

        :raises LostLease: another runner has taken over, or the lease has expired.
        """
        if self._lease is None or get_running_loop().time() < self._renew_at:
            return
        async with self._ports.work() as work:
            kept = await work.leases.renew(self._lease)
            if kept:
                await save_clocks(work)
            await work.commit()
        if not kept:
            self.forget()
            raise LostLease("the lease of this fleet has ended")
        self._renew_at = get_running_loop().time() + self._ports.options.lease_seconds / 3

    async def raise_token(self) -> None:
        """Go on with a higher token, so that the fleet refuses what was sent with the last one and is still under way.

        :raises LostLease: another runner has taken over.
        """
        async with self._ports.work() as work:
            self._lease = await work.leases.raise_own(self.lease)
            await work.commit()

    def seconds_since_last_call(self) -> float:
        """The watched seconds since the last call, by the monotonic clock."""
        before, self._watched_at = self._watched_at, get_running_loop().time()
        return 0.0 if before is None else min(self._watched_at - before, LONGEST_ROUND_SECONDS)

    def stop_watching(self) -> None:
        """Do not count the time until the next call of ``seconds_since_last_call``, because the execution is paused."""
        self._watched_at = None

    def forget(self) -> None:
        """Drop a lost lease; further work needs a new one."""
        self._lease, self.held = None, False

    async def give_back(self, save_clocks: SaveClocks) -> None:
        """Release the lease at once and write the watched seconds, from which the next holder continues."""
        if self._lease is None:
            return
        lease, self._lease, self.held = self._lease, None, False
        async with self._ports.work() as work:
            if await work.leases.give_back(lease):
                await save_clocks(work)
            await work.commit()

    async def kept_during(self, round_: Callable[[], Awaitable[T]]) -> T:
        """Carry out a round, whose calls to a fleet that hangs may take longer than the lease lasts.

        Meanwhile the lease is renewed; without that every round would lose it, and with it the watched seconds that
        end a step of an instance. After ``LONGEST_ROUND_SECONDS`` it is not renewed any more.
        """
        loop, renewing = get_running_loop(), list[asyncio.Task[None]]()
        gap = self._ports.options.lease_seconds / 3
        later = loop.call_later(gap, lambda: renewing.append(loop.create_task(self._renew_each(gap))))
        try:
            return await round_()
        finally:
            later.cancel()
            for each in renewing:
                each.cancel()
            await asyncio.gather(*renewing, return_exceptions=True)

    async def _renew_each(self, gap: float) -> None:
        end = get_running_loop().time() + LONGEST_ROUND_SECONDS
        while get_running_loop().time() < end:
            await self._renew_quietly()
            await asyncio.sleep(gap)

    async def _renew_quietly(self) -> None:
        """Renew it if it is held; the next round notices if it is lost."""
        if self._lease is None:
            return
        try:
            async with self._ports.work() as work:
                await work.leases.renew(self._lease)
                await work.commit()
        except Unavailable as error:
            log.warning("the lease is not renewed: %s", error)
