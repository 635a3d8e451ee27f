"""Who of the API server's processes runs the control loops: whoever holds PostgreSQL's advisory lock."""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress

import psycopg
from sqlalchemy.engine import make_url

log = logging.getLogger(__name__)

CONTROL_LOOPS, RELAY = 0x757067726C6F6F70, 0x7570677272656C79
"""The advisory locks' numbers in our own database: any that nothing else there uses (the migrations have another one).
The relay has its own: a Kafka that hangs must not hold up the loops."""
ANSWER_SECONDS = 5.0
"After which the connection counts as lost."
FREE_SECONDS = 1.0
"So long the lock's release is waited for; the connection's end frees it anyway."
NOTICE_DEATH = "-c tcp_keepalives_idle=5 -c tcp_keepalives_interval=2 -c tcp_keepalives_count=3"
"Lets PostgreSQL free the lock of a machine that vanished after about 11 s."


class PostgresLeadership:
    """Port ``Leadership``: a lock that lives as long as its one connection, which is used for nothing else."""

    def __init__(self, url: str, lock: int = CONTROL_LOOPS) -> None:
        self._lock = lock
        self._dsn = make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
        self._connection: psycopg.AsyncConnection | None = None
        self._held = False

    async def lead(self) -> bool:
        """Take the lead if nobody has it, or look whether it is still ours; False while the database is away."""
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                return await self._ask()
        except (psycopg.Error, OSError, TimeoutError) as error:
            log.warning("no control loops in this process: the database does not answer (%s)", type(error).__name__)
            await self.resign()
            return False

    async def _ask(self) -> bool:
        if self._connection is None:
            self._connection = await psycopg.AsyncConnection.connect(
                self._dsn, autocommit=True, application_name="upgrades-leader", options=NOTICE_DEATH
            )
        if self._held:
            await self._connection.execute("SELECT 1")
            return True
        cursor = await self._connection.execute("SELECT pg_try_advisory_lock(%s)", (self._lock,))
        self._held = await cursor.fetchone() == (True,)
        return self._held

    async def resign(self) -> None:
        """Let the next one lead at once: PostgreSQL sees only some time after it that a connection was closed."""
        connection, self._connection = self._connection, None
        held, self._held = self._held, False
        if connection is None:
            return
        if held:
            await self._free(connection)
        with suppress(psycopg.Error, OSError):
            await connection.close()

    async def _free(self, connection: psycopg.AsyncConnection) -> None:
        with suppress(psycopg.Error, OSError, TimeoutError):
            async with asyncio.timeout(FREE_SECONDS):
                await connection.execute("SELECT pg_advisory_unlock(%s)", (self._lock,))
