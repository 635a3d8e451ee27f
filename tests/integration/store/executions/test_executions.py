"""Executions on PostgreSQL, also when a connection is cut in the midst of a unit of work."""

from typing import Any

import psycopg
import pytest

from tests.store_contract.executions.executions import ExecutionsContract
from tests.store_contract.stores import Added, Store
from upgrade_orchestrator.domain.errors import Unavailable


class TestExecutions(ExecutionsContract):
    """On PostgreSQL."""


async def test_cut_connection_is_unavailable_and_the_next_unit_of_work_succeeds(
    store: Store, added: Added, postgres_url: str
) -> None:
    execution = await added()
    own = psycopg.connect(postgres_url.replace("+psycopg", ""), autocommit=True)
    with own as connection, pytest.raises(Unavailable):
        await _cut(store, connection)
    async with store() as work:
        assert await work.executions.get(execution.id) == execution


async def test_start_in_a_worker_is_refused_while_another_start_holds_the_lock(store: Store) -> None:
    async with store() as first, store() as second:
        assert await first.executions.may_begin_in_worker(1, 15)
        assert not await second.executions.may_begin_in_worker(2, 15)
        await first.commit()
        assert await second.executions.may_begin_in_worker(1, 15)


async def _cut(store: Store, connection: Any) -> None:
    async with store() as work:
        await work.now()
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND application_name = 'upgrades'"
        )
        await work.now()
