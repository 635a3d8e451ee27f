"""Upgrades with random faults whose runner dies now and then, on PostgreSQL and a real fleet: new ones each round."""

from collections.abc import Iterator

from tests.integration.store_lab import MakeLab
from tests.labs.random_crashes import upgrade_with_crashes
from tests.soak.rounds import Round


async def test_upgrade_with_random_faults_and_crashes_always_ends_within_the_rules(
    rounds: Iterator[Round], make_lab: MakeLab
) -> None:
    for each in rounds:
        with each:
            await upgrade_with_crashes(make_lab, each.random)
            each.did(upgrades=1)
