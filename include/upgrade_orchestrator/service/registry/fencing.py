"""Use case: raise our fencing token for a fleet that has seen a higher one (section 11)."""

from __future__ import annotations

import logging

from upgrade_orchestrator.domain.errors import NotFound
from upgrade_orchestrator.domain.execution.commands import Actor
from upgrade_orchestrator.service.ports.stores.overviews import ExecutionFilter
from upgrade_orchestrator.service.ports.unit_of_work import Ports

log = logging.getLogger(__name__)

RAISE_FENCING = "raise-fencing-token"
"The audit's name of it, in the newest execution of the deployment."


async def raise_fencing_token(ports: Ports, conn_id: str, fleet: str, at_least: int, actor: Actor) -> int:
    """Make our token for the fleet at least ``at_least``, and return it; it is never lowered.

    The next runner gets a higher one; a runner that works on the fleet now goes on with this one.

    :raises NotFound: no deployment has this fleet.
    """
    async with ports.work() as work:
        deployment = await work.registry.deployment_of_fleet(conn_id, fleet)
        if deployment is None:
            raise NotFound(f"no deployment has fleet {fleet} of connection {conn_id}")
        token = await work.leases.raise_to(conn_id, fleet, at_least)
        newest = ExecutionFilter(deployment.tenant_id, component_id=deployment.component_id, limit=1)
        reason = f"fencing token of fleet {fleet} of connection {conn_id}: at least {at_least}, now {token}"
        for each in await work.overviews.page(newest):
            await work.executions.add_command(each.execution.id, RAISE_FENCING, actor, reason)
        await work.commit()
    log.warning("%s; by %s (request %s)", reason, actor.name, actor.request_id)
    return token
