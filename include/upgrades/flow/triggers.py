"""Triggers: data and a loop. They run in the triggerer, which imports them by their dotted path."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from typing import Any

from airflow.triggers.base import BaseTrigger, TriggerEvent

from include.upgrades import bootstrap
from include.upgrades.domain.errors import Unavailable
from include.upgrades.service.finish import verify
from include.upgrades.service.fleet_ports import FleetError, StaleToken
from include.upgrades.service.outcome import Outcome
from include.upgrades.service.ports import Ports
from include.upgrades.service.run_batch import run_batch

log = logging.getLogger(__name__)

VERIFICATION = -1
"In place of a batch's number: the verification after the last one."
AWAY_SECONDS = 2.0
"How long to wait when the database or the fleet is away: the upgrade goes on when it is back."


async def work_on(ports: Ports, execution_id: str, batch: int, seconds: float | None) -> Outcome:
    """Run a batch, or the verification, for ``seconds`` (None: to its end)."""
    if batch == VERIFICATION:
        return await verify(ports, execution_id, seconds)
    return await run_batch(ports, execution_id, batch, seconds)


class WorkTrigger(BaseTrigger):
    """Brings work to its end; after a crash the next triggerer goes on from the rows."""

    def __init__(self, execution_id: str, batch: int) -> None:
        super().__init__()
        self.execution_id = execution_id
        self.batch = batch

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """Path and arguments."""
        return f"{__name__}.WorkTrigger", {"execution_id": self.execution_id, "batch": self.batch}

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """One event: how the work ended."""
        outcome = await self._work()
        yield TriggerEvent({"ending": outcome.ending.value, "reason": outcome.reason})

    async def _work(self) -> Outcome:
        while True:
            try:
                return await work_on(await bootstrap.open_ports(), self.execution_id, self.batch, None)
            except StaleToken:
                raise
            except (Unavailable, FleetError) as error:
                log.warning("execution %s: %s, trying again", self.execution_id, error)
                await asyncio.sleep(AWAY_SECONDS)
