"""The runner's client of a fleet: observes, polls health and sends orders, concurrently; it has no rules."""

from __future__ import annotations

import asyncio
import logging
from asyncio import get_running_loop
from collections.abc import Iterable
from math import inf

from upgrade_orchestrator.domain.instance.action import Order
from upgrade_orchestrator.domain.instance.fleet import Fleet, Health
from upgrade_orchestrator.domain.instance.instance import ROLLBACK_BATCH, Instance
from upgrade_orchestrator.service.ports.fleet import FleetDriver, FleetError, StaleToken

log = logging.getLogger(__name__)

CONCURRENCY = 32
"Concurrent calls to one agent."
LOW_CONCURRENCY = 8
"Concurrent calls to one agent when no lease waits for them, so that the agent has capacity for other callers."
CALLS_SECONDS = 15.0
"""For how long a round begins polls, or orders; the others are left to the next round.

An agent that hangs with each of many calls must not make a round longer than the lease can be kept.
"""


_LINE = "%s: %s: %s"
_OPPOSITE = {Order.DRAIN: Order.UNDRAIN, Order.UNDRAIN: Order.DRAIN}


class FleetClient:
    """The fleet of one deployment, for the holder of its lease."""

    def __init__(self, driver: FleetDriver, execution_id: str, at_once: int = CONCURRENCY) -> None:
        self._driver = driver
        self._execution_id = execution_id
        self._gate = asyncio.Semaphore(at_once)
        self._problem: FleetError | None = None
        self._logged: dict[str, str] = {}
        self.in_doubt: set[tuple[str, Order]] = set()
        "Orders that may still arrive: their answer never came."

    async def observe(self) -> Fleet | None:
        """The fleet now; None when it does not respond, which says nothing about its instances."""
        try:
            return await self._driver.fleet()
        except FleetError as error:
            self.missed(error)
            return None

    def missed(self, error: FleetError) -> None:
        """Note that the fleet could not be observed."""
        self._note("fleet not observed", error)

    async def poll(self, instance_ids: Iterable[str], seconds: float = inf) -> dict[str, Health | None]:
        """The health of each instance; None for an instance that did not respond.

        Those that could not be asked within ``seconds`` are left out.
        """
        ids, end, responses = list(instance_ids), get_running_loop().time() + seconds, dict[str, Health | None]()
        await asyncio.gather(*(self._poll(each, end, responses) for each in ids))
        return {each: responses[each] for each in ids if each in responses}

    async def _poll(self, instance_id: str, end: float, responses: dict[str, Health | None]) -> None:
        async with self._gate:
            if get_running_loop().time() > end:
                return
            try:
                responses[instance_id] = await self._driver.health(instance_id)
            except FleetError as error:
                self._note(f"{instance_id} not polled", error)
                responses[instance_id] = None

    async def give(self, instance: Instance, order: Order, token: int, end: float = inf) -> bool:
        """Send the order, unless it is later than ``end`` by the monotonic clock; True when the fleet accepted it.

        :raises StaleToken: the fleet has seen a newer holder of the lease: this runner has to stop.
        """
        name, key = instance.instance_id, key_of(self._execution_id, instance, order)
        async with self._gate:
            if get_running_loop().time() > end:
                return False
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
                self._note(f"{order} {name}", error)
                if error.in_doubt:
                    self.in_doubt.add((name, order))
                return False
        return True

    def _note(self, what: str, error: FleetError) -> None:
        """Keep the problem; only the first of many equal ones in a row is logged as a warning."""
        self._problem, known = error, self._logged.get(what)
        self._logged[what] = str(error)
        log.log(logging.DEBUG if known == str(error) else logging.WARNING, _LINE, self._execution_id, what, error)

    def take_problem(self) -> FleetError | None:
        """The last problem since this was called before; None when all calls were answered well."""
        problem, self._problem = self._problem, None
        return problem

    def has_opposite_in_doubt(self, instance_id: str, order: Order) -> bool:
        """Whether an order to this instance may still arrive that would undo ``order``."""
        return (instance_id, _OPPOSITE.get(order)) in self.in_doubt


def key_of(execution_id: str, instance: Instance, order: Order) -> str:
    """The idempotency key of an order: the same each time an intent is repeated, and different for a new intent.

    A row is in each step once per try and direction, so these identify the intent.
    """
    direction = "back" if instance.batch == ROLLBACK_BATCH else "forth"
    step = f"{direction}-{instance.status.value.lower()}"
    return f"{execution_id}.{instance.instance_id}.{instance.attempts}.{order.value}.{step}"
