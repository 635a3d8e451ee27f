"""Fences off a previous holder of the lease that vanished and may still send a stale order."""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection

from upgrade_orchestrator.service.ports.fleet import FleetDriver, FleetError, StaleToken
from upgrade_orchestrator.service.runner.lease import LeaseKeeper

log = logging.getLogger(__name__)


async def close_fence(
    driver: FleetDriver,
    execution_id: str,
    lease: LeaseKeeper,
    worked_on: Collection[str],
    missed: Callable[[FleetError], None],
) -> bool:
    """Send our fencing token to the fleet before anything is observed: from then on it refuses orders with a lower one.

    The protocol has no call for this, so an order without effect is sent: undrain to an instance that runs and is not
    in flight (``worked_on``), so that no other order to it is pending. If there is no such instance, the first order
    has the same effect. If the fleet does not respond, it is tried again in the next round.

    False when the fleet could not be observed, for which ``missed`` is called: another look in the same round would
    only wait as long again.

    :raises StaleToken: the fleet has seen a newer holder of the lease: this runner has to stop.
    """
    token = lease.lease.token
    try:
        fleet = await driver.fleet()
    except FleetError as error:
        missed(error)
        return False
    try:
        serving = fleet.serving()
        idle = [each for each in serving if each.status == "RUNNING" and each.instance_id not in worked_on]
        if idle:
            name = idle[-1].instance_id
            await driver.undrain(name, token, f"{execution_id}.{name}.0.fence.{token}")
    except StaleToken:
        raise
    except FleetError as error:
        log.warning("the fence is not closed yet: %s", error)
    else:
        lease.unfenced = False
    return True
