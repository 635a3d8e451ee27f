"""The store of leases; a fleet's lease lets one runner at a time work on it (specification section 11)."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Lease:
    """The right to work on the fleet ``fleet`` of the connection ``conn_id``; ``token`` is the fencing token.

    ``unattended`` is for how long no runner had held the lease before, ``taken_over`` whether the last holder never
    gave it back and may still send an order.
    """

    conn_id: str
    fleet: str
    owner: str
    token: int
    unattended: timedelta = field(default=timedelta(), compare=False)
    taken_over: bool = field(default=False, compare=False)


class Leases(Protocol):
    """Leases of fleets: one holder at a time, by the database's clock; a fleet's token never becomes lower."""

    async def take(self, conn_id: str, fleet: str, owner: str) -> Lease | None:
        """The lease, with a new, higher token when the owner changes; None while another owner holds it."""

    async def renew(self, lease: Lease) -> bool:
        """Extend the lease; False when another owner has it or it has expired, so that it must be acquired again."""

    async def require(self, lease: Lease) -> None:
        """Prevent a take-over until this unit of work ends.

        :raises LostLease: another owner has taken over.
        """

    async def give_back(self, lease: Lease) -> bool:
        """Release the lease at once; False when another owner has taken over already."""

    async def raise_own(self, lease: Lease) -> Lease:
        """The same lease with the next higher token: the fleet then refuses orders that were sent with the last one.

        :raises LostLease: another owner has taken over.
        """

    async def raise_to(self, conn_id: str, fleet: str, at_least: int) -> int:
        """Make the fleet's token at least ``at_least``, never lower than it is; returns the token.

        A holder loses its lease when the token changes, and takes it again with the new token.
        """

    async def take_away(self, conn_id: str, fleet: str) -> None:
        """End the lease, also that of a holder at work: the next taker gets a higher token.

        Does nothing if nobody ever took it.
        """
