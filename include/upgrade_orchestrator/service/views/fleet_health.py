"""The health check of the fleet drivers, cached to protect the fleets (specification section 1, GET /health)."""

from __future__ import annotations

import asyncio
import logging
import math
from asyncio import get_running_loop
from dataclasses import dataclass

from upgrade_orchestrator.domain.registry.entries import Deployment
from upgrade_orchestrator.service.ports.fleet import UnknownFleet
from upgrade_orchestrator.service.ports.unit_of_work import Ports

log = logging.getLogger(__name__)

CONNECTION_TIMEOUT_SECONDS = 10.0
"Time-out for opening a connection: the first time this loads many modules."
RESPONSE_TIMEOUT_SECONDS = 2.0
"Time-out for a driver's response; all drivers are called concurrently."
CACHE_SECONDS = 5.0
"How long a result is cached: the number of callers does not change how often a fleet is called."
MAX_CONNECTIONS = 20
"The number of connections that are checked; those with a running upgrade come first."


@dataclass(frozen=True, slots=True)
class DriverHealth:
    """Whether a driver responds at an Airflow connection; only names, which reveal neither address nor tenant."""

    driver: str
    conn_id: str
    answers: bool


class FleetHealth:
    """The cached health of the drivers in one process; concurrent callers share one check."""

    def __init__(self) -> None:
        self._found: list[DriverHealth] = []
        self._heard_at = -math.inf
        self._asking = asyncio.Lock()

    async def look(self, ports: Ports) -> list[DriverHealth]:
        """The health of every connection that deployments use, up to ``MAX_CONNECTIONS``.

        :raises Unavailable: the database does not respond.
        """
        async with self._asking:
            if get_running_loop().time() - self._heard_at > CACHE_SECONDS:
                self._found = await _ask_all(ports)
                self._heard_at = get_running_loop().time()
            return self._found


async def _ask_all(ports: Ports) -> list[DriverHealth]:
    async with ports.work() as work:
        connections = await work.registry.connections(MAX_CONNECTIONS)
    responses = await asyncio.gather(*(_responds(ports, each) for each in connections))
    return [DriverHealth(each.driver, each.conn_id, well) for each, well in zip(connections, responses, strict=True)]


async def _responds(ports: Ports, deployment: Deployment) -> bool:
    try:
        async with asyncio.timeout(CONNECTION_TIMEOUT_SECONDS) as limit, ports.fleets.of(deployment) as driver:
            limit.reschedule(get_running_loop().time() + RESPONSE_TIMEOUT_SECONDS)
            await driver.fleet()
    except UnknownFleet:
        return True  # the driver responds; a missing fleet is a problem of its upgrades only
    except Exception as error:  # a broken connection raises many exception types; details go to the log only
        log.warning("no answer at the connection %s: %s", deployment.conn_id, str(error) or type(error).__name__)
        return False
    return True
