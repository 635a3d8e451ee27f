"""A DAG has one version however often it is parsed and whatever becomes of its execution."""

import asyncio
import os
import subprocess
import sys
import time
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from airflow.models.serialized_dag import SerializedDagModel
from airflow.serialization.serialized_objects import LazyDeserializedDAG

from include.upgrades.adapters.postgres.dag_specs import DagSpec
from include.upgrades.adapters.postgres.unit_of_work import PostgresUnitOfWork
from include.upgrades.bootstrap import close_ports
from include.upgrades.domain.commands import SYSTEM
from include.upgrades.domain.execution import Execution, advance
from include.upgrades.domain.shards import SHARDS, shard_key
from include.upgrades.domain.states import ExecutionStatus
from include.upgrades.flow.factory import build_dag, build_dags
from tests.architecture.sources import ROOT
from tests.dags.conftest import Add
from tests.unit.domain.builders import planned

S = ExecutionStatus


def _hash(execution: Execution) -> str:
    dag = build_dags(shard_key(execution.id) % SHARDS)[execution.dag_id]
    found: str = SerializedDagModel.hash(LazyDeserializedDAG.from_dag(dag).data)
    return found


def _started(executions: Add, **fields: Any) -> Execution:
    return executions(status=S.VALIDATING, started_at=datetime.now(UTC), **fields)


def test_two_parses_give_one_version(executions: Add) -> None:
    execution = _started(executions)
    assert _hash(execution) == _hash(execution)


def test_status_changes_make_no_new_version(executions: Add, database: str) -> None:
    execution = _started(executions)
    hashes = {_hash(execution)}
    for to in (S.IN_PROGRESS, S.PAUSED, S.IN_PROGRESS, S.ROLLING_BACK, S.ROLLED_BACK):
        asyncio.run(_go(database, execution.id, to))
        hashes.add(_hash(execution))
    assert len(hashes) == 1


SPEC = DagSpec("e-1", "t-1", "aaa-111", "ROLLING", "3.6.0", "3.7.0", ((1, "BATCH"), (2, "BATCH")))


def _hash_of(spec: DagSpec) -> str:
    found: str = SerializedDagModel.hash(LazyDeserializedDAG.from_dag(build_dag(spec)).data)
    return found


def test_different_plans_are_different_versions() -> None:
    assert _hash_of(SPEC) != _hash_of(replace(SPEC, batches=SPEC.batches[:1]))
    assert _hash_of(SPEC) != _hash_of(replace(SPEC, strategy="RECREATE"))


def test_two_processes_give_one_version() -> None:
    """Sets have another order in every process."""
    script = "from tests.dags.test_versions import SPEC, _hash_of; print('hash', _hash_of(SPEC))"
    env = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONHASHSEED": "1"}
    run = subprocess.run([sys.executable, "-c", script], cwd=ROOT, env=env, capture_output=True, text=True, check=True)
    assert run.stdout.splitlines()[-1] == f"hash {_hash_of(SPEC)}"


def test_parse_time_of_a_dag_is_told(executions: Add) -> None:
    made = [_started(executions, plan=planned(20, batch_size=5)) for _ in range(40)]
    began = time.perf_counter()
    dags = {name: dag for shard in range(SHARDS) for name, dag in build_dags(shard).items()}
    built = time.perf_counter()
    for dag in dags.values():
        LazyDeserializedDAG.from_dag(dag)
    ended = time.perf_counter()
    assert len(dags) == len(made)
    print(f"\nbuild {(built - began) / 40 * 1000:.1f} ms, serialize {(ended - built) / 40 * 1000:.1f} ms per DAG")


async def _go(url: str, execution_id: str, to: ExecutionStatus) -> None:
    async with PostgresUnitOfWork(url, 10) as work:
        execution = await work.executions.lock(execution_id)
        moved, event = advance(execution, to, "because", SYSTEM, await work.now())
        await work.events.append(moved, [event])
        await work.executions.save(moved)
        await work.commit()
    await close_ports()
