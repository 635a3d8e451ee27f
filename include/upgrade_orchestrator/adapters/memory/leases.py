"""Leases in memory (port ``Leases``): the database's clock decides, tokens only grow."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from upgrade_orchestrator.adapters.memory.engine.locks import Strength
from upgrade_orchestrator.adapters.memory.engine.tables import LEASE, LeaseRow
from upgrade_orchestrator.adapters.memory.engine.transaction import Transaction
from upgrade_orchestrator.domain.errors import LostLease
from upgrade_orchestrator.service.ports.leases import Lease

CLOCK_SET_BACK = timedelta(seconds=60)
"An end so much later than any holder's is none: the clock was set back, and nobody waits it out."


class MemoryLeases:
    """One row per deployment; ``seconds`` is how long a holder may be silent."""

    def __init__(self, transaction: Transaction, seconds: float) -> None:
        self._transaction = transaction
        self._ttl = timedelta(seconds=seconds)

    async def take(self, tenant_id: str, component_id: str, owner: str) -> Lease | None:
        """Under the lock of the row, so that two takers cannot both win."""
        await self._transaction.statement()
        await self._transaction.lock(LEASE, tenant_id, component_id, strength=Strength.ALONE)
        before, now = self._transaction.get(LEASE, tenant_id, component_id), self._now()
        if before is None:
            await self._transaction.write(LEASE, LeaseRow(owner, 1, now + self._ttl), tenant_id, component_id)
            return Lease(tenant_id, component_id, owner, 1)
        if before.owner != owner and not self._is_over(before, now):
            return None
        token = before.token if before.owner == owner else before.token + 1
        await self._transaction.write(LEASE, LeaseRow(owner, token, now + self._ttl), tenant_id, component_id)
        unattended = max(now - self._attended_until(before), timedelta())
        return Lease(tenant_id, component_id, owner, token, unattended, before.owner not in ("", owner))

    def _is_over(self, lease: LeaseRow, now: datetime) -> bool:
        """Its time has passed; or the clock was set back, for no holder pushes the end out so far."""
        return lease.expires_at <= now or lease.expires_at > now + CLOCK_SET_BACK + self._ttl

    def _attended_until(self, lease: LeaseRow) -> datetime:
        """Given back then, or, by one that went without a word, renewed for the last time."""
        return lease.expires_at if lease.owner == "" else lease.expires_at - self._ttl

    async def renew(self, lease: Lease) -> bool:
        """Push the end of the lease out; one that has ended is taken anew, for nobody knows who worked meanwhile."""
        row = await self._locked(lease, Strength.CHANGE)
        now = self._now()
        if row is None or row.expires_at <= now:
            return False
        await self._write(lease, replace(row, expires_at=now + self._ttl))
        return True

    async def require(self, lease: Lease) -> None:
        """A shared lock: a take-over waits until this unit of work has ended."""
        if await self._locked(lease, Strength.SHARE) is None:
            raise LostLease(f"somebody else works on component {lease.component_id} of tenant {lease.tenant_id}")

    async def give_back(self, lease: Lease) -> bool:
        """The next taker need not wait for the end of the lease."""
        row = await self._locked(lease, Strength.CHANGE)
        if row is None:
            return False
        await self._write(lease, replace(row, owner="", expires_at=min(row.expires_at, self._now())))
        return True

    async def _locked(self, lease: Lease, strength: Strength) -> LeaseRow | None:
        """The row while it is the lease's; whoever has lost it need not wait to hear so."""
        await self._transaction.statement()
        if self._mine(lease) is None:
            return None
        await self._transaction.lock(LEASE, lease.tenant_id, lease.component_id, strength=strength)
        return self._mine(lease)

    def _mine(self, lease: Lease) -> LeaseRow | None:
        row = self._transaction.get(LEASE, lease.tenant_id, lease.component_id)
        return row if row and (row.owner, row.token) == (lease.owner, lease.token) else None

    async def _write(self, lease: Lease, row: LeaseRow) -> None:
        await self._transaction.write(LEASE, row, lease.tenant_id, lease.component_id)

    def _now(self) -> datetime:
        return self._transaction.database.now()
