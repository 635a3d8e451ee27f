"""The state of a lifecycle machine, and the actions of its rules: commands, tasks, steps of runners."""

import asyncio
from typing import Any

from hypothesis import currently_in_test_context, note
from hypothesis.stateful import RuleBasedStateMachine

from tests.labs.dag_walk import DagWalk, run_task
from tests.lifecycle.bench import Bench, Tenant
from tests.lifecycle.ledger import Ledger
from tests.lifecycle.stepped import ORDER, WAIT, Killed, Runner
from upgrade_orchestrator.domain.airflow.task_states import RunView
from upgrade_orchestrator.domain.errors import Unavailable, UpgradeError
from upgrade_orchestrator.domain.execution.execution import Execution, Strategy
from upgrade_orchestrator.domain.execution.states import ExecutionStatus
from upgrade_orchestrator.service.ports.fleet import FleetError
from upgrade_orchestrator.service.runner.outcome import Outcome

S = ExecutionStatus
REPEATED_ERRORS = (Killed, FleetError, Unavailable, asyncio.CancelledError)
"Errors with which a task may end, because Airflow starts it again."


def show_note(text: str) -> None:
    """Show the text with a failing example."""
    if currently_in_test_context():
        note(text)


class LifecycleState(RuleBasedStateMachine):
    """One tenant: its executions one after the other, their runners and its fleet."""

    bench: Bench

    def __init__(self) -> None:
        super().__init__()
        self.tenant: Tenant
        self.ledgers: dict[str, Ledger] = {}
        self.walks: dict[str, DagWalk] = {}
        self.runners: list[Runner] = []
        self.walker: Runner | None = None

    @property
    def current(self) -> str:
        """The newest execution's id."""
        return list(self.ledgers)[-1]

    @property
    def walk(self) -> DagWalk:
        """The DAG run of the newest execution."""
        return self.walks[self.current]

    def status(self) -> S:
        """The newest execution's status, by its events."""
        return self.ledgers[self.current].status

    def is_started(self) -> bool:
        return bool(self.ledgers) and self.status() is not S.PENDING

    def is_walking(self) -> bool:
        """Whether a task of the DAG run is running."""
        return self.walker is not None and self.walker in self.runners

    def waiting_stage(self) -> int | None:
        """The stage whose approval is being asked for."""
        if not self.ledgers:
            return None
        return self.bench.store.waiting_stage(self.current)

    def take_on(self, made: Execution) -> None:
        """Follow the events of a new execution from here on."""
        self.ledgers[made.id] = Ledger(made.id, made.request.strategy is Strategy.BLUE_GREEN)

        async def batches() -> Any:
            async with self.bench.ports.work() as work:
                return await work.executions.batches(made.id)

        self.walks[made.id] = DagWalk(made.id, self.bench.run(batches()))
        self.walker = None

    def look_at(self, execution_id: str) -> None:
        """Check the events since the last look, and compare the rows if they may have changed."""
        ledger, seen = self.ledgers[execution_id], self.bench.store.last_change(execution_id)
        if seen == ledger.seen:
            return
        ledger.seen = seen
        execution, rows, events = self.bench.run(self.tenant.read(execution_id, ledger.sequence))
        for each in events:
            ledger.check(each)
        ledger.compare(execution, rows)
        if ledger.settled and execution_id == self.current:
            left = self.tenant.left_out_of_service(execution)
            assert not left, f"let go, and {left} are out of service"

    def command(self, name: str, work: Any) -> Any:
        """Give the command, which is carried out or refused; a refusal must change nothing."""
        before, refused = self.tenant.everything(), None
        try:
            return self.bench.run(work)
        except UpgradeError as error:
            refused = error
        show_note(f"{name}: {refused}")
        assert self.tenant.everything() == before, f"{name} was refused ({refused}) and changed something"
        return None

    def begin_runner(self, task: str, seconds: float | None) -> Runner:
        walk, name = self.walk, f"{task} of {self.current[-4:]}"

        async def run() -> None:
            outcome: Outcome = await run_task(self.bench.ports, walk.execution_id, task, seconds)
            show_note(f"{name}: {outcome}")
            await walk.note(self.bench.ports, task, outcome)

        async def begin() -> Runner:
            return Runner(name, run(), self.bench.clock)

        runner = self.bench.run(begin())
        self.runners.append(runner)
        return runner

    def show_run(self) -> None:
        """Show Airflow's DAG runs as far as the walks have come."""
        for execution_id, walk in self.walks.items():
            state = "running" if walk.next_task else "success"
            known = self.bench.airflow.runs.get(f"upgrade__{execution_id}")
            if known is None or known.state == "running":
                paused = known.paused if known else False
                self.bench.airflow.show(execution_id, RunView("run-1", state, paused))

    def go_on(self, runner: Runner, steps: int, fate: str | None) -> None:
        """Let the runner make that many port calls; where it waits its time passes, and the fleet makes progress."""

        async def go() -> None:
            await runner.settle()
            for _ in range(steps):
                if runner.task.done():
                    return
                stop = runner.gate.stands_at
                if stop is not None and stop.at == WAIT and fate:
                    self.tenant.fleet.get_all_on()
                await runner.step()

        self.bench.run(go())
        self.reap()

    def finish_next_task(self, seconds: float | None) -> None:
        """Run the DAG run's next task as far as it goes by itself, with a fleet that does what it is asked."""
        if self.is_walking() or self.walk.next_task is None:
            return
        self.walker = self.begin_runner(self.walk.next_task, seconds)
        self.go_on(self.walker, 80, "well")
        self.look_at(self.current)

    def go_to_an_order(self, runner: Runner) -> None:
        for _ in range(60):
            stop = runner.gate.stands_at
            if runner.task.done() or (stop is not None and stop.at == ORDER):
                return
            self.go_on(runner, 1, None)

    def reap(self) -> None:
        """Remove the runners that have ended; none may end with another error than those that Airflow repeats."""
        for each in [each for each in self.runners if each.task.done()]:
            self.runners.remove(each)
            error = None if each.task.cancelled() else each.task.exception()
            if error is not None:
                show_note(f"{each.name} ended with {error!r}")
            if error is not None and not isinstance(error, REPEATED_ERRORS):
                raise error
