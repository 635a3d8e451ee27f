"""The runner's client of a fleet: observes, polls health and sends orders, concurrently; it has no rules."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable

from upgrade_orchestrator.domain.instance.action import Order
from upgrade_orchestrator.domain.instance.fleet import Fleet, Health
from upgrade_orchestrator.domain.instance.instance import ROLLBACK_BATCH, Instance
from upgrade_orchestrator.service.ports.fleet import FleetDriver, FleetError, StaleToken

log = logging.getLogger(__name__)

CONCURRENCY = 32
"Concurrent calls to one agent."
LOW_CONCURRENCY = 8
"Concurrent calls to one agent when no lease waits for them, so that the agent has capacity for other callers."


class FleetClient:
    """The fleet of one deployment, for the holder of its lease."""

    def __init__(self, driver: FleetDriver, execution_id: str, at_once: int = CONCURRENCY) -> None:
        self._driver = driver
        self._execution_id = execution_id
        self._gate = asyncio.Semaphore(at_once)

    async def observe(self) -> Fleet | None:
        """The fleet now; None when it does not respond, which says nothing about its instances."""
        try:
            return await self._driver.fleet()
        except FleetError as error:
            log.warning("execution %s: fleet not observed: %s", self._execution_id, error)
            return None

    async def poll(self, instance_ids: Iterable[str]) -> dict[str, Health | None]:
        """The health of each instance; None for an instance that did not respond."""
        ids = list(instance_ids)
        return dict(zip(ids, await asyncio.gather(*(self._poll(each) for each in ids)), strict=True))

    async def _poll(self, instance_id: str) -> Health | None:
        async with self._gate:
            try:
                return await self._driver.health(instance_id)
            except FleetError as error:
                log.warning("execution %s: %s not polled: %s", self._execution_id, instance_id, error)
                return None

    async def give(self, instance: Instance, order: Order, token: int) -> bool:
        """Send the order; True when the fleet accepted it.

        :raises StaleToken: the fleet has seen a newer holder of the lease: this runner has to stop.
        """
        name, key = instance.instance_id, key_of(self._execution_id, instance, order)
        async with self._gate:
            try:
                match order:
                    case Order.DRAIN:
                        await self._driver.drain(name, token, key)
                    case Order.UNDRAIN:
                        await self._driver.undrain(name, token, key)
                    case Order.SET_VERSION:
                        await self._driver.set_version(name, instance.to_version, token, key)
            except StaleToken:
                raise
            except FleetError as error:
                log.warning("execution %s: %s %s: %s", self._execution_id, order, name, error)
                return False
        return True


def key_of(execution_id: str, instance: Instance, order: Order) -> str:
    """The idempotency key of an order: the same each time an intent is repeated, and different for a new intent.

    A row is in each step once per try and direction, so these identify the intent.
    """
    direction = "back" if instance.batch == ROLLBACK_BATCH else "forth"
    step = f"{direction}-{instance.status.value.lower()}"
    return f"{execution_id}.{instance.instance_id}.{instance.attempts}.{order.value}.{step}"
