"""Places for upgrades that work in a worker: advisory locks, which end with the process that holds them."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import psycopg
from sqlalchemy.engine import make_url

from include.upgrades.adapters.postgres.leader import ANSWER_SECONDS, NOTICE_DEATH

log = logging.getLogger(__name__)

_PLACES = 0x75706772
"The first number of these locks in our own database, which nothing else there uses; the second is the place's."
_TAKE = (
    "SELECT place FROM (SELECT generate_series(1, %s::int) AS place) AS places"
    " WHERE pg_try_advisory_lock(%s::int, place) LIMIT 1"
)
"Looks at one place after the other, and no further than at the first that is free, however many there are."
_AWAY = (psycopg.Error, OSError, TimeoutError)


class PostgresWorkerPlaces:
    """Port ``WorkerPlaces`` with ``number`` places in all; a place is held by a connection that does nothing else."""

    def __init__(self, url: str, number: int) -> None:
        self._dsn = make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
        self._number = number

    @asynccontextmanager
    async def take(self) -> AsyncIterator[bool]:
        """Within it a place is ours, if one was free; none is while the database is away."""
        connection = await self._connect()
        try:
            yield connection is not None and await self._hold(connection)
        finally:
            if connection is not None:
                with suppress(*_AWAY):
                    await connection.close()

    async def _connect(self) -> psycopg.AsyncConnection | None:
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                return await psycopg.AsyncConnection.connect(
                    self._dsn, autocommit=True, application_name="upgrades-place", options=NOTICE_DEATH
                )
        except _AWAY as error:
            log.warning("no place in a worker: the database does not answer (%s)", type(error).__name__)
            return None

    async def _hold(self, connection: psycopg.AsyncConnection) -> bool:
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                found = await connection.execute(_TAKE, (self._number, _PLACES))
                return await found.fetchone() is not None
        except _AWAY as error:
            log.warning("no place in a worker: the database does not answer (%s)", type(error).__name__)
            return False
