"""Leader election among API servers: the holder of a PostgreSQL advisory lock runs the control loops."""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress

import psycopg
from sqlalchemy.engine import make_url

from upgrade_orchestrator.adapters.postgres.engine.limits import connection_arguments, open_answering

log = logging.getLogger(__name__)

CONTROL_LOOPS, RELAY = 0x757067726C6F6F70, 0x7570677272656C79
"""Numbers of advisory locks in our own database, used for nothing else (the migrations have another one).
The relay has its own lock, so that a Kafka that hangs does not hold up the other loops."""
ANSWER_SECONDS = 5.0
"After this time without a response, the connection counts as lost."
SILENCE_SECONDS = 4.0
"How long an answer is waited for: less, so that the connection is closed rather than a statement cancelled."
RELEASE_SECONDS = 1.0
"How long to wait for the lock's release; closing the connection releases it anyway."
NOTICE_DEATH = ("tcp_keepalives_idle=5", "tcp_keepalives_interval=2", "tcp_keepalives_count=3")
"Lets PostgreSQL release the lock of a vanished machine after about 11 s."


class PostgresLeadership:
    """Port ``Leadership``: a session lock on a connection that is used for nothing else."""

    def __init__(self, url: str, lock: int = CONTROL_LOOPS) -> None:
        self._lock = lock
        self._dsn = make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
        self._connection: psycopg.AsyncConnection | None = None
        self._held = False

    async def lead(self) -> bool:
        """Take the lock if it is free, or check that it is still ours; False while the database does not answer."""
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                return await self._try_lock()
        except (psycopg.Error, OSError, TimeoutError) as error:
            log.warning("no control loops in this process: the database does not answer (%s)", type(error).__name__)
            await self.resign()
            return False

    async def _try_lock(self) -> bool:
        if self._connection is None:
            arguments = connection_arguments(self._dsn, *NOTICE_DEATH) | {"application_name": "upgrades-leader"}
            self._connection = await open_answering(SILENCE_SECONDS, self._dsn, autocommit=True, **arguments)
        if self._held:
            await self._connection.execute("SELECT 1")
            return True
        cursor = await self._connection.execute("SELECT pg_try_advisory_lock(%s)", (self._lock,))
        self._held = await cursor.fetchone() == (True,)
        return self._held

    async def resign(self) -> None:
        """Release the lock explicitly, since PostgreSQL may notice a closed connection late."""
        connection, self._connection = self._connection, None
        held, self._held = self._held, False
        if connection is None:
            return
        if held:
            await self._release(connection)
        with suppress(psycopg.Error, OSError):
            await connection.close()

    async def _release(self, connection: psycopg.AsyncConnection) -> None:
        with suppress(psycopg.Error, OSError, TimeoutError):
            async with asyncio.timeout(RELEASE_SECONDS):
                await connection.execute("SELECT pg_advisory_unlock(%s)", (self._lock,))
