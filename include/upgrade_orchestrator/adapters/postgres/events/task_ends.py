"""Which tasks have done their work, told by NOTIFY (port ``TaskEnds``): who does not hear it loses some seconds."""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager

from sqlalchemy import func, select

from upgrade_orchestrator.adapters.postgres.events.signals import Channel, PostgresNames, PostgresSignals
from upgrade_orchestrator.adapters.postgres.unit_of_work import connected

CHANNEL = Channel("upgrades_task_ends", "upgrades-task-ends")

MOST = 100_000
"Ids that are kept until somebody ends their tasks: 20,000 upgrades whose checks end at the same time."


class PostgresTaskEnds:
    """On a channel of its own: nobody else is woken by it."""

    def __init__(self, url: str) -> None:
        self._url = url

    async def notify(self, task_id: str) -> None:
        """In a transaction of its own."""
        async with connected(self._url) as connection:
            await connection.execute(select(func.pg_notify(CHANNEL.name, task_id)))
            await connection.commit()

    def told(self) -> AbstractAsyncContextManager[PostgresNames]:
        """Through a connection that listens."""
        return PostgresSignals(self._url, CHANNEL).names(MOST)
