"""Sends the orders of one batch; an order that may still arrive is fenced off before its opposite is sent."""

from __future__ import annotations

from asyncio import gather, get_running_loop
from collections.abc import Mapping
from itertools import compress

from upgrade_orchestrator.domain.instance.action import Order
from upgrade_orchestrator.service.rollout.batch_store import BatchStore
from upgrade_orchestrator.service.runner.fleet_client import CALLS_SECONDS, FleetClient
from upgrade_orchestrator.service.runner.lease import LeaseKeeper


class OrderSender:
    """For the holder of the lease."""

    def __init__(self, store: BatchStore, fleet: FleetClient, lease: LeaseKeeper) -> None:
        self._store, self._fleet, self._lease = store, fleet, lease

    async def send(self, orders: Mapping[str, Order]) -> list[str]:
        """Send the orders; returns the ids of the instances whose order was accepted.

        :raises StaleToken: the fleet has seen a newer holder of the lease.
        :raises LostLease: another runner has taken over.
        """
        if any(self._fleet.has_opposite_in_doubt(name, order) for name, order in orders.items()):
            await self._lease.raise_token()
            self._fleet.in_doubt.clear()
        jobs, token = self._store.state.jobs, self._lease.lease.token
        end = get_running_loop().time() + CALLS_SECONDS
        accepted = await gather(*(self._fleet.give(jobs[name], order, token, end) for name, order in orders.items()))
        return list(compress(orders, accepted))
