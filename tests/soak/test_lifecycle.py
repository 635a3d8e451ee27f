"""Random commands, faults, crashes and actions in Airflow on the real store: every round draws other lives."""

from collections.abc import Iterator

from tests.lifecycle.bench import Bench
from tests.lifecycle.search import live_from, search
from tests.soak.rounds import Round

EXAMPLES, LIVES = 2, 6


def test_lifecycle_rules_hold_under_random_operations(rounds: Iterator[Round], bench: Bench) -> None:
    """A round that is repeated alone searches for the shortest failing example."""
    for each in rounds:
        with each:
            search(bench, EXAMPLES, each.seed, shrink=each.is_repeated)
            for _ in range(LIVES):
                live_from(bench, each.random.getrandbits(32))
            each.did(examples=EXAMPLES, lives=LIVES)
