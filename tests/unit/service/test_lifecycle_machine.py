"""Random commands, faults, crashes and changes in Airflow's UI: the lifecycle holds whatever happens.

The same machine runs on PostgreSQL, see tests/integration/runner/test_lifecycle_machine.py.
"""

from collections.abc import Iterator

import pytest

from tests.effort import some
from tests.lifecycle.bench import Bench
from tests.lifecycle.search import live_from
from tests.lifecycle.stores.memory import MemoryStore

LIVES = 30


@pytest.fixture
def bench() -> Iterator[Bench]:
    made = Bench(MemoryStore())
    yield made
    made.close()


@pytest.mark.parametrize("seed", some(range(LIVES)))
def test_lifecycle_rules_hold_in_a_sequence_drawn_from_a_seed(bench: Bench, seed: int) -> None:
    live_from(bench, seed)
