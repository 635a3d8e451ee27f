"""Executions on PostgreSQL, also when a connection is cut in the midst of a unit of work."""

from typing import Any

import psycopg
import pytest

from include.upgrades.domain.errors import Unavailable
from tests.store_contract.executions import ExecutionsContract
from tests.store_contract.stores import Added, Store


class TestExecutions(ExecutionsContract):
    """On PostgreSQL."""


async def test_cut_connection_is_unavailable_and_the_next_unit_of_work_is_fine(
    store: Store, added: Added, postgres_url: str
) -> None:
    execution = await added()
    own = psycopg.connect(postgres_url.replace("+psycopg", ""), autocommit=True)
    with own as connection, pytest.raises(Unavailable):
        await _cut(store, connection)
    async with store() as work:
        assert await work.executions.get(execution.id) == execution


async def _cut(store: Store, connection: Any) -> None:
    async with store() as work:
        await work.now()
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND application_name = 'upgrades'"
        )
        await work.now()
