"""Random commands, faults, crashes and hands in Airflow on the real store: whatever happens, the lifecycle holds.

Runners go one port call at a time (stepped.py), so that anything can happen between any two of their lines. A default
run is always the same. LIFECYCLE_EXAMPLES=5000 searches for so many examples, and then for the shortest one that fails,
and for as many lives, from LIFECYCLE_SEED on.
"""

import os
from collections.abc import Iterator
from random import Random

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from include.upgrades.domain.execution import Strategy
from tests.lifecycle.bench import Bench
from tests.lifecycle.machine import live, machine_on
from tests.lifecycle.postgres_store import PostgresStore
from tests.lifecycle.stepped import ORDER

EXAMPLES = int(os.environ.get("LIFECYCLE_EXAMPLES", "0"))


@pytest.fixture
def bench(postgres_url: str) -> Iterator[Bench]:
    made = Bench(PostgresStore(postgres_url))
    yield made
    made.close()


@pytest.mark.timeout(0 if EXAMPLES else 300)
def test_lifecycle_holds_whatever_happens(bench: Bench) -> None:
    run_state_machine_as_test(
        machine_on(bench),
        settings=settings(
            max_examples=EXAMPLES or 20,
            stateful_step_count=50,
            derandomize=not EXAMPLES,
            database=None,
            deadline=None,
            suppress_health_check=[*HealthCheck],
            phases=(Phase.generate, Phase.shrink) if EXAMPLES else (Phase.generate,),  # to shrink takes minutes
            print_blob=True,
        ),
    )


@pytest.mark.timeout(0 if EXAMPLES else 300)
def test_lifecycle_holds_in_lives_drawn_from_a_seed(bench: Bench) -> None:
    first = int(os.environ.get("LIFECYCLE_SEED", "0"))
    for seed in range(first, first + (EXAMPLES or 30)):
        told: list[str] = []
        try:
            live(machine_on(bench)(), Random(seed), told)
        except BaseException as error:
            error.add_note("\n".join([f"LIFECYCLE_SEED={seed} LIFECYCLE_EXAMPLES=1 does it again:", *told]))
            raise


def test_order_of_a_runner_that_slept_until_the_upgrade_was_cancelled_comes_too_late(bench: Bench) -> None:
    machine = machine_on(bench)()
    machine.begin(size=3, room=False, version="v37", one_less=False, ahead=2, strategy=Strategy.ROLLING)
    machine.airflow_goes_on(seconds=None, steps=1, fate=None)
    sleeper = machine.walker
    machine.airflow_takes_the_task_for_dead(before_an_order=True, lease_ends=True)
    machine.steer("cancel", 0)
    machine.lifecycle_holds()
    machine.walk_to_the_end()
    assert machine.ledgers[machine.current].settled
    assert sleeper is not None
    assert sleeper.gate.stands_at is not None
    assert sleeper.gate.stands_at.at == ORDER
    machine.go_on(sleeper, 1, None)
    machine.lifecycle_holds()
    assert {each.status for each in machine.tenant.fleet.instances.values()} == {"RUNNING"}
