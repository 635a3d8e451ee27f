"""The store of leases; a deployment's lease lets one runner at a time work on it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Lease:
    """The right to work on a deployment; ``token`` is the fencing token.

    ``unattended`` is for how long no runner had held the lease before, ``taken_over`` whether the last holder never
    gave it back and may still send an order.
    """

    tenant_id: str
    component_id: str
    owner: str
    token: int
    unattended: timedelta = field(default=timedelta(), compare=False)
    taken_over: bool = field(default=False, compare=False)


class Leases(Protocol):
    """Leases of deployments: one holder at a time, by the database's clock."""

    async def take(self, tenant_id: str, component_id: str, owner: str) -> Lease | None:
        """The lease, with a new, higher token when the owner changes; None while another owner holds it."""

    async def renew(self, lease: Lease) -> bool:
        """Extend the lease; False when another owner has it or it has expired, so that it must be acquired again."""

    async def require(self, lease: Lease) -> None:
        """Prevent a take-over until this unit of work ends.

        :raises LostLease: another owner has taken over.
        """

    async def give_back(self, lease: Lease) -> bool:
        """Release the lease at once; False when another owner has taken over already."""
