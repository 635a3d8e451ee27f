"""Announces finished tasks by NOTIFY (port ``TaskEnds``); a missed notification costs a few seconds."""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager

from sqlalchemy import func, select

from upgrade_orchestrator.adapters.postgres.events.signals import Channel, PostgresNames, PostgresSignals
from upgrade_orchestrator.adapters.postgres.unit_of_work import connected

CHANNEL = Channel("upgrades_task_ends", "upgrades-task-ends")

MAX_QUEUED = 100_000
"Ids kept until their tasks are ended; enough for 20,000 upgrades whose checks end at the same time."


class PostgresTaskEnds:
    """On its own channel, so that it does not wake the waiters for events."""

    def __init__(self, url: str) -> None:
        self._url = url

    async def notify(self, task_id: str) -> None:
        """In its own transaction."""
        async with connected(self._url) as connection:
            await connection.execute(select(func.pg_notify(CHANNEL.name, task_id)))
            await connection.commit()

    def listen(self) -> AbstractAsyncContextManager[PostgresNames]:
        """Listens on the shared connection."""
        return PostgresSignals(self._url, CHANNEL).names(MAX_QUEUED)
