"""The history on PostgreSQL: read from an index, not from the rows."""

from datetime import date

import psycopg
from psycopg import sql

from tests.store_contract.executions.history import HistoryContract
from tests.store_contract.stores import Added, Store
from upgrade_orchestrator.adapters.postgres.engine.engine import sync_engine
from upgrade_orchestrator.adapters.postgres.executions.statistics import history_query
from upgrade_orchestrator.domain.operations.statistics import HistoryOf

COMPONENT, SINCE = "aaa-111", date(2026, 11, 2)


class TestHistory(HistoryContract):
    """On PostgreSQL."""


async def test_history_of_a_component_is_read_from_its_index_alone(
    store: Store, added: Added, postgres_url: str
) -> None:
    await added()
    query = history_query(HistoryOf(COMPONENT), SINCE)
    shown = query.compile(sync_engine(postgres_url), compile_kwargs={"literal_binds": True})
    with psycopg.connect(postgres_url.replace("+psycopg", ""), autocommit=True) as connection:
        connection.execute("SET enable_seqscan = off")  # of one row it would be the cheaper way
        connection.execute("VACUUM ANALYZE execution")
        plan = connection.execute(sql.SQL("EXPLAIN {}").format(sql.SQL(str(shown)))).fetchall()
    assert any("Index Only Scan using ix_execution_component" in row[0] for row in plan), plan
