"""Ports to the fleets (specification section 11)."""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager
from typing import ClassVar, Protocol

from upgrade_orchestrator.domain.instance.fleet import Fleet, Health
from upgrade_orchestrator.domain.registry.entries import Deployment


class FleetError(Exception):
    """The fleet did not respond or did not accept the order; this says nothing about the health of its instances."""

    code: ClassVar[str] = "FLEET_UNREACHABLE"
    in_doubt = True


class StaleToken(FleetError):
    """The fleet has seen a higher fencing token: another process has the lease, so this one has to stop."""


class Conflict(FleetError):
    """The fleet responded, but its current state does not allow the order."""


class UnknownFleet(FleetError):
    """The agent responded, but has no such fleet or instance."""


class FleetDriver(Protocol):
    """One fleet through its driver (section 11); every order carries a fencing token and an idempotency key."""

    async def fleet(self) -> Fleet: ...
    async def health(self, instance_id: str) -> Health: ...
    async def drain(self, instance_id: str, token: int, key: str) -> None: ...
    async def undrain(self, instance_id: str, token: int, key: str) -> None: ...
    async def set_version(self, instance_id: str, version: str, token: int, key: str) -> None: ...
    async def make_pool(self, pool: str, version: str, size: int, token: int, key: str) -> None: ...
    async def remove_pool(self, pool: str, token: int, key: str) -> None: ...
    async def switch_traffic(self, pool: str, token: int, key: str) -> None: ...


class Fleets(Protocol):
    """Finds the driver of a deployment."""

    def of(self, deployment: Deployment) -> AbstractAsyncContextManager[FleetDriver]:
        """:raises FleetError: the connection or the driver is not known."""
