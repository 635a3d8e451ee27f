"""What is shown of executions: the statements do not grow with the page, nor the work with what is stored."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from typing import Any

import psycopg
import pytest
from sqlalchemy import event
from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg

from include.upgrades.adapters.postgres.engine import engine_of
from include.upgrades.adapters.postgres.overviews import _page
from include.upgrades.domain.batch import Batch
from include.upgrades.domain.execution import Strategy
from include.upgrades.domain.instance import InstanceStatus
from include.upgrades.domain.states import ExecutionStatus
from include.upgrades.service.overview_ports import ExecutionFilter
from tests.integration.store.conftest import Added, Store, rows
from tests.unit.domain.builders import NOW, after

STORED = 20_000
COPIES = """
INSERT INTO execution SELECT (jsonb_populate_record(e, jsonb_build_object('id', 'copy-' || n, 'status',
    (ARRAY['COMPLETED', 'FAILED'])[1 + (mod(n, 5000) = 0)::int],
    'strategy', (ARRAY['ROLLING', 'STAGED'])[1 + (mod(n, 5000) = 0)::int],
    'created_at', e.created_at + n * interval '1 second'))).* FROM execution e, generate_series(1, %s) n
"""


async def test_overview_counts_what_belongs_to_the_execution(store: Store, added: Added) -> None:
    execution = await added()
    first, second, third = rows()
    moved = [
        replace(first, status=InstanceStatus.ROLLED_BACK),
        replace(second, status=InstanceStatus.COMPLETED, revert=InstanceStatus.UPGRADING),
    ]
    async with store() as work:
        await work.executions.save_instances(execution.id, moved)
        await work.executions.save_batch(execution.id, Batch(1, "BATCH", started_at=NOW))
        await work.commit()
        found = await work.overviews.get(execution.id)
    assert (found.execution, found.rolled_back) == (execution, [first.instance_id])
    assert (found.tally.in_flight, found.tally.current_batch, found.tally.total_batches) == (1, 1, 2)
    assert found.tally.counts[InstanceStatus.PENDING] == 1
    assert [each.status for each in found.checks] == ["PENDING"] * 5


@asynccontextmanager
async def counted(url: str) -> AsyncIterator[list[str]]:
    """The statements that are sent within."""
    sent: list[str] = []

    def note(_: Any, __: Any, statement: str, *___: Any) -> None:
        sent.append(statement)

    engine = engine_of(url).sync_engine
    event.listen(engine, "before_cursor_execute", note)
    yield sent
    event.remove(engine, "before_cursor_execute", note)


async def test_page_of_many_is_one_statement_like_a_page_of_one(store: Store, added: Added, postgres_url: str) -> None:
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


@pytest.mark.parametrize(
    "narrowed",
    [
        {},
        {"status": ExecutionStatus.FAILED},
        {"status": ExecutionStatus.PENDING},
        {"strategy": Strategy.STAGED},
        {"component_id": "aaa-111"},
        {"component_id": "another"},
        {"since": NOW + timedelta(seconds=STORED - 10)},
        {"status": ExecutionStatus.FAILED, "after": (NOW + timedelta(seconds=9000), "copy-9000")},
    ],
    ids=str,
)
async def test_every_filter_reads_only_what_it_shows(
    crowd: "psycopg.Connection[Any]", narrowed: dict[str, Any]
) -> None:
    query = _page(ExecutionFilter("one", limit=51, **narrowed)).compile(
        dialect=PGDialect_psycopg()  # type: ignore[no-untyped-call]
    )
    told = crowd.execute(f"EXPLAIN (ANALYZE, FORMAT JSON) {query}", query.params).fetchone()
    assert told is not None
    scans = [each for each in _nodes(told[0][0]["Plan"]) if each.get("Relation Name") == "execution"]
    assert scans
    for scan in scans:
        assert scan["Node Type"] in ("Index Scan", "Bitmap Heap Scan"), scan
        assert scan.get("Rows Removed by Filter", 0) + scan["Actual Rows"] <= 60, scan
    crowd.close()


def _nodes(plan: dict[str, Any]) -> list[dict[str, Any]]:
    return [plan, *(node for each in plan.get("Plans", ()) for node in _nodes(each))]
