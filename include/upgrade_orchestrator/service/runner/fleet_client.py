"""Talks to the fleet for a runner: observes, polls health and gives orders, side by side; knows no rule."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable, Sequence

from upgrade_orchestrator.domain.instance.fleet import Fleet, Health
from upgrade_orchestrator.domain.instance.instance import ROLLBACK_BATCH, Instance
from upgrade_orchestrator.domain.instance.step import Order
from upgrade_orchestrator.service.ports.fleet import FleetDriver, FleetError, StaleToken

log = logging.getLogger(__name__)

AT_ONCE = 32
"Calls under way at the same time to one agent."
NO_HURRY = 8
"The same where no lease waits for the answers: an agent that others work with has time for them too."


class FleetClient:
    """One deployment's fleet, as the holder of its lease works on it."""

    def __init__(self, driver: FleetDriver, execution_id: str, at_once: int = AT_ONCE) -> None:
        self._driver = driver
        self._execution_id = execution_id
        self._gate = asyncio.Semaphore(at_once)

    async def observe(self) -> Fleet | None:
        """The fleet now; None when it cannot be asked, which says nothing about its instances."""
        try:
            return await self._driver.fleet()
        except FleetError as error:
            log.warning("execution %s: fleet not observed: %s", self._execution_id, error)
            return None

    async def poll(self, instance_ids: Iterable[str]) -> dict[str, Health | None]:
        """Each instance's answer; None where the poll could not be made."""
        ids = list(instance_ids)
        return dict(zip(ids, await asyncio.gather(*(self._poll(each) for each in ids)), strict=True))

    async def _poll(self, instance_id: str) -> Health | None:
        async with self._gate:
            try:
                return await self._driver.health(instance_id)
            except FleetError as error:
                log.warning("execution %s: %s not polled: %s", self._execution_id, instance_id, error)
                return None

    async def give(self, orders: Sequence[tuple[Instance, Order]], token: int) -> set[str]:
        """Send the orders; the ids of the instances whose order was accepted.

        :raises StaleToken: the fleet obeys a newer holder of the lease: this runner has to stop.
        """
        answers = await asyncio.gather(*(self._give(each, order, token) for each, order in orders))
        return {each.instance_id for (each, _), accepted in zip(orders, answers, strict=True) if accepted}

    async def _give(self, instance: Instance, order: Order, token: int) -> bool:
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
    """The idempotency key: the same for every repetition of one intent, another for every new one.

    A row is in one step once a try and a way, so that these name the intent, whenever it is repeated.
    """
    way = "back" if instance.batch == ROLLBACK_BATCH else "forth"
    step = f"{way}-{instance.status.value.lower()}"
    return f"{execution_id}.{instance.instance_id}.{instance.attempts}.{order.value}.{step}"
