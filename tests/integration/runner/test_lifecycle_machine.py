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
from hypothesis.stateful import invariant, run_state_machine_as_test

from include.upgrades.domain.execution import Strategy
from include.upgrades.domain.states import ExecutionStatus
from include.upgrades.service import approvals, command
from tests.integration.runner.lifecycle_airflow import Airflow
from tests.integration.runner.lifecycle_bench import Bench
from tests.integration.runner.lifecycle_chance import draw, rules_now
from tests.integration.runner.lifecycle_faults import Faults
from tests.integration.runner.lifecycle_operators import ANNA, OLGA, REQUEST, Operators
from tests.integration.runner.stepped import ORDER, WAIT

S = ExecutionStatus
EXAMPLES = int(os.environ.get("LIFECYCLE_EXAMPLES", "0"))
STEPS_TO_THE_END = 4000
"More port calls than any of these upgrades needs from anywhere to its end."

OFTEN = {"airflow_goes_on": 6, "instance_gets_on": 4, "runner_goes_on": 3, "airflow_finishes_a_task": 2, "resume": 2}
"Rules that bring a life on."


class LifecycleMachine(Operators, Airflow, Faults):
    """All of them at once, and what must hold."""

    @invariant()
    def lifecycle_holds(self) -> None:
        for execution_id in self.ledgers:
            if not self.ledgers[execution_id].settled or execution_id == self.current:
                self.look_at(execution_id)
        if self.ledgers:
            assert len(self.tenant.unsettled()) <= 1
            assert not self.tenant.broken

    def teardown(self) -> None:
        """From wherever the search left off, with everything well again, Airflow's tasks alone come to an end."""
        if not self.ledgers:
            return
        self.heal()
        self.decide()
        if self.is_started():
            self.walk_to_the_end()
        self.lifecycle_holds()
        assert self.ledgers[self.current].settled, f"never lets go: {self.status()}"
        if self.status() is S.COMPLETED:
            target, rows, _ = self.bench.run(self.tenant.read(self.current, 0))
            wanted = {row.instance_id for row in rows}
            by_pools = self.ledgers[self.current].by_pools
            serving = [each for each in self.tenant.fleet.serving() if by_pools or each.instance_id in wanted]
            assert {each.version for each in serving} == {target.to_version}, serving
            assert len(serving) >= len(wanted)

    def heal(self) -> None:
        """Everything that is wrong is over; half of the runners die with their process, half are asked to end."""
        self.tenant.fleet.heal()
        for number, each in enumerate(list(self.runners)):
            self.bench.run(each.kill() if number % 2 else each.cancel())
        self.reap()
        self.tenant.end_lease()

    def decide(self) -> None:
        """What an operator has to decide, is decided; the status is read anew, for a runner may just have ended."""
        ports, execution_id = self.bench.ports, self.current
        self.look_at(execution_id)
        match self.status():
            case S.PENDING:
                self.command("cancel", command.cancel_upgrade(ports, execution_id, None, OLGA))
            case S.PAUSED:
                self.command("resume", command.resume_upgrade(ports, execution_id, None, OLGA))
            case S.CANARY_MONITORING:
                self.command("promote", command.promote_canary(ports, execution_id, True, None, OLGA))
            case S.IN_PROGRESS if (stage := self.waiting_stage()) is not None:
                approved = approvals.decide_stage(ports, execution_id, stage, True, None, ANNA)
                if self.command("approve", approved) is None:
                    self.command("reject", approvals.decide_stage(ports, execution_id, stage, False, None, ANNA))
        self.look_at(execution_id)

    def walk_to_the_end(self) -> None:
        """The run from its first task on, as after clearing all of it; then what its end has left to the loop."""
        self.walk.go_to(self.walk.tasks[0])
        steps = 0
        while self.walk.next_task is not None:
            runner = self.begin_runner(self.walk.next_task, None)
            while runner in self.runners:
                steps += 1
                assert steps < STEPS_TO_THE_END, f"{runner.name} does not end, it stands at {runner.gate.stands_at}"
                self.go_on(runner, 1, "well")
                if runner.gate.stands_at and runner.gate.stands_at.at == WAIT:
                    self.decide()
            self.decide()
        if not self.ledgers[self.current].settled:
            self.bench.airflow.runs.clear()
            self.control_loop_ends_what_is_abandoned()


@pytest.fixture
def bench(postgres_url: str) -> Iterator[Bench]:
    made = Bench(postgres_url)
    yield made
    made.close()


def _machine(bench: Bench) -> type[LifecycleMachine]:
    return type("Machine", (LifecycleMachine,), {"bench": bench})


@pytest.mark.timeout(0 if EXAMPLES else 300)
def test_lifecycle_holds_whatever_happens(bench: Bench) -> None:
    run_state_machine_as_test(
        _machine(bench),
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
            _live(_machine(bench)(), Random(seed), told)
        except BaseException as error:
            error.add_note("\n".join([f"LIFECYCLE_SEED={seed} LIFECYCLE_EXAMPLES=1 does it again:", *told]))
            raise


def _live(machine: LifecycleMachine, random: Random, told: list[str]) -> None:
    request = draw(REQUEST, random)
    told.append(f"begin {request}")
    machine.begin(size=random.randint(1, 5), room=random.random() < 0.5, **request)
    for _ in range(random.randint(5, 60)):
        rules = rules_now(machine)
        (rule,) = random.choices(rules, [OFTEN.get(each.function.__name__, 1) for each in rules])
        given = draw(rule.arguments, random)
        told.append(f"{machine.status() if machine.ledgers else ''} {rule.function.__name__} {given}")
        rule.function(machine, **given)
        machine.lifecycle_holds()
    told.append(f"{machine.status() if machine.ledgers else ''} teardown")
    machine.teardown()


def test_order_of_a_runner_that_slept_until_the_upgrade_was_cancelled_comes_too_late(bench: Bench) -> None:
    machine = _machine(bench)()
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
