"""Use case: a look at a deployment's fleet as it is now, for the registry's pages; it has an end."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from dataclasses import dataclass

from upgrade_orchestrator.domain.instance.fleet import Fleet, counted
from upgrade_orchestrator.service.ports.fleet import FleetError
from upgrade_orchestrator.service.ports.unit_of_work import Ports
from upgrade_orchestrator.service.registry.write import get_deployment

log = logging.getLogger(__name__)

LOOK_SECONDS = 8.0
"Time-out of a look; opening a connection for the first time loads many modules."


@dataclass(frozen=True, slots=True)
class FleetLook:
    """The serving instances: how many there are, how many serve, and on which versions; or why it is not known."""

    total: int = 0
    available: int = 0
    versions: Mapping[str, int] | None = None
    problem: str | None = None


async def look_at_fleet(ports: Ports, tenant_id: str, component_id: str) -> FleetLook:
    """What the fleet says now, or within ``LOOK_SECONDS`` why that is not known.

    :raises NotFound: the tenant has no deployment of that component.
    """
    deployment = await get_deployment(ports, tenant_id, component_id)
    try:
        async with asyncio.timeout(LOOK_SECONDS), ports.fleets.of(deployment) as driver:
            return _look(await driver.fleet())
    except TimeoutError:
        return FleetLook(problem=f"the fleet did not answer within {LOOK_SECONDS:g} s")
    except FleetError as error:
        return FleetLook(problem=str(error) or "the fleet cannot be used")
    except Exception as error:  # a broken connection raises many exception types; details go to the log only
        log.warning("no look at the fleet of connection %s: %s", deployment.conn_id, str(error) or type(error).__name__)
        return FleetLook(problem="the fleet's connection cannot be used")


def _look(fleet: Fleet) -> FleetLook:
    serving = fleet.serving()
    available = sum(each.available for each in serving)
    return FleetLook(len(serving), available, counted(each.version for each in serving))
