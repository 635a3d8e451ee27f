"""The machine with all its rules, and a life of it drawn from a seed."""

from random import Random

from hypothesis.stateful import invariant

from tests.lifecycle.bench import Bench
from tests.lifecycle.chance import draw, rules_now
from tests.lifecycle.rules.airflow import Airflow
from tests.lifecycle.rules.faults import Faults
from tests.lifecycle.rules.operators import ANNA, OLGA, REQUEST, Operators
from tests.lifecycle.stepped import WAIT
from upgrade_orchestrator.domain.execution.states import ExecutionStatus
from upgrade_orchestrator.service.approvals import decide as approvals
from upgrade_orchestrator.service.upgrade import commands as command

S = ExecutionStatus
STEPS_TO_THE_END = 4000
"More port calls than any of these upgrades needs to reach its end."

OFTEN = {"airflow_goes_on": 6, "instance_gets_on": 4, "runner_goes_on": 3, "airflow_finishes_a_task": 2, "resume": 2}
"Rules that advance an upgrade."


class LifecycleMachine(Operators, Airflow, Faults):
    """All rules at once, and what must hold."""

    @invariant()
    def lifecycle_holds(self) -> None:
        for execution_id in self.ledgers:
            if not self.ledgers[execution_id].settled or execution_id == self.current:
                self.look_at(execution_id)
        if self.ledgers:
            assert len(self.tenant.unsettled()) <= 1
            assert not self.tenant.broken

    def teardown(self) -> None:
        """Wherever the search stopped: with all faults over, Airflow's tasks alone must reach the end."""
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
            wanted = {row.instance_id: row.to_version for row in rows}
            by_pools = self.ledgers[self.current].by_pools
            serving = [each for each in self.tenant.fleet.serving() if by_pools or each.instance_id in wanted]
            assert all(each.version == wanted.get(each.instance_id, target.to_version) for each in serving), serving
            assert len(serving) >= len(wanted)

    def heal(self) -> None:
        """End all faults; half of the runners die with their process, half are asked to end."""
        self.tenant.fleet.heal()
        for number, each in enumerate(list(self.runners)):
            self.bench.run(each.kill() if number % 2 else each.cancel())
        self.reap()
        self.tenant.end_lease()

    def decide(self) -> None:
        """Make the decisions that need an operator; the status is read again, because a runner may just have ended."""
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
        """Walk the run from its first task on, as after clearing all of it; then do what is left to the control
        loop.
        """
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


def machine_on(bench: Bench) -> type[LifecycleMachine]:
    """The machine on that bench."""
    return type("Machine", (LifecycleMachine,), {"bench": bench})


def live(machine: LifecycleMachine, random: Random, steps: list[str]) -> None:
    request = draw(REQUEST, random)
    steps.append(f"begin {request}")
    machine.begin(size=random.randint(1, 5), room=random.random() < 0.5, **request)
    for _ in range(random.randint(5, 60)):
        rules = rules_now(machine)
        (rule,) = random.choices(rules, [OFTEN.get(each.function.__name__, 1) for each in rules])
        given = draw(rule.arguments, random)
        steps.append(f"{machine.status() if machine.ledgers else ''} {rule.function.__name__} {given}")
        rule.function(machine, **given)
        machine.lifecycle_holds()
    steps.append(f"{machine.status() if machine.ledgers else ''} teardown")
    machine.teardown()
