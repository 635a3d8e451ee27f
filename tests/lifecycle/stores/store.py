"""What the lifecycle machine needs of a store, in addition to the ports: reading rows from outside."""

from __future__ import annotations

from typing import Any, Protocol

from tests.lifecycle.stepped import Clock
from upgrade_orchestrator.service.ports.unit_of_work import Ports


class Store(Protocol):
    """One store for many tenants; everything but ``ports`` is read at once, as committed."""

    def ports(self, clock: Clock) -> Ports:
        """The ports on it, whose leases last ``LEASE_SECONDS``, by that clock where the store has none of its own."""

    def everything(self, tenant: str) -> Any:
        """Everything that a refused command must leave unchanged."""

    def unsettled(self, tenant: str) -> list[str]:
        """The executions that hold the tenant's active slot."""

    def current_version(self, tenant: str) -> str:
        """The id of the version that its deployment is recorded to run."""

    def end_lease(self, tenant: str) -> None:
        """Make the lease expire, as if its holder had been silent for too long."""

    def last_change(self, execution_id: str) -> object:
        """A value that changes with every event and every change of the execution's status."""

    def is_settled(self, execution_id: str) -> bool:
        """Whether the execution has released its active slot."""

    def waiting_stage(self, execution_id: str) -> int | None:
        """The stage whose approval is being asked for."""

    def instance(self, execution_id: str, instance_id: str, back: bool) -> dict[str, Any]:
        """The columns of the instance's row, or of its rollback row, and the ``budget`` of the plan."""

    async def close(self) -> None:
        """Close everything."""
