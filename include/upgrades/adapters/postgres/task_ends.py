"""Which tasks have done their work, told by NOTIFY (port ``TaskEnds``): who does not hear it loses some seconds."""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager

from sqlalchemy import func, select

from include.upgrades.adapters.postgres.signals import PostgresNames, PostgresSignals
from include.upgrades.adapters.postgres.unit_of_work import connected

CHANNEL = "upgrades_task_ends"


class PostgresTaskEnds:
    """On a channel of its own: nobody else is woken by it."""

    def __init__(self, url: str) -> None:
        self._url = url

    async def tell(self, task_id: str) -> None:
        """In a transaction of its own."""
        async with connected(self._url) as connection:
            await connection.execute(select(func.pg_notify(CHANNEL, task_id)))
            await connection.commit()

    def told(self) -> AbstractAsyncContextManager[PostgresNames]:
        """Through a connection that listens."""
        return PostgresSignals(self._url, CHANNEL).names()
