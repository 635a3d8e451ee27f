"""Triggers: data and a loop. They run in the triggerer, which imports them by their dotted path."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from typing import Any

from airflow.triggers.base import BaseTrigger, TriggerEvent

from include.upgrades import bootstrap
from include.upgrades.domain.errors import Unavailable
from include.upgrades.service.run_batch import Outcome, run_batch

log = logging.getLogger(__name__)

AWAY_SECONDS = 2.0
"How long to wait when the database is away: the upgrade goes on when it is back."


class BatchTrigger(BaseTrigger):
    """Runs a batch to its end; after a crash the next triggerer goes on from the rows."""

    def __init__(self, execution_id: str, batch: int) -> None:
        super().__init__()
        self.execution_id = execution_id
        self.batch = batch

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """Path and arguments."""
        return f"{__name__}.BatchTrigger", {"execution_id": self.execution_id, "batch": self.batch}

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """One event: how the batch ended."""
        outcome = await self._run_batch()
        yield TriggerEvent({"ending": outcome.ending.value, "reason": outcome.reason})

    async def _run_batch(self) -> Outcome:
        while True:
            try:
                return await run_batch(await bootstrap.open_ports(), self.execution_id, self.batch, None)
            except Unavailable as error:
                log.warning("execution %s: %s, trying again", self.execution_id, error)
                await asyncio.sleep(AWAY_SECONDS)
