"""What the lifecycle machine needs of a store, beside the ports: a look at the rows from the outside."""

from __future__ import annotations

from typing import Any, Protocol

from tests.lifecycle.stepped import Clock
from upgrade_orchestrator.service.ports.unit_of_work import Ports


class Store(Protocol):
    """One store for many tenants; everything but ``ports`` is read at once, as committed."""

    def ports(self, clock: Clock) -> Ports:
        """The ports on it, whose leases last ``LEASE_SECONDS``, by that clock where the store has none of its own."""

    def everything(self, tenant: str) -> Any:
        """All that a refused command must leave as it is."""

    def unsettled(self, tenant: str) -> list[str]:
        """The executions that hold the tenant's place."""

    def current_version(self, tenant: str) -> str:
        """The id of the version that its deployment is said to run."""

    def end_lease(self, tenant: str) -> None:
        """Whoever holds it has been silent for too long."""

    def last_change(self, execution_id: str) -> object:
        """Another value after every event and every change of the execution's status."""

    def is_settled(self, execution_id: str) -> bool:
        """Whether the execution has let go of its place."""

    def waiting_stage(self, execution_id: str) -> int | None:
        """The stage that somebody was asked about."""

    def instance(self, execution_id: str, instance_id: str, back: bool) -> dict[str, Any]:
        """The columns of the instance's row, or of the one on its way back, and the ``budget`` of the plan."""

    async def close(self) -> None:
        """Let go of everything."""
