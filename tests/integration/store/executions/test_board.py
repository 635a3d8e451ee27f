"""The board on PostgreSQL: its cost grows neither with stored nor with running executions."""

from typing import Any

import psycopg
import pytest
from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg

from tests.store_contract.executions.board import BoardContract
from tests.store_contract.stores import Added
from tests.unit.domain.builders import NOW
from upgrade_orchestrator.adapters.postgres.executions.board import counts_query, page_query
from upgrade_orchestrator.domain.execution.execution import Strategy
from upgrade_orchestrator.domain.execution.states import ExecutionStatus
from upgrade_orchestrator.service.ports.stores.board import BoardFilter, Group

STORED, RUNNING = 6000, 200
ENDED = """
INSERT INTO execution SELECT (jsonb_populate_record(e, jsonb_build_object('id', '0' || lpad(n::text, 6, '0'),
    'tenant_id', 'tenant-' || mod(n, 50), 'status', 'COMPLETED', 'completed_at', now() - interval '2 days',
    'settled_at', now() - interval '2 days'))).* FROM execution e, generate_series(1, %s) n
"""
ACTIVE = """
INSERT INTO execution SELECT (jsonb_populate_record(e, jsonb_build_object('id', '1' || lpad(n::text, 6, '0'),
    'tenant_id', 'tenant-' || n, 'status', 'IN_PROGRESS', 'settled_at', NULL))).*
FROM execution e, generate_series(1, %s) n WHERE e.id = 'e-1'
"""
INSTANCES = """
INSERT INTO instance (execution_id, instance_id, batch, position, status, from_version, to_version)
SELECT e.id, 'more-' || n, 9, n, 'PENDING', 'a', 'b' FROM execution e, generate_series(1, 50) n
WHERE e.settled_at IS NULL
"""


class TestBoard(BoardContract):
    """On PostgreSQL."""


@pytest.fixture
async def crowd(added: Added, postgres_url: str) -> "psycopg.Connection[Any]":
    """Many that have ended, 200 that run with 50 instances each."""
    await added(id="e-1", tenant_id="one", settled_at=NOW, status=ExecutionStatus.COMPLETED)
    connection = psycopg.connect(postgres_url.replace("+psycopg", ""), autocommit=True)
    connection.execute(ENDED, (STORED,))
    connection.execute(ACTIVE, (RUNNING,))
    connection.execute(INSTANCES)
    connection.execute("VACUUM ANALYZE")
    return connection


def scanned(connection: "psycopg.Connection[Any]", query: Any, relation: str = "execution") -> int:
    """How many rows of a relation the statement reads."""
    dialect = PGDialect_psycopg()  # type: ignore[no-untyped-call]
    compiled = query.compile(dialect=dialect, compile_kwargs={"render_postcompile": True})
    literal = connection.execute(f"EXPLAIN (ANALYZE, FORMAT JSON) {compiled}", _plain(compiled.params)).fetchone()
    assert literal is not None
    found = [each for each in _nodes(literal[0][0]["Plan"]) if each.get("Relation Name") == relation]
    return sum(
        int((each["Actual Rows"] + each.get("Rows Removed by Filter", 0)) * each["Actual Loops"]) for each in found
    )


def _plain(params: dict[str, Any]) -> dict[str, Any]:
    return {name: list(value) if isinstance(value, tuple) else value for name, value in params.items()}


def _nodes(plan: dict[str, Any]) -> list[dict[str, Any]]:
    return [plan, *(node for each in plan.get("Plans", ()) for node in _nodes(each))]


PAGES = [
    (BoardFilter(limit=21), 50),
    (BoardFilter(limit=21, after="0003000"), 50),
    (BoardFilter(limit=21, status=ExecutionStatus.IN_PROGRESS), RUNNING * 2),
    (BoardFilter(limit=21, status=ExecutionStatus.PAUSED), RUNNING),
    (BoardFilter(limit=21, status=Group.ACTIVE), RUNNING * 2),
    (BoardFilter(limit=21, status=Group.AWAITING_APPROVAL), RUNNING * 2),
    (BoardFilter(limit=21, status=Group.NEEDS_ATTENTION), RUNNING * 2),
    (BoardFilter(limit=21, tenants=frozenset({"tenant-7"})), 2000),
    (BoardFilter(limit=21, strategy=Strategy.ROLLING), 60),
]
"Filters, and how many rows of executions the statement may read for them."


async def test_list_page_reads_only_a_few_of_the_stored_rows(crowd: "psycopg.Connection[Any]") -> None:
    for wanted, most in PAGES:
        query = page_query(wanted)
        assert scanned(crowd, query) <= most, wanted
        assert scanned(crowd, query, "instance") <= 21 * 60, wanted
    crowd.close()


async def test_counts_read_only_unfinished_and_recently_ended_executions(crowd: "psycopg.Connection[Any]") -> None:
    assert scanned(crowd, counts_query(None)) <= RUNNING * 3
    assert scanned(crowd, counts_query(None), "instance") == 0
    crowd.close()
