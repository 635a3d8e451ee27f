"""Random commands, faults, crashes and actions in Airflow on the real store: the lifecycle's rules always hold.

Runners go one port call at a time (stepped.py), so that anything can happen between any two of their lines. These
examples and lives are always the same; thirty run in memory (tests/unit/service), others in `make soak`.
"""

from tests.lifecycle.bench import Bench
from tests.lifecycle.machine import machine_on
from tests.lifecycle.on_postgres import bench
from tests.lifecycle.search import live_from, search
from tests.lifecycle.stepped import ORDER
from upgrade_orchestrator.domain.execution.execution import Strategy

__all__ = ["bench"]
EXAMPLES, LIVES = 3, 4


def test_lifecycle_rules_hold_under_random_operations(bench: Bench) -> None:
    search(bench, EXAMPLES)


def test_lifecycle_rules_hold_in_sequences_drawn_from_a_seed(bench: Bench) -> None:
    for seed in range(LIVES):
        live_from(bench, seed)


def test_order_of_a_runner_that_slept_until_the_upgrade_was_cancelled_is_refused(bench: Bench) -> None:
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
    machine.go_on(sleeper, 100, None)  # the refusal, the lost lease, and the rows, which say that nothing is left to do
    machine.lifecycle_holds()
    assert sleeper.task.done()
    assert {each.status for each in machine.tenant.fleet.instances.values()} == {"RUNNING"}
