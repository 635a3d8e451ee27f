"""Whether the fleet drivers answer (contract section 1, GET /health), asked so that nobody can wear the fleets out."""

from __future__ import annotations

import asyncio
import logging
import math
from dataclasses import dataclass

from upgrade_orchestrator.domain.registry.entries import Deployment
from upgrade_orchestrator.service.ports.fleet import UnknownFleet
from upgrade_orchestrator.service.ports.unit_of_work import Ports
from upgrade_orchestrator.service.runner.clock import now_seconds

log = logging.getLogger(__name__)

FOUND_SECONDS = 10.0
"How long it may take to find a connection: the first time much is loaded for it."
ASKED_SECONDS = 2.0
"How long a driver may take; all are asked side by side."
KEPT_SECONDS = 5.0
"How long an answer is good for everybody: a fleet is asked no more often, however many ask us."
MOST = 20
"Connections that are asked; those with an upgrade under way come first."


@dataclass(frozen=True, slots=True)
class DriverHealth:
    """Whether a driver answers at an Airflow connection; both are names, and tell neither address nor tenant."""

    driver: str
    conn_id: str
    answers: bool


class FleetHealth:
    """What a process last heard from the drivers; whoever asks meanwhile waits for the same answer."""

    def __init__(self) -> None:
        self._found: list[DriverHealth] = []
        self._heard_at = -math.inf
        self._asking = asyncio.Lock()

    async def look(self, ports: Ports) -> list[DriverHealth]:
        """Every connection that deployments use, up to ``MOST``.

        :raises Unavailable: when the database does not answer.
        """
        async with self._asking:
            if now_seconds() - self._heard_at > KEPT_SECONDS:
                self._found = await _ask_all(ports)
                self._heard_at = now_seconds()
            return self._found


async def _ask_all(ports: Ports) -> list[DriverHealth]:
    async with ports.work() as work:
        ways = await work.registry.ways(MOST)
    answers = await asyncio.gather(*(_answers(ports, each) for each in ways))
    return [DriverHealth(each.driver, each.conn_id, well) for each, well in zip(ways, answers, strict=True)]


async def _answers(ports: Ports, deployment: Deployment) -> bool:
    try:
        async with asyncio.timeout(FOUND_SECONDS) as limit, ports.fleets.of(deployment) as driver:
            limit.reschedule(now_seconds() + ASKED_SECONDS)
            await driver.fleet()
    except UnknownFleet:
        return True  # the driver answers; that this fleet is gone is for those who upgrade it
    except Exception as error:  # whichever way a connection may be wrong: it is reported, and not told to strangers
        log.warning("no answer at the connection %s: %s", deployment.conn_id, str(error) or type(error).__name__)
        return False
    return True
