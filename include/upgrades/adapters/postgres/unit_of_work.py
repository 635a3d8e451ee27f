"""One transaction (port ``UnitOfWork``): nothing happened unless ``commit`` was called."""

from __future__ import annotations

from datetime import datetime
from types import TracebackType
from typing import Self

from sqlalchemy import func, select
from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncConnection

from include.upgrades.adapters.postgres.approvals import PostgresApprovals
from include.upgrades.adapters.postgres.engine import engine_of
from include.upgrades.adapters.postgres.events import PostgresEvents
from include.upgrades.adapters.postgres.executions import PostgresExecutions
from include.upgrades.adapters.postgres.leases import PostgresLeases
from include.upgrades.adapters.postgres.registry import PostgresRegistry
from include.upgrades.domain.errors import Unavailable


class PostgresUnitOfWork:
    """Opens a connection of the running loop's pool; a database that is away is ``Unavailable``."""

    def __init__(self, url: str, lease_seconds: float) -> None:
        self._url = url
        self._lease_seconds = lease_seconds
        self._connection: AsyncConnection | None = None

    async def __aenter__(self) -> Self:
        try:
            self._connection = connection = await engine_of(self._url).connect()
        except (OperationalError, InterfaceError, PoolTimeout, OSError) as error:
            raise Unavailable("the database does not answer") from error
        self.executions = PostgresExecutions(connection)
        self.events = PostgresEvents(connection)
        self.registry = PostgresRegistry(connection)
        self.leases = PostgresLeases(connection, self._lease_seconds)
        self.approvals = PostgresApprovals(connection)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            await connection.close()  # rolls back what was not committed
        if isinstance(error, OperationalError | InterfaceError):
            raise Unavailable("the database went away") from error

    async def now(self) -> datetime:
        """The database's clock, UTC: of the execution's last read in this unit of work, which costs no extra call."""
        assert self._connection is not None
        if self.executions.read_at is not None:
            return self.executions.read_at
        found: datetime = (await self._connection.execute(select(func.clock_timestamp()))).scalar_one()
        return found

    async def commit(self) -> None:
        """End the transaction for good; a new one begins with the next statement."""
        assert self._connection is not None
        await self._connection.commit()
