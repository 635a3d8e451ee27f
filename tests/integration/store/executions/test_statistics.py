"""Statistics on PostgreSQL: read from an index, not from the rows."""

import psycopg
from psycopg import sql

from tests.store_contract.executions.statistics import StatisticsContract
from tests.store_contract.stores import Added, Store
from upgrade_orchestrator.adapters.postgres.engine.engine import sync_engine
from upgrade_orchestrator.adapters.postgres.executions.statistics import statistics_query

COMPONENT = "aaa-111"


class TestStatistics(StatisticsContract):
    """On PostgreSQL."""


async def test_statistics_are_read_from_their_index_alone(store: Store, added: Added, postgres_url: str) -> None:
    await added()
    shown = statistics_query(COMPONENT).compile(sync_engine(postgres_url), compile_kwargs={"literal_binds": True})
    with psycopg.connect(postgres_url.replace("+psycopg", ""), autocommit=True) as connection:
        connection.execute("SET enable_seqscan = off")  # of one row it would be the cheaper way
        connection.execute("VACUUM ANALYZE execution")
        plan = connection.execute(sql.SQL("EXPLAIN {}").format(sql.SQL(str(shown)))).fetchall()
    assert any("Index Only Scan using ix_execution_component" in row[0] for row in plan), plan
