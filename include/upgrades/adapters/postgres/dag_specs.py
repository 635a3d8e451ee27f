"""What the dag files ask for: the immutable columns of every execution that still has a DAG."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from functools import lru_cache

from sqlalchemy import Engine, func, or_, select

from include.upgrades.adapters.postgres import tables
from include.upgrades.adapters.postgres.engine import sync_engine
from include.upgrades.domain.shards import SHARDS

E = tables.execution.c


@dataclass(frozen=True, slots=True)
class DagSpec:
    """All that an execution's DAG is built from; none of it changes after creation, so the DAG has one version."""

    execution_id: str
    tenant_id: str
    component_id: str
    strategy: str
    from_version: str
    to_version: str
    batches: tuple[tuple[int, str], ...]
    """Number and kind of each batch."""


def read_dag_specs(url: str, retention_days: float, shard: int | None, execution_id: str | None) -> list[DagSpec]:
    """Specs of one shard, or of one execution when Airflow asks for that one.

    From its start until ``retention_days`` after its end an execution has a DAG. A database that is away raises:
    an empty list would make Airflow take every DAG of the file for gone.
    """
    query = select(E.id, E.tenant_id, E.component_id, E.strategy, E.from_version, E.to_version, E.shape).order_by(E.id)
    if execution_id is not None:
        query = query.where(E.id == execution_id)
    else:
        kept = func.clock_timestamp() - timedelta(days=retention_days)
        query = query.where(E.started_at.is_not(None), or_(E.completed_at.is_(None), E.completed_at > kept))
    if shard is not None:
        query = query.where(E.shard_key % SHARDS == shard)
    with _engine(url).connect() as connection:
        return [_spec(row) for row in connection.execute(query)]


def _spec(row) -> DagSpec:  # type: ignore[no-untyped-def]  # a result row has the query's columns
    batches = tuple((number, kind) for number, kind in row.shape)
    return DagSpec(row.id, row.tenant_id, row.component_id, row.strategy, row.from_version, row.to_version, batches)


@lru_cache(maxsize=4)
def _engine(url: str) -> Engine:
    return sync_engine(url)
