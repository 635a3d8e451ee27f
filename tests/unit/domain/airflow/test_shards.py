"""Executions are spread evenly over the DAG files, in the same way in every process."""

from collections import Counter

import pytest

from upgrade_orchestrator.adapters.ids import new_id
from upgrade_orchestrator.domain.airflow.shards import SHARDS, shard_file, shard_key


def test_generated_ids_are_spread_evenly_over_the_shards() -> None:
    counts = Counter(shard_file(new_id()) for _ in range(8000))
    assert set(counts) == {f"shard_{number}.py" for number in range(SHARDS)}
    assert max(counts.values()) < 1.25 * 8000 / SHARDS
    assert min(counts.values()) > 0.75 * 8000 / SHARDS


def test_numbered_ids_are_spread_evenly_over_the_shards() -> None:
    counts = Counter(shard_file(f"execution-{number}") for number in range(8000))
    assert max(counts.values()) < 1.25 * 8000 / SHARDS


@pytest.mark.parametrize(("execution_id", "key"), [("e-1", 3108983345), ("aaa-111", 2536261636)])
def test_shard_key_of_an_id_never_changes(execution_id: str, key: int) -> None:
    """The key is stored with every execution: another function would move running DAGs to other files."""
    assert shard_key(execution_id) == key
