"""Executions that were started, and the DAGs that they have."""

from datetime import UTC, datetime
from typing import Any

from include.upgrades.domain.execution import Execution
from include.upgrades.domain.shards import SHARDS, shard_key
from include.upgrades.domain.states import ExecutionStatus
from include.upgrades.flow.factory import build_dags
from tests.dags.conftest import Add


def started(executions: Add, **fields: Any) -> Execution:
    values = {"status": ExecutionStatus.VALIDATING, "started_at": datetime.now(UTC)} | fields
    return executions(**values)


def shard_of(execution: Execution) -> int:
    return shard_key(execution.id) % SHARDS


def dag_of(execution: Execution) -> Any:
    return build_dags(shard_of(execution))[execution.dag_id]
