"""Which DAG file defines an execution's DAG: executions are spread over several files, so that a parse stays short."""

from __future__ import annotations

import hashlib

SHARDS = 16
"The number of files dags/upgrade_executions/shard_N.py; to change it, add or remove such files."


def shard_key(execution_id: str) -> int:
    """A stable hash of the id: it spreads executions evenly and is the same in every process."""
    return int.from_bytes(hashlib.sha256(execution_id.encode()).digest()[:4], "big")


def shard_file(execution_id: str) -> str:
    """The name of the file within its folder."""
    return file_of(shard_key(execution_id) % SHARDS)


def file_of(shard: int) -> str:
    """The name of a shard's file within its folder."""
    return f"shard_{shard}.py"
