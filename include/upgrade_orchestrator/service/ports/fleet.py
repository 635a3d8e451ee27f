"""Ports to the fleets (specification section 11)."""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager
from typing import ClassVar, Protocol

from upgrade_orchestrator.domain.instance.fleet import Fleet, Health
from upgrade_orchestrator.domain.registry.entries import Deployment


class FleetError(Exception):
    """The fleet did not respond or did not accept the order; this says nothing about the health of its instances.

    ``code`` is for programs. ``in_doubt``: the order may have reached the fleet although nothing acknowledged it, so
    an opposite order needs a new fencing token; False when it was refused or never left.
    """

    code: ClassVar[str] = "FLEET_ERROR"

    def __init__(self, message: str = "", *, in_doubt: bool = False) -> None:
        super().__init__(message)
        self.in_doubt = in_doubt


class Unreachable(FleetError):
    """There was no answer, or none in time."""

    code = "FLEET_UNREACHABLE"


class WrongConnection(FleetError):
    """The fleet's Airflow connection is not defined or cannot be used as it is."""

    code = "FLEET_CONNECTION"


class NotOfProtocol(FleetError):
    """The answer is not of the protocol; the message names the instance and the field. Nothing of it is used."""

    code = "FLEET_PROTOCOL"


class RefusedToken(FleetError):
    """The agent refuses the password of the connection as its token (401 or 403)."""

    code = "FLEET_REFUSED_TOKEN"


class Busy(FleetError):
    """The agent cannot take the call now (503 or 429): ask again later."""

    code = "FLEET_BUSY"


class StaleToken(FleetError):
    """The fleet has seen a higher fencing token: another process has the lease, so this one has to stop.

    ``ours`` is the token of the order, ``theirs`` the highest one that the fleet has seen, if it says so.
    """

    code = "STALE_TOKEN"

    def __init__(self, message: str = "", *, ours: int = 0, theirs: int | None = None) -> None:
        super().__init__(message)
        self.ours, self.theirs = ours, theirs


class Conflict(FleetError):
    """The fleet responded, but its current state does not allow the order."""

    code = "FLEET_CONFLICT"


class UnknownFleet(FleetError):
    """The agent responded, but has no such fleet or instance."""

    code = "FLEET_UNKNOWN"


class FleetDriver(Protocol):
    """One fleet through its driver (section 11); every order carries a fencing token and an idempotency key.

    An order may return what the fleet answered in its own words, such as ``202``.
    """

    async def fleet(self) -> Fleet: ...
    async def health(self, instance_id: str) -> Health: ...
    async def drain(self, instance_id: str, token: int, key: str) -> str | None: ...
    async def undrain(self, instance_id: str, token: int, key: str) -> str | None: ...
    async def set_version(self, instance_id: str, version: str, token: int, key: str) -> str | None: ...
    async def make_pool(self, pool: str, version: str, size: int, token: int, key: str) -> str | None: ...
    async def remove_pool(self, pool: str, token: int, key: str) -> str | None: ...
    async def switch_traffic(self, pool: str, token: int, key: str) -> str | None: ...


class Fleets(Protocol):
    """Finds the driver of a deployment."""

    def of(self, deployment: Deployment) -> AbstractAsyncContextManager[FleetDriver]:
        """:raises FleetError: the connection or the driver is not known."""
