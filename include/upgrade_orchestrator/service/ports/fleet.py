"""What the use cases need of a fleet (contract section 11)."""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager
from typing import Protocol

from upgrade_orchestrator.domain.instance.fleet import Fleet, Health
from upgrade_orchestrator.domain.registry.entries import Deployment


class FleetError(Exception):
    """The fleet could not be asked, or did not take the order: an error of the way, not an ill instance."""


class StaleToken(FleetError):
    """The fleet has seen a higher fencing token: somebody else works on it, this process stops."""


class Conflict(FleetError):
    """The fleet is there, but the state that it is in forbids the order."""


class UnknownFleet(FleetError):
    """Whoever was asked answers, but knows no such fleet or instance."""


class FleetDriver(Protocol):
    """One fleet, reached through its driver (section 11); every order carries a fencing token and may be repeated."""

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
        """:raises FleetError: when the connection or the driver is not known."""
