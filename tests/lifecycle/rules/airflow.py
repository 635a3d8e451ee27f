"""Airflow in a lifecycle machine, and what people do there: clear, mark, pause, fail and delete."""

from hypothesis.stateful import precondition, rule

from tests.labs.dag_walk import OUTCOME
from tests.lifecycle.chance import CHANCE, Chance, one_of, pick
from tests.lifecycle.state import LifecycleState
from tests.lifecycle.stepped import Runner
from upgrade_orchestrator.domain.airflow.task_states import RunView
from upgrade_orchestrator.domain.execution.states import is_terminal
from upgrade_orchestrator.service.control.reconcile import reconcile_now
from upgrade_orchestrator.service.control.unpaused import resume_unpaused
from upgrade_orchestrator.service.finalize.finalize import finalize_abandoned

RARELY = one_of(*[False] * 7, True)
"For what ends an upgrade early: if it happened often, nothing else would be tested."


class Airflow(LifecycleState):
    """Runs tasks in their order and in any other."""

    @precondition(lambda self: self.is_started())
    @rule(seconds=one_of(0.0, 8.0, None), steps=one_of(*range(1, 61)), fate=one_of("well", None))
    def airflow_goes_on(self, seconds: float | None, steps: int, fate: str | None) -> None:
        """The next task begins or goes on; the fleet makes progress while it waits, unless ``fate`` is None."""
        if not self.is_walking():
            if self.walk.next_task is None:
                return
            self.walker = self.begin_runner(self.walk.next_task, seconds)
        assert self.walker is not None
        self.go_on(self.walker, steps, fate)

    @precondition(lambda self: self.is_started())
    @rule(seconds=one_of(8.0, None))
    def airflow_finishes_a_task(self, seconds: float | None) -> None:
        self.finish_next_task(seconds)

    @precondition(lambda self: self.is_started() and len(self.runners) < 4)
    @rule(data=CHANCE, seconds=one_of(0.0, 8.0, None), steps=one_of(*range(0, 21)), ending=RARELY)
    def person_clears_a_task(self, data: Chance, seconds: float | None, steps: int, ending: bool) -> None:
        """A cleared task runs beside the others, in whatever order."""
        task = pick(data, self.walk.tasks_of_end if ending else self.walk.tasks_of_work)
        self.go_on(self.begin_runner(task, seconds), steps, None)

    @precondition(lambda self: self.is_walking())
    @rule(before_an_order=one_of(False, True), lease_ends=one_of(False, True))
    def airflow_takes_the_task_for_dead(self, before_an_order: bool, lease_ends: bool) -> None:
        """Airflow starts the task again, while the first try may still run: before its next order, or without a
        lease.
        """
        assert self.walker is not None
        if before_an_order:
            self.go_to_an_order(self.walker)
        if lease_ends:
            self.tenant.end_lease()
        self.walker = None

    @precondition(lambda self: self.is_started())
    @rule(data=CHANCE, ending=RARELY)
    def person_marks_tasks(self, data: Chance, ending: bool) -> None:
        """Mark tasks successful up to this one, or clear them from this one on."""
        self.walk.go_to(OUTCOME if ending else pick(data, self.walk.tasks_of_work))

    @precondition(lambda self: self.is_started())
    @rule(end=RARELY, failed=one_of(False, True), paused=one_of(False, True))
    def person_acts_in_airflow(self, end: bool, failed: bool, paused: bool) -> None:
        """Pause or unpause the DAG, mark the run as failed or delete it; the reconciler examines it."""
        state = ("failed" if failed else None) if end else "running"
        view = RunView("run-1", state, paused) if state else RunView(paused=paused)
        self.bench.airflow.show(self.current, view)
        self.bench.run(reconcile_now(self.bench.ports, self.current))
        self.bench.run(resume_unpaused(self.bench.ports))

    @precondition(lambda self: self.is_started() and is_terminal(self.status()))
    @rule()
    def control_loop_ends_what_is_abandoned(self) -> None:
        self.show_run()

        async def begin() -> Runner:
            return Runner("end-abandoned", finalize_abandoned(self.bench.ports), self.bench.clock)

        runner = self.bench.run(begin())
        self.runners.append(runner)
        self.go_on(runner, 400, "well")
