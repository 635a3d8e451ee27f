"""Leases in memory (port ``Leases``): expiry is by the database's clock, tokens only grow."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from upgrade_orchestrator.adapters.memory.engine.locks import Strength
from upgrade_orchestrator.adapters.memory.engine.tables import LEASE, LeaseRow
from upgrade_orchestrator.adapters.memory.engine.transaction import Transaction
from upgrade_orchestrator.domain.errors import LostLease
from upgrade_orchestrator.service.ports.stores.leases import Lease

CLOCK_SET_BACK = timedelta(seconds=60)
"An expiry this far beyond a full lease means that the clock was set back; the lease then counts as expired."


class MemoryLeases:
    """One row per fleet; a lease lasts ``seconds`` unless it is renewed."""

    def __init__(self, transaction: Transaction, seconds: float) -> None:
        self._transaction = transaction
        self._ttl = timedelta(seconds=seconds)

    async def take(self, conn_id: str, fleet: str, owner: str) -> Lease | None:
        """Under the row's lock, so that of two runners only one gets the lease."""
        await self._transaction.statement()
        await self._transaction.lock(LEASE, conn_id, fleet, strength=Strength.ALONE)
        before, now = self._transaction.get(LEASE, conn_id, fleet), self._now()
        if before is None:
            await self._transaction.write(LEASE, LeaseRow(owner, 1, now + self._ttl), conn_id, fleet)
            return Lease(conn_id, fleet, owner, 1)
        if before.owner != owner and not self._is_over(before, now):
            return None
        token = before.token if before.owner == owner else before.token + 1
        await self._transaction.write(LEASE, LeaseRow(owner, token, now + self._ttl), conn_id, fleet)
        unattended = max(now - self._attended_until(before), timedelta())
        return Lease(conn_id, fleet, owner, token, unattended, before.owner not in ("", owner))

    def _is_over(self, lease: LeaseRow, now: datetime) -> bool:
        """Whether it has expired, or the clock was set back: no holder extends a lease that far."""
        return lease.expires_at <= now or lease.expires_at > now + CLOCK_SET_BACK + self._ttl

    def _attended_until(self, lease: LeaseRow) -> datetime:
        """When it was given back or, if its holder vanished, renewed for the last time."""
        return lease.expires_at if lease.owner == "" else lease.expires_at - self._ttl

    async def renew(self, lease: Lease) -> bool:
        """Extend the lease. An expired one must be taken again: another runner may have worked in the meantime."""
        row = await self._locked(lease, Strength.CHANGE)
        now = self._now()
        if row is None or row.expires_at <= now:
            return False
        await self._write(lease, replace(row, expires_at=now + self._ttl))
        return True

    async def require(self, lease: Lease) -> None:
        """Under a shared lock, so that a take-over waits until this unit of work has ended."""
        if await self._locked(lease, Strength.SHARE) is None:
            raise _lost(lease)

    async def give_back(self, lease: Lease) -> bool:
        """The next runner need not wait for the expiry."""
        row = await self._locked(lease, Strength.CHANGE)
        if row is None:
            return False
        await self._write(lease, replace(row, owner="", expires_at=min(row.expires_at, self._now())))
        return True

    async def raise_own(self, lease: Lease) -> Lease:
        """Under the row's lock, so that it cannot raise the token of the next holder."""
        row = await self._locked(lease, Strength.CHANGE)
        if row is None:
            raise _lost(lease)
        await self._write(lease, replace(row, token=row.token + 1))
        return replace(lease, token=row.token + 1)

    async def raise_to(self, conn_id: str, fleet: str, at_least: int) -> int:
        """A fleet that nobody has worked on yet gets a row without a holder."""
        await self._transaction.statement()
        await self._transaction.lock(LEASE, conn_id, fleet, strength=Strength.ALONE)
        before = self._transaction.get(LEASE, conn_id, fleet) or LeaseRow("", at_least, self._now())
        token = max(before.token, at_least)
        await self._transaction.write(LEASE, replace(before, token=token), conn_id, fleet)
        return token

    async def take_away(self, conn_id: str, fleet: str) -> None:
        """The token is raised at once: its holder must not find it as it was."""
        await self._transaction.statement()
        await self._transaction.lock(LEASE, conn_id, fleet, strength=Strength.ALONE)
        if before := self._transaction.get(LEASE, conn_id, fleet):
            ended = LeaseRow("", before.token + 1, min(before.expires_at, self._now()))
            await self._transaction.write(LEASE, ended, conn_id, fleet)

    async def _locked(self, lease: Lease, strength: Strength) -> LeaseRow | None:
        """Lock the row if the lease is still held. Without the lease, return None without waiting for a lock."""
        await self._transaction.statement()
        if self._held(lease) is None:
            return None
        await self._transaction.lock(LEASE, lease.conn_id, lease.fleet, strength=strength)
        return self._held(lease)

    def _held(self, lease: Lease) -> LeaseRow | None:
        row = self._transaction.get(LEASE, lease.conn_id, lease.fleet)
        return row if row and (row.owner, row.token) == (lease.owner, lease.token) else None

    async def _write(self, lease: Lease, row: LeaseRow) -> None:
        await self._transaction.write(LEASE, row, lease.conn_id, lease.fleet)

    def _now(self) -> datetime:
        return self._transaction.database.now()


def _lost(lease: Lease) -> LostLease:
    return LostLease(f"another runner works on fleet {lease.fleet} of connection {lease.conn_id}")
