"""Triggers: data and a loop. They run in the triggerer, which imports them by their dotted path."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from typing import Any

from airflow.triggers.base import BaseTrigger, TriggerEvent

from include.upgrades import bootstrap
from include.upgrades.domain.errors import Unavailable
from include.upgrades.flow.work import Work, work_on
from include.upgrades.service.fleet_ports import FleetError, StaleToken
from include.upgrades.service.outcome import Outcome

log = logging.getLogger(__name__)

AWAY_SECONDS = 2.0
"How long to wait when the database or the fleet is away: the upgrade goes on when it is back."


class WorkTrigger(BaseTrigger):
    """Brings work to its end; after a crash the next triggerer goes on from the rows."""

    def __init__(self, execution_id: str, work: str, batch: int) -> None:
        super().__init__()
        self.execution_id = execution_id
        self.work = work
        self.batch = batch

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """Path and arguments."""
        arguments = {"execution_id": self.execution_id, "work": self.work, "batch": self.batch}
        return f"{__name__}.WorkTrigger", arguments

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """One event: how the work ended."""
        outcome = await self._work()
        yield TriggerEvent({"ending": outcome.ending.value, "reason": outcome.reason})

    async def _work(self) -> Outcome:
        while True:
            try:
                ports = await bootstrap.open_ports()
                return await work_on(ports, self.execution_id, Work(self.work), self.batch, None)
            except StaleToken:
                raise
            except (Unavailable, FleetError) as error:
                log.warning("execution %s: %s, trying again", self.execution_id, error)
                await asyncio.sleep(AWAY_SECONDS)
