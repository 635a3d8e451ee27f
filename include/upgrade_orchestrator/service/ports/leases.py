"""The lease of a deployment, which lets one process at a time work on it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Lease:
    """The right to work on a deployment until somebody else takes over; ``token`` is the fencing token.

    ``unattended`` is for how long nobody has held it before, ``taken_over`` whether its last holder never gave it back
    and may still be about to send an order.
    """

    tenant_id: str
    component_id: str
    owner: str
    token: int
    unattended: timedelta = field(default=timedelta(), compare=False)
    taken_over: bool = field(default=False, compare=False)


class Leases(Protocol):
    """The lease of a deployment: one holder at a time, by the database's clock."""

    async def take(self, tenant_id: str, component_id: str, owner: str) -> Lease | None:
        """The lease, with a higher token than any before when it changes hands; None while another holds it."""

    async def renew(self, lease: Lease) -> bool:
        """False when somebody else has taken over, or when it has ended: it has to be taken again."""

    async def require(self, lease: Lease) -> None:
        """Hold it against a take-over until this unit of work ends.

        :raises LostLease: when somebody else has taken over.
        """

    async def give_back(self, lease: Lease) -> bool:
        """Free at once for the next; False when another has taken over already."""
