"""What the dag files read: for each execution that has a DAG, the columns that no longer change."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
from sqlalchemy.engine import make_url

from upgrade_orchestrator.adapters.postgres.engine.limits import connection_arguments, server_limits
from upgrade_orchestrator.domain.airflow.shards import SHARDS

# Plain psycopg, because every task parses its dag file first and an SQLAlchemy engine would take three times as long.
_COLUMNS = """SELECT id, tenant_id, component_id, strategy, from_version, to_version, shape,
(request->>'batch_delay_seconds')::float, begins_in_worker,
date_trunc('day', coalesce(started_at, created_at), 'UTC') FROM execution"""
_ONE = f"{_COLUMNS} WHERE id = %(execution_id)s"
# The conditions of two indexes, word for word, so that the cost does not grow with what ended before: few executions
# are not settled, and of the others each shard reads its own.
_SHARD = f"""{_COLUMNS} WHERE settled_at IS NULL AND started_at IS NOT NULL AND (shard_key %% {SHARDS}) = %(shard)s
UNION ALL {_COLUMNS} WHERE started_at IS NOT NULL AND settled_at IS NOT NULL AND (shard_key %% {SHARDS}) = %(shard)s
AND completed_at > now() - %(kept)s::interval ORDER BY 1"""


@dataclass(frozen=True, slots=True)
class DagSpec:
    """Everything that an execution's DAG is built from. It does not change after the start: the DAG has one version."""

    execution_id: str
    tenant_id: str
    component_id: str
    strategy: str
    from_version: str
    to_version: str
    batches: tuple[tuple[int, str], ...]
    """Number and kind of the first batch of each task group; the last batch is a group of its own."""
    delay_seconds: float = 0.0
    """Between the end of a batch and the start of the next."""
    begins_in_worker: bool = True
    """Whether the first step begins in a worker; otherwise it is deferred from the start."""
    day: datetime = datetime(2026, 1, 1, tzinfo=UTC)
    """The day of its start (UTC), which its run carries."""


def read_dag_specs(url: str, retention_days: float, shard: int, execution_id: str | None) -> list[DagSpec]:
    """The specs of one shard, or only of ``execution_id`` when Airflow parses for that one.

    An execution has a DAG from its start until ``retention_days`` after its end. An error of the database is raised,
    since an empty list would make Airflow deactivate every DAG of the file.
    """
    wanted = {
        "execution_id": execution_id,
        "kept": timedelta(days=retention_days),
        "shard": shard,
    }
    dsn = make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
    arguments = connection_arguments(url, *server_limits()) | {"application_name": "upgrades-dags"}
    with psycopg.connect(dsn, **arguments) as connection:
        return [_spec(row) for row in connection.execute(_SHARD if execution_id is None else _ONE, wanted)]


def _spec(row: tuple[Any, ...]) -> DagSpec:
    execution_id, tenant_id, component_id, strategy, from_version, to_version, shape, *begin = row
    batches = tuple((number, kind) for number, kind in shape)
    return DagSpec(execution_id, tenant_id, component_id, strategy, from_version, to_version, batches, *begin)
