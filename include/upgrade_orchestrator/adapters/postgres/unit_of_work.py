"""One transaction (port ``UnitOfWork``): changes are discarded unless ``commit`` is called."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from types import TracebackType
from typing import Self

from sqlalchemy import func, select, text
from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncConnection

from upgrade_orchestrator.adapters.postgres.catalogue import PostgresCatalogue
from upgrade_orchestrator.adapters.postgres.engine.engine import engine_of
from upgrade_orchestrator.adapters.postgres.events.events import PostgresEvents
from upgrade_orchestrator.adapters.postgres.executions.approvals import PostgresApprovals
from upgrade_orchestrator.adapters.postgres.executions.board import PostgresBoard
from upgrade_orchestrator.adapters.postgres.executions.executions import PostgresExecutions
from upgrade_orchestrator.adapters.postgres.executions.overviews import PostgresOverviews
from upgrade_orchestrator.adapters.postgres.leases import PostgresLeases
from upgrade_orchestrator.adapters.postgres.registry import PostgresRegistry
from upgrade_orchestrator.domain.errors import Unavailable


class PostgresUnitOfWork:
    """A unit of work on a connection of the running loop's pool; raises ``Unavailable`` when the database is down."""

    def __init__(self, url: str, lease_seconds: float) -> None:
        self._url = url
        self._lease_seconds = lease_seconds
        self._connection: AsyncConnection | None = None

    async def __aenter__(self) -> Self:
        self._bind(await connect(self._url))
        return self

    def _bind(self, connection: AsyncConnection) -> None:
        self._connection = connection
        self.executions = PostgresExecutions(connection)
        self.overviews = PostgresOverviews(connection)
        self.events = PostgresEvents(connection)
        self.registry = PostgresRegistry(connection)
        self.leases = PostgresLeases(connection, self._lease_seconds)
        self.approvals = PostgresApprovals(connection)
        self.board = PostgresBoard(connection)
        self.catalogue = PostgresCatalogue(connection)

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            await self._leave(connection)
        if isinstance(error, OperationalError | InterfaceError):
            raise Unavailable("the database did not answer in time, or the connection to it was lost") from error

    async def _leave(self, connection: AsyncConnection) -> None:
        await connection.close()  # rolls back what was not committed

    async def now(self) -> datetime:
        """The database's clock (UTC), as of the last read of an execution in this unit of work, to save a query."""
        assert self._connection is not None
        if self.executions.read_at is not None:
            return self.executions.read_at
        found: datetime = (await self._connection.execute(select(func.clock_timestamp()))).scalar_one()
        return found

    async def use_snapshot(self) -> None:
        """A read-only snapshot, which must be asked for before the transaction's first statement."""
        assert self._connection is not None
        await self._connection.execute(text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY"))

    async def commit(self) -> None:
        """Commit the transaction; a new one begins with the next statement."""
        assert self._connection is not None
        await self._connection.commit()


class SharedTransaction:
    """The transaction of several units of work: its connection is taken by the first and kept once one commits."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._connection: AsyncConnection | None = None
        self._open = 0
        self._has_writes = False

    async def enter(self) -> AsyncConnection:
        """:raises Unavailable: the database does not answer, or the connection with the writes is lost."""
        if self._connection is None:
            self._connection = await connect(self._url)
        if self._connection.invalidated:
            raise Unavailable("the connection to the database was lost")
        self._open += 1
        return self._connection

    def keep(self) -> None:
        """Keep the connection until the end: a unit of work has committed."""
        self._has_writes = True

    async def leave(self) -> None:
        """Give the connection back unless it has writes, or another unit of work is open."""
        self._open -= 1
        if not self._open and not self._has_writes:
            await self.close()

    async def commit(self) -> None:
        """Commit all writes."""
        if self._connection is not None:
            await self._connection.commit()

    async def close(self) -> None:
        """Discard what was not committed."""
        connection, self._connection = self._connection, None
        if connection is not None:
            await connection.close()


class JoinedUnitOfWork(PostgresUnitOfWork):
    """A savepoint in a shared transaction, kept by ``commit`` and rolled back otherwise."""

    def __init__(self, shared: SharedTransaction, lease_seconds: float) -> None:
        super().__init__("", lease_seconds)
        self._shared = shared

    async def __aenter__(self) -> Self:
        connection = await self._shared.enter()
        self._savepoint = await connection.begin_nested()
        self._bind(connection)
        return self

    async def _leave(self, connection: AsyncConnection) -> None:
        try:
            if self._savepoint.is_active and not connection.invalidated:
                await self._savepoint.rollback()
        finally:
            await self._shared.leave()

    async def commit(self) -> None:
        """Release the savepoint and set a new one."""
        assert self._connection is not None
        await self._savepoint.commit()
        self._shared.keep()
        self._savepoint = await self._connection.begin_nested()


async def connect(url: str) -> AsyncConnection:
    """A connection of the running loop's pool.

    :raises Unavailable: the database does not answer.
    """
    try:
        return await engine_of(url).connect()
    except (OperationalError, InterfaceError, PoolTimeout, OSError) as error:
        raise Unavailable("the database does not answer") from error


@asynccontextmanager
async def connected(url: str) -> AsyncIterator[AsyncConnection]:
    """A connection that is given back at the end; what was not committed is rolled back.

    :raises Unavailable: the database does not answer, or the connection is lost.
    """
    connection = await connect(url)
    try:
        yield connection
    except (OperationalError, InterfaceError) as error:
        raise Unavailable("the database did not answer in time, or the connection to it was lost") from error
    finally:
        await connection.close()
