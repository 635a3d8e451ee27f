"""A DAG has one version however often it is parsed and however its execution ends."""

import asyncio
import json
import os
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from tests.architecture.sources import ROOT
from tests.dags.conftest import Add
from tests.dags.hashes import SPEC, all_hashes, hash_of
from upgrade_orchestrator.adapters.postgres.unit_of_work import PostgresUnitOfWork
from upgrade_orchestrator.bootstrap import close_ports
from upgrade_orchestrator.domain.airflow.shards import SHARDS, shard_key
from upgrade_orchestrator.domain.execution.commands import SYSTEM
from upgrade_orchestrator.domain.execution.execution import Execution, advance
from upgrade_orchestrator.domain.execution.states import ExecutionStatus
from upgrade_orchestrator.flow.upgrade.factory import build_dag, build_dags

S = ExecutionStatus


def _hash(execution: Execution) -> str:
    dag = build_dags(shard_key(execution.id) % SHARDS)[execution.dag_id]
    return hash_of(dag)


def _started(executions: Add, **fields: Any) -> Execution:
    return executions(status=S.VALIDATING, started_at=datetime.now(UTC), **fields)


def test_upgrade_dags_keep_their_version_when_parsed_again(executions: Add) -> None:
    execution = _started(executions)
    assert _hash(execution) == _hash(execution)


def test_upgrade_dag_keeps_its_version_when_the_status_changes(executions: Add, database: str) -> None:
    execution = _started(executions)
    hashes = {_hash(execution)}
    for to in (S.IN_PROGRESS, S.PAUSED, S.IN_PROGRESS, S.ROLLING_BACK, S.ROLLED_BACK):
        asyncio.run(_go(database, execution.id, to))
        hashes.add(_hash(execution))
    assert len(hashes) == 1


def test_upgrade_dags_of_different_plans_have_different_versions() -> None:
    assert hash_of(build_dag(SPEC)) != hash_of(build_dag(replace(SPEC, batches=SPEC.batches[:1])))
    assert hash_of(build_dag(SPEC)) != hash_of(build_dag(replace(SPEC, strategy="RECREATE")))


def test_every_dag_has_the_same_version_in_two_processes() -> None:
    """Sets have another order in every process."""
    script = "import json; from tests.dags.hashes import all_hashes; print(json.dumps(all_hashes()))"
    env = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONHASHSEED": "1"}
    run = subprocess.run([sys.executable, "-c", script], cwd=ROOT, env=env, capture_output=True, text=True, check=True)
    assert json.loads(run.stdout.splitlines()[-1]) == all_hashes() == all_hashes()


async def _go(url: str, execution_id: str, to: ExecutionStatus) -> None:
    async with PostgresUnitOfWork(url, 10) as work:
        execution = await work.executions.lock(execution_id)
        moved, event = advance(execution, to, "because", SYSTEM, await work.now())
        await work.events.append(moved, [event])
        await work.executions.save(moved)
        await work.commit()
    await close_ports()
