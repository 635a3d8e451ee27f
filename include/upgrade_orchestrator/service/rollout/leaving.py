"""Leaves instances whose try is over as they should be: back in service, or drained as others had left them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from upgrade_orchestrator.domain.instance.action import Order, next_order_after
from upgrade_orchestrator.domain.instance.fleet import Fleet
from upgrade_orchestrator.domain.instance.instance import Instance, InstanceStatus
from upgrade_orchestrator.service.rollout.batch_store import BatchStore
from upgrade_orchestrator.service.rollout.order_sender import OrderSender

MAX_TRIES = 5
"How often a batch tries this at its end; after that the execution's end does so."
_SHOWN = {Order.UNDRAIN: "RUNNING", Order.DRAIN: "DRAINING"}


class Leaving:
    """For one batch and the holder of the lease; each order is sent until the fleet has accepted it."""

    def __init__(self, store: BatchStore, orders: OrderSender) -> None:
        self._store, self._orders = store, orders
        self._accepted: set[tuple[str, int, Order]] = set()
        self._tries = 0

    async def leave(self, fleet: Fleet) -> Fleet:
        """Send the orders that are due; returns the fleet as it will be after them."""
        orders = self._due(fleet)
        await self._send(orders)
        return _after(fleet, orders)

    async def is_done(self, fleet: Fleet) -> bool:
        """Send the orders that are due once more; True when all are accepted, or after the last try."""
        self._tries += 1
        return await self._send(self._due(fleet)) or self._tries >= MAX_TRIES

    async def _send(self, orders: Mapping[str, Order]) -> bool:
        new = {name: order for name, order in orders.items() if self._key(name, order) not in self._accepted}
        accepted = await self._orders.send(new) if new else []
        self._accepted |= {self._key(name, new[name]) for name in accepted}
        return len(accepted) == len(new)

    def _due(self, fleet: Fleet) -> dict[str, Order]:
        """None once the execution does not want this work any more: its end does so for all of its instances."""
        state = self._store.state
        if not self._store.direction.may_start(state.execution.status):
            return {}
        ended = [each for each in self._store.jobs() if _may_be_left(each) or self.was_drained(each)]
        known = {each.instance_id: each for each in fleet.instances} if ended else {}
        found = {
            each.instance_id: next_order_after(each, known.get(each.instance_id), self.was_drained(each))
            for each in ended
        }
        return {name: order for name, order in found.items() if order is not None}

    def was_drained(self, job: Instance) -> bool:
        """Whether others had drained it before the upgrade, so that it is left drained."""
        state = self._store.state
        return state.rows[job.instance_id].drained_before and not state.execution.request.undrain_foreign

    def _key(self, name: str, order: Order) -> tuple[str, int, Order]:
        return name, self._store.state.jobs[name].attempts, order


def _may_be_left(job: Instance) -> bool:
    return job.status is InstanceStatus.FAILED


def _after(fleet: Fleet, orders: Mapping[str, Order]) -> Fleet:
    if not orders:
        return fleet
    shown = (
        replace(each, status=_SHOWN[orders[each.instance_id]]) if each.instance_id in orders else each
        for each in fleet.instances
    )
    return replace(fleet, instances=tuple(shown))
