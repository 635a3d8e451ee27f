"""The ports to the simulated fleets, where each call first stops at the gate of its runner."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from tests.lifecycle.simulated_fleet import (
    DRAIN,
    MAKE,
    REMOVE,
    SET_VERSION,
    SWITCH,
    UNDRAIN,
    Effect,
    SimulatedFleet,
)
from tests.lifecycle.stepped import FLEET, ORDER, passing
from upgrade_orchestrator.domain.instance.fleet import Fleet, Health
from upgrade_orchestrator.domain.registry.entries import Deployment
from upgrade_orchestrator.service.ports.fleet import FleetDriver


class SimulatedDriver:
    """Port ``FleetDriver`` for one of the fleets."""

    def __init__(self, fleet: SimulatedFleet) -> None:
        self._fleet = fleet

    async def fleet(self) -> Fleet:
        await passing(FLEET)
        return self._fleet.fleet()

    async def health(self, instance_id: str) -> Health:
        await passing(FLEET)
        return self._fleet.health(instance_id)

    async def drain(self, instance_id: str, token: int, key: str) -> None:
        await self._send(Effect(DRAIN, instance_id, key, token))

    async def undrain(self, instance_id: str, token: int, key: str) -> None:
        await self._send(Effect(UNDRAIN, instance_id, key, token))

    async def set_version(self, instance_id: str, version: str, token: int, key: str) -> None:
        await self._send(Effect(SET_VERSION, instance_id, key, token, version))

    async def make_pool(self, pool: str, version: str, size: int, token: int, key: str) -> None:
        await self._send(Effect(MAKE, pool, key, token, version, size))

    async def remove_pool(self, pool: str, token: int, key: str) -> None:
        await self._send(Effect(REMOVE, pool, key, token))

    async def switch_traffic(self, pool: str, token: int, key: str) -> None:
        await self._send(Effect(SWITCH, pool, key, token))

    async def _send(self, wanted: Effect) -> None:
        await passing(ORDER)
        self._fleet.order(wanted)


class SimulatedFleets:
    """Port ``Fleets``: the fleets by name."""

    def __init__(self) -> None:
        self.by_name: dict[str, SimulatedFleet] = {}

    @asynccontextmanager
    async def of(self, deployment: Deployment) -> AsyncIterator[FleetDriver]:
        yield SimulatedDriver(self.by_name[deployment.fleet])
