"""Fences off a previous holder of the lease that vanished and may still send a stale order."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Collection

from upgrade_orchestrator.service.ports.fleet import FleetDriver, FleetError, StaleToken
from upgrade_orchestrator.service.runner.lease import LeaseKeeper

log = logging.getLogger(__name__)

CloseFence = Callable[[Collection[str]], Awaitable[None]]
"""``close_fence`` of one runner; it is given the instances that are worked on."""


async def close_fence(driver: FleetDriver, execution_id: str, lease: LeaseKeeper, worked_on: Collection[str]) -> None:
    """Make our token known before we look at anything: the fleet refuses what comes with a lower one from then on.

    The protocol has no call for that, so one is used that changes nothing: an instance that runs and is not among
    ``worked_on``, to which an order may be on its way, is asked to run. Where there is none, the first order closes the
    fence. A fleet that does not answer is asked again in the next round: it takes no other orders meanwhile.

    :raises StaleToken: the fleet obeys a newer holder of the lease: this runner has to stop.
    """
    token = lease.lease.token
    try:
        serving = (await driver.fleet()).serving()
        idle = [each for each in serving if each.status == "RUNNING" and each.instance_id not in worked_on]
        if idle:
            name = idle[-1].instance_id
            await driver.undrain(name, token, f"{execution_id}.{name}.0.fence.{token}")
    except StaleToken:
        raise
    except FleetError as error:
        log.warning("execution %s: the fence is not closed yet: %s", execution_id, error)
    else:
        lease.unfenced = False
