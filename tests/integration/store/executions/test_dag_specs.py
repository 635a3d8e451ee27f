"""What the dag files read: the cost of a parse does not grow with the executions that ended long ago."""

from typing import Any

import psycopg
import pytest

from tests.store_contract.stores import Added
from upgrade_orchestrator.adapters.postgres.executions import dag_specs
from upgrade_orchestrator.adapters.postgres.executions.dag_specs import read_dag_specs
from upgrade_orchestrator.domain.airflow.shards import SHARDS, shard_key
from upgrade_orchestrator.domain.execution.states import ExecutionStatus

FINISHED = 30_000
_COPIES = f"""
INSERT INTO execution SELECT (jsonb_populate_record(execution, jsonb_build_object('id', 'done-' || number,
    'shard_key', number, 'completed_at', now() - interval '8 days' - number * interval '1 minute',
    'settled_at', now() - interval '8 days'))).*
FROM execution, generate_series(1, {FINISHED}) AS number"""


@pytest.fixture
def connection(postgres_url: str) -> Any:
    with psycopg.connect(postgres_url.replace("+psycopg", ""), autocommit=True) as connection:
        yield connection


# fault 51
async def test_parse_reads_only_its_own_executions_beside_thirty_thousand_that_ended(
    postgres_url: str, added: Added, connection: Any
) -> None:
    async def add(status: ExecutionStatus, ended: bool) -> str:
        made = await added(status=status)
        times = {"started_at": made.created_at} | ({"completed_at": made.created_at} if ended else {})
        columns = ", ".join(f"{name} = %({name})s" for name in times)
        values = times | {"id": made.id, "settled": made.created_at if ended else None}
        connection.execute(f"UPDATE execution SET {columns}, settled_at = %(settled)s WHERE id = %(id)s", values)
        return made.id

    over = await add(ExecutionStatus.COMPLETED, ended=True)
    connection.execute(_COPIES)
    active = await add(ExecutionStatus.IN_PROGRESS, ended=False)
    connection.execute("VACUUM ANALYZE execution")

    plan = _plan(connection, shard_key(over) % SHARDS)
    assert "Seq Scan" not in plan, plan
    assert "ix_execution_shard" in plan, plan
    assert _buffers(plan) < 20, plan
    found = {each.execution_id for shard in range(SHARDS) for each in read_dag_specs(postgres_url, 7, shard, None)}
    assert found == {over, active}


def _plan(connection: Any, shard: int) -> str:
    values = {"kept": "7 days", "shard": shard}
    rows = connection.execute(f"EXPLAIN (ANALYZE, BUFFERS) {dag_specs._SHARD}", values).fetchall()
    return "\n".join(line for (line,) in rows)


def _buffers(plan: str) -> int:
    """The pages that the whole query touches; planning is counted apart, after it."""
    top = next(line for line in plan.splitlines() if "Buffers:" in line)
    return sum(int(each.partition("=")[2]) for each in top.split() if each.startswith(("hit=", "read=")))
