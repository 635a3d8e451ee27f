"""Leases in PostgreSQL (port ``Leases``): expiry is by the database's clock, tokens only grow."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import BindParameter, ColumnElement, Interval, and_, bindparam, case, func, or_, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from upgrade_orchestrator.adapters.postgres.schema import tables
from upgrade_orchestrator.domain.errors import LostLease
from upgrade_orchestrator.service.ports.stores.leases import Lease

L = tables.lease.c
CLOCK_SET_BACK = timedelta(seconds=60)
"An expiry this far beyond a full lease means that the clock was set back; the lease then counts as expired."

# Built once, because every transaction of a runner uses them.
_KEY = ["conn_id", "fleet"]
_HELD = and_(*(L[name] == bindparam(f"my_{name}") for name in ("conn_id", "fleet", "owner", "token")))
_REQUIRE = select(L.token).where(_HELD).with_for_update(read=True)
_TTL: BindParameter[timedelta] = bindparam("ttl", type_=Interval())
_RENEW = (
    update(tables.lease)
    .where(_HELD, L.expires_at > func.clock_timestamp())
    .values(expires_at=func.clock_timestamp() + _TTL)
)
_RAISE = update(tables.lease).where(_HELD).values(token=L.token + 1).returning(L.token)
_GIVE_BACK = (
    update(tables.lease).where(_HELD).values(expires_at=func.least(L.expires_at, func.clock_timestamp()), owner="")
)


class PostgresLeases:
    """One row per fleet; a lease lasts ``seconds`` unless it is renewed."""

    def __init__(self, connection: AsyncConnection, seconds: float) -> None:
        self._connection = connection
        self._ttl = timedelta(seconds=seconds)

    async def take(self, conn_id: str, fleet: str, owner: str) -> Lease | None:
        """One statement decides, so that of two runners only one gets the lease; the old row is read under its lock."""
        before = await self._locked(conn_id, fleet)
        until = func.clock_timestamp() + self._ttl
        statement = insert(tables.lease).values(conn_id=conn_id, fleet=fleet, owner=owner, token=1, expires_at=until)
        new_token = case((L.owner == owner, L.token), else_=L.token + 1)
        statement = statement.on_conflict_do_update(
            index_elements=_KEY,
            set_={"owner": owner, "token": new_token, "expires_at": until},
            where=or_(L.owner == owner, self._is_over()),
        )
        token = await self._connection.scalar(statement.returning(L.token))
        if token is None:
            return None
        unattended = timedelta() if before is None else max(before.now - self._attended_until(before), timedelta())
        taken_over = before is not None and before.owner not in ("", owner)
        return Lease(conn_id, fleet, owner, token, unattended, taken_over)

    async def _locked(self, conn_id: str, fleet: str) -> Any:
        query = select(L.owner, L.expires_at, func.clock_timestamp().label("now"))
        row = query.where(L.conn_id == conn_id, L.fleet == fleet)
        return (await self._connection.execute(row.with_for_update())).one_or_none()

    def _is_over(self) -> ColumnElement[bool]:
        """Whether it has expired, or the clock was set back: no holder extends a lease that far."""
        now = func.clock_timestamp()
        return or_(L.expires_at <= now, L.expires_at > now + CLOCK_SET_BACK + self._ttl)

    def _attended_until(self, lease: Any) -> datetime:
        """When it was given back or, if its holder vanished, renewed for the last time."""
        until: datetime = lease.expires_at
        return until if lease.owner == "" else until - self._ttl

    async def renew(self, lease: Lease) -> bool:
        """Extend the lease. An expired one must be taken again: another runner may have worked in the meantime."""
        result = await self._connection.execute(_RENEW, _named(lease) | {"ttl": self._ttl})
        return result.rowcount == 1

    async def require(self, lease: Lease) -> None:
        """Under a shared row lock, so that a take-over waits until this unit of work has ended."""
        if await self._connection.scalar(_REQUIRE, _named(lease)) is None:
            raise _lost(lease)

    async def give_back(self, lease: Lease) -> bool:
        """The next runner need not wait for the expiry."""
        return (await self._connection.execute(_GIVE_BACK, _named(lease))).rowcount == 1

    async def raise_own(self, lease: Lease) -> Lease:
        """In one statement, so that it cannot raise the token of the next holder."""
        token = await self._connection.scalar(_RAISE, _named(lease))
        if token is None:
            raise _lost(lease)
        return replace(lease, token=token)

    async def raise_to(self, conn_id: str, fleet: str, at_least: int) -> int:
        """A fleet that nobody has worked on yet gets a row without a holder."""
        now = func.clock_timestamp()
        row = insert(tables.lease).values(conn_id=conn_id, fleet=fleet, owner="", token=at_least, expires_at=now)
        raised = {"token": func.greatest(L.token, at_least)}
        token = await self._connection.scalar(
            row.on_conflict_do_update(index_elements=_KEY, set_=raised).returning(L.token)
        )
        assert token is not None
        return int(token)

    async def take_away(self, conn_id: str, fleet: str) -> None:
        """The token is raised at once: its holder must not find it as it was."""
        row = update(tables.lease).where(L.conn_id == conn_id, L.fleet == fleet)
        ended = func.least(L.expires_at, func.clock_timestamp())
        await self._connection.execute(row.values(owner="", token=L.token + 1, expires_at=ended))


def _lost(lease: Lease) -> LostLease:
    return LostLease(f"another runner works on fleet {lease.fleet} of connection {lease.conn_id}")


def _named(lease: Lease) -> dict[str, Any]:
    return {
        "my_conn_id": lease.conn_id,
        "my_fleet": lease.fleet,
        "my_owner": lease.owner,
        "my_token": lease.token,
    }
