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


class JoinedUnitOfWork(PostgresUnitOfWork):
    """A savepoint in another call's transaction, kept by ``commit`` and rolled back otherwise."""

    def __init__(self, connection: AsyncConnection, lease_seconds: float) -> None:
        super().__init__("", lease_seconds)
        self._shared = connection

    async def __aenter__(self) -> Self:
        self._savepoint = await self._shared.begin_nested()
        self._bind(self._shared)
        return self

    async def _leave(self, connection: AsyncConnection) -> None:
        if self._savepoint.is_active and not connection.invalidated:
            await self._savepoint.rollback()

    async def commit(self) -> None:
        """Release the savepoint and set a new one."""
        await self._savepoint.commit()
        self._savepoint = await self._shared.begin_nested()


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
