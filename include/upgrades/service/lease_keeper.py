"""Holds a deployment's lease while there is something to do, not while there is only something to wait for."""

from __future__ import annotations

import asyncio

from include.upgrades.domain.errors import LostLease
from include.upgrades.service.ports import Lease, Ports


class LeaseKeeper:
    """The lease of one deployment as one runner holds it; ``owner`` names the runner."""

    def __init__(self, ports: Ports, tenant_id: str, component_id: str) -> None:
        self._ports = ports
        self._key = (tenant_id, component_id, ports.new_id())
        self._lease: Lease | None = None
        self._renew_at = 0.0

    @property
    def held(self) -> bool:
        """True while this runner may write and give orders."""
        return self._lease is not None

    @property
    def lease(self) -> Lease:
        """The lease held; its token goes with every order.

        :raises LostLease: when it is not held.
        """
        if self._lease is None:
            raise LostLease("the lease of this deployment is not held")
        return self._lease

    async def take(self) -> bool:
        """True when it is held now; False while somebody else works on the deployment."""
        async with self._ports.work() as work:
            self._lease = await work.leases.take(*self._key)
            await work.commit()
        self._note_renewal()
        return self.held

    async def renew_if_due(self) -> None:
        """Keep it, well before it ends.

        :raises LostLease: when somebody else has taken over.
        """
        if self._lease is None or asyncio.get_running_loop().time() < self._renew_at:
            return
        async with self._ports.work() as work:
            kept = await work.leases.renew(self._lease)
            await work.commit()
        if not kept:
            self._lease = None
            raise LostLease("somebody else has taken over this deployment")
        self._note_renewal()

    def forget(self) -> None:
        """It is lost: whatever is done next needs a new one."""
        self._lease = None

    async def give_back(self) -> None:
        """Let the next one work at once."""
        if self._lease is None:
            return
        lease, self._lease = self._lease, None
        async with self._ports.work() as work:
            await work.leases.give_back(lease)
            await work.commit()

    def _note_renewal(self) -> None:
        self._renew_at = asyncio.get_running_loop().time() + self._ports.limits.lease_seconds / 3
