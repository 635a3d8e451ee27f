"""Holds a deployment's lease while there is something to do, not while there is only something to wait for."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from upgrade_orchestrator.domain.errors import LostLease
from upgrade_orchestrator.domain.execution.execution import Execution
from upgrade_orchestrator.service.ports.leases import Lease
from upgrade_orchestrator.service.ports.unit_of_work import Ports, UnitOfWork
from upgrade_orchestrator.service.runner.clock import now_seconds

LONGEST_ROUND_SECONDS = 60.0
"A runner that is silent for longer stood still, and did not look at anything."

SaveClocks = Callable[[UnitOfWork], Awaitable[None]]
"""Writes the seconds that were watched, in the transaction in which the lease is renewed."""


async def no_clocks(_: UnitOfWork) -> None:
    """For work that counts no watched seconds."""


class LeaseKeeper:
    """The lease of one execution's deployment as one runner holds it, which is the owner."""

    def __init__(self, ports: Ports, execution: Execution) -> None:
        self._ports = ports
        self._key = (execution.tenant_id, execution.request.component_id, ports.new_id())
        self._lease: Lease | None = None
        self.held = False
        "True while this runner may write and give orders."
        self._renew_at = 0.0
        self._watched_at: float | None = None
        self.unfenced = False
        "True while the holder before, which never gave the lease back, may still send an order."

    @property
    def lease(self) -> Lease:
        """The lease held; its token goes with every order.

        :raises LostLease: when it is not held.
        """
        if self._lease is None:
            raise LostLease("the lease of this deployment is not held")
        return self._lease

    async def take(self) -> bool:
        """True when it is held now; False while another runner works on the deployment."""
        async with self._ports.work() as work:
            self._lease = lease = await work.leases.take(*self._key)
            await work.commit()
        self.held = lease is not None
        if lease is not None:
            self.unfenced = lease.taken_over
            self._renew_at = now_seconds() + self._ports.limits.lease_seconds / 3
            if self._watched_at is not None:  # while another one held it, that one has counted
                self._watched_at = max(self._watched_at, now_seconds() - lease.unattended.total_seconds())
        return self.held

    async def renew_if_due(self, save_clocks: SaveClocks) -> None:
        """Keep it, well before it ends; to be called in every round.

        :raises LostLease: when another runner has taken over, or when it has ended.
        """
        if self._lease is None or now_seconds() < self._renew_at:
            return
        async with self._ports.work() as work:
            kept = await work.leases.renew(self._lease)
            if kept:
                await save_clocks(work)
            await work.commit()
        if not kept:
            self.forget()
            raise LostLease("the lease of this deployment has ended")
        self._renew_at = now_seconds() + self._ports.limits.lease_seconds / 3

    def watched(self) -> float:
        """Seconds since the last call: time in which this runner has watched, by a clock that does not jump."""
        before, self._watched_at = self._watched_at, now_seconds()
        return 0.0 if before is None else min(self._watched_at - before, LONGEST_ROUND_SECONDS)

    def stop_watching(self) -> None:
        """What passes until the next look does not count: the execution is paused."""
        self._watched_at = None

    def forget(self) -> None:
        """It is lost: what is done next needs a new one."""
        self._lease, self.held = None, False

    async def give_back(self, save_clocks: SaveClocks) -> None:
        """Let the next one work at once, which counts on from what was watched."""
        if self._lease is None:
            return
        lease, self._lease, self.held = self._lease, None, False
        async with self._ports.work() as work:
            if await work.leases.give_back(lease):
                await save_clocks(work)
            await work.commit()
