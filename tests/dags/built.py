"""Started executions, and their DAGs."""

from datetime import UTC, datetime
from typing import Any

from tests.dags.conftest import Add
from upgrade_orchestrator.domain.airflow.shards import SHARDS, shard_key
from upgrade_orchestrator.domain.execution.execution import Execution
from upgrade_orchestrator.domain.execution.states import ExecutionStatus
from upgrade_orchestrator.flow.upgrade.factory import build_dags


def started(executions: Add, **fields: Any) -> Execution:
    values = {"status": ExecutionStatus.VALIDATING, "started_at": datetime.now(UTC)} | fields
    return executions(**values)


def shard_of(execution: Execution) -> int:
    return shard_key(execution.id) % SHARDS


def dag_of(execution: Execution) -> Any:
    return build_dags(shard_of(execution))[execution.dag_id]
