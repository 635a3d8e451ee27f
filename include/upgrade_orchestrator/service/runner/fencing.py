"""Closes the fleet to a holder of the lease that went without a word and may wake up with an order in its hand."""

from __future__ import annotations

import logging
from collections.abc import Collection

from upgrade_orchestrator.service.ports.fleet import FleetDriver, FleetError, StaleToken
from upgrade_orchestrator.service.runner.lease import LeaseKeeper

log = logging.getLogger(__name__)


class Fence:
    """Makes a successor's token known before it looks at anything: what comes with a lower one is refused from then on.

    The protocol has no call for that, so one is used that changes nothing: an instance that runs and that nobody works
    on is asked to run. Where there is none, the first order closes the fence.
    """

    def __init__(self, driver: FleetDriver, execution_id: str, keeper: LeaseKeeper) -> None:
        self._driver, self._execution_id, self._keeper = driver, execution_id, keeper
        self._closed_with = 0

    async def close(self, worked_on: Collection[str]) -> None:
        """Once a take-over; ``worked_on`` are instances that an order may be on its way to.

        A fleet that does not answer is asked again at the next call: it takes nobody else's orders either.

        :raises StaleToken: somebody newer works on the fleet: this runner has to stop.
        """
        lease = self._keeper.lease
        if not lease.taken_over or self._closed_with == lease.token:
            return
        try:
            await self._ask(worked_on, lease.token)
        except StaleToken:
            raise
        except FleetError as error:
            log.warning("execution %s: the fence is not closed yet: %s", self._execution_id, error)
        else:
            self._closed_with = lease.token

    async def _ask(self, worked_on: Collection[str], token: int) -> None:
        serving = (await self._driver.fleet()).serving()
        idle = [each for each in serving if each.status == "RUNNING" and each.instance_id not in worked_on]
        if idle:
            name = idle[-1].instance_id
            await self._driver.undrain(name, token, f"{self._execution_id}.{name}.0.fence.{token}")
