"""Overviews on PostgreSQL: the number of statements and the rows read do not grow with page size and history."""

from datetime import timedelta
from typing import Any

import psycopg
import pytest
from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg

from tests.integration.store.counting import counted
from tests.store_contract.executions.overviews import OverviewsContract
from tests.store_contract.stores import Added, Store
from tests.unit.domain.builders import NOW, after
from upgrade_orchestrator.adapters.postgres.executions.overviews import _page
from upgrade_orchestrator.domain.execution.execution import Strategy
from upgrade_orchestrator.domain.execution.states import ExecutionStatus
from upgrade_orchestrator.service.ports.stores.overviews import ExecutionFilter

STORED = 20_000
COPIES = """
INSERT INTO execution SELECT (jsonb_populate_record(e, jsonb_build_object('id', 'copy-' || n, 'status',
    (ARRAY['COMPLETED', 'FAILED'])[1 + (mod(n, 5000) = 0)::int],
    'strategy', (ARRAY['ROLLING', 'STAGED'])[1 + (mod(n, 5000) = 0)::int],
    'created_at', e.created_at + n * interval '1 second'))).* FROM execution e, generate_series(1, %s) n
"""


class TestOverviews(OverviewsContract):
    """On PostgreSQL."""


async def test_page_of_many_executions_costs_one_statement(store: Store, added: Added, postgres_url: str) -> None:
    for number in range(7):
        await added(tenant_id="one", settled_at=NOW, created_at=after(number))
    for limit in (1, 7):
        async with counted(postgres_url) as sent, store() as work:
            assert len(await work.overviews.page(ExecutionFilter("one", limit=limit))) == limit
        assert len(sent) == 1


@pytest.fixture
async def crowd(added: Added, postgres_url: str) -> "psycopg.Connection[Any]":
    """A tenant with many executions, few of which are not alike."""
    await added(tenant_id="one", settled_at=NOW, status=ExecutionStatus.COMPLETED, created_at=NOW)
    connection = psycopg.connect(postgres_url.replace("+psycopg", ""), autocommit=True)
    connection.execute(COPIES, (STORED,))
    connection.execute("VACUUM ANALYZE")
    return connection


FILTERS: list[dict[str, Any]] = [
    {},
    {"status": ExecutionStatus.FAILED},
    {"status": ExecutionStatus.PENDING},
    {"strategy": Strategy.STAGED},
    {"component_id": "aaa-111"},
    {"component_id": "another"},
    {"since": NOW + timedelta(seconds=STORED - 10)},
    {"status": ExecutionStatus.FAILED, "after": (NOW + timedelta(seconds=9000), "copy-9000")},
]


async def test_every_filter_reads_only_the_matching_rows(crowd: "psycopg.Connection[Any]") -> None:
    for narrowed in FILTERS:
        scans = _scans(crowd, ExecutionFilter("one", limit=51, **narrowed))
        assert scans, narrowed
        for scan in scans:
            assert scan["Node Type"] in ("Index Scan", "Bitmap Heap Scan"), (narrowed, scan)
            assert scan.get("Rows Removed by Filter", 0) + scan["Actual Rows"] <= 60, (narrowed, scan)
    crowd.close()


def _scans(connection: "psycopg.Connection[Any]", wanted: ExecutionFilter) -> list[dict[str, Any]]:
    """The plan nodes of the page's statement that read executions."""
    query = _page(wanted).compile(dialect=PGDialect_psycopg())  # type: ignore[no-untyped-call]
    explained = connection.execute(f"EXPLAIN (ANALYZE, FORMAT JSON) {query}", query.params).fetchone()
    assert explained is not None
    return [each for each in _nodes(explained[0][0]["Plan"]) if each.get("Relation Name") == "execution"]


def _nodes(plan: dict[str, Any]) -> list[dict[str, Any]]:
    return [plan, *(node for each in plan.get("Plans", ()) for node in _nodes(each))]
