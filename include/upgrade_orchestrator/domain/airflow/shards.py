"""Which dag file an execution's DAG is born in: files share the executions, so that a parse stays short."""

from __future__ import annotations

import hashlib

SHARDS = 16
"The number of files dags/upgrade_executions/shard_N.py; changing it means adding or removing such files."


def shard_key(execution_id: str) -> int:
    """A number that spreads executions evenly, the same in every process and for ever."""
    return int.from_bytes(hashlib.sha256(execution_id.encode()).digest()[:4], "big")


def shard_file(execution_id: str) -> str:
    """The name of the file within its folder."""
    return f"shard_{shard_key(execution_id) % SHARDS}.py"
