"""The runner's client of a fleet: observes, polls health and sends orders, concurrently; it has no rules."""

from __future__ import annotations

import asyncio
import logging
from asyncio import get_running_loop
from collections.abc import Hashable, Iterable
from math import inf

from upgrade_orchestrator.domain.instance.action import Order
from upgrade_orchestrator.domain.instance.fleet import Fleet, Health
from upgrade_orchestrator.domain.instance.instance import ROLLBACK_BATCH, Instance
from upgrade_orchestrator.service.ports.fleet import FleetDriver, FleetError, StaleToken
from upgrade_orchestrator.service.runner.journal.journal import Journal
from upgrade_orchestrator.service.runner.journal.sentences import ACCEPTED, pairs

CONCURRENCY = 32
"Concurrent calls to one agent."
LOW_CONCURRENCY = 8
"Concurrent calls to one agent when no lease waits for them, so that the agent has capacity for other callers."
CALLS_SECONDS = 15.0
"""For how long a round begins polls, or orders; the others are left to the next round.

An agent that hangs with each of many calls must not make a round longer than the lease can be kept.
"""

_LOOK = "the fleet's list"
_OPPOSITE = {Order.DRAIN: Order.UNDRAIN, Order.UNDRAIN: Order.DRAIN}


class FleetClient:
    """The fleet of one deployment, for the holder of its lease."""

    def __init__(
        self, driver: FleetDriver, execution_id: str, at_once: int = CONCURRENCY, journal: Journal | None = None
    ) -> None:
        self._driver = driver
        self._journal = journal or Journal()
        self._execution_id = execution_id
        self._gate = asyncio.Semaphore(at_once)
        self._problem: FleetError | None = None
        self.in_doubt: set[tuple[str, Order]] = set()
        "Orders that may still arrive: their answer never came."

    async def observe(self) -> Fleet | None:
        """The fleet now; None when it does not respond, which says nothing about its instances."""
        try:
            fleet = await self._driver.fleet()
        except FleetError as error:
            self.missed(error)
            return None
        if looks := self._journal.over(_LOOK):
            self._journal.say(f"look fleet -> answers again after {looks} looks without")
        return fleet

    def missed(self, error: FleetError) -> None:
        """Note that the fleet could not be observed."""
        self._problem = error
        self._tell(_LOOK, "look fleet", error)

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
                self._problem = error
                self._tell(("asked", instance_id), pairs("poll", instance=instance_id), error)
                responses[instance_id] = None
            else:
                self._journal.over(("asked", instance_id))

    async def give(self, instance: Instance, order: Order, token: int, end: float = inf) -> bool:
        """Send the order, unless it is later than ``end`` by the monotonic clock; True when the fleet accepted it.

        :raises StaleToken: the fleet has seen a newer holder of the lease: this runner has to stop.
        """
        name, key = instance.instance_id, key_of(self._execution_id, instance, order)
        async with self._gate:
            if get_running_loop().time() > end:
                return False
            began, answer = get_running_loop().time(), ACCEPTED
            try:
                answer = await self._send(instance, order, token, key) or ACCEPTED
            except FleetError as error:
                answer = f"{error.code}: {error}"
                self._refused(name, order, error)
                return False
            finally:
                what = f"{order} {instance.to_version}" if order is Order.SET_VERSION else order.value
                self._journal.ordered(name, what, answer, token, get_running_loop().time() - began)
        return True

    async def _send(self, instance: Instance, order: Order, token: int, key: str) -> str | None:
        name = instance.instance_id
        match order:
            case Order.DRAIN:
                return await self._driver.drain(name, token, key)
            case Order.UNDRAIN:
                return await self._driver.undrain(name, token, key)
            case Order.SET_VERSION:
                return await self._driver.set_version(name, instance.to_version, token, key)

    def _refused(self, name: str, order: Order, error: FleetError) -> None:
        """:raises StaleToken: the error is one: this runner has to stop."""
        if isinstance(error, StaleToken):
            raise error
        self._problem = error
        if error.in_doubt:
            self.in_doubt.add((name, order))

    def _tell(self, about: Hashable, what: str, error: FleetError) -> None:
        self._journal.once(about, error.code, f"{what} -> {error.code}: {error}", logging.WARNING)

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
