"""Random commands, faults, crashes and hands in Airflow on the real store: whatever happens, the lifecycle holds.

Runners go one port call at a time (stepped.py), so that anything can happen between any two of their lines. A default
run takes a minute and is always the same; LIFECYCLE_EXAMPLES=5000 searches for so many examples, anew each time.
"""

import asyncio
import os
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, note, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from include.upgrades.domain.approval import Answer, Decision
from include.upgrades.domain.commands import Actor
from include.upgrades.domain.errors import Unavailable, UpgradeError
from include.upgrades.domain.execution import Execution, Strategy, UpgradeRequest
from include.upgrades.domain.states import ExecutionStatus, is_terminal
from include.upgrades.domain.task_states import RunView
from include.upgrades.service import answers, approvals, command
from include.upgrades.service.create import create_upgrade
from include.upgrades.service.end import end_abandoned
from include.upgrades.service.fleet_ports import FleetError
from include.upgrades.service.outcome import Outcome
from include.upgrades.service.reconcile import follow_now
from include.upgrades.service.retry import retry_upgrade
from include.upgrades.service.start import start_upgrade
from tests.integration.runner.dag_walk import DagWalk, run_task
from tests.integration.runner.lifecycle_bench import COMPONENT, VERSIONS, Bench, Tenant
from tests.integration.runner.lifecycle_ledger import Ledger
from tests.integration.runner.stepped import ORDER, WAIT, Killed, Runner

S = ExecutionStatus
OLGA, ANNA = Actor("olga"), Actor("anna")
EXAMPLES = int(os.environ.get("LIFECYCLE_EXAMPLES", "0"))
STEPS_TO_THE_END = 4000
"More port calls than any of these upgrades needs from anywhere to its end."


class LifecycleMachine(RuleBasedStateMachine):
    """One tenant: its executions one after the other, their runners, its fleet, and everybody's hands."""

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
        """The newest execution."""
        return list(self.ledgers)[-1]

    @property
    def walk(self) -> DagWalk:
        """Its DAG run."""
        return self.walks[self.current]

    def status(self) -> S:
        """Where the newest execution stands, by its events."""
        return self.ledgers[self.current].status

    # -- beginnings ----------------------------------------------------------------------------------------------

    @initialize(size=st.integers(1, 5), room=st.booleans())
    def begin(self, size: int, room: bool) -> None:
        self.tenant = self.bench.new_tenant(size, size if room else 0)

    @precondition(lambda self: not self.ledgers or self.ledgers[self.current].settled)
    @rule(
        strategy=st.sampled_from([*Strategy]),
        version=st.sampled_from(sorted(VERSIONS)),
        batch_size=st.integers(1, 3),
        percentage=st.sampled_from([1, 40, 60, 100]),
        threshold=st.sampled_from([1, 2, 9]),
        back=st.booleans(),
        delay=st.sampled_from([0, 0, 20]),
        soak=st.sampled_from([0, 0, 8]),
        canaries=st.sampled_from([1, 50, 100]),
        one_less=st.booleans(),
        prompt=st.booleans(),
    )
    def create(self, version: str, one_less: bool, prompt: bool, **more: Any) -> None:
        current = self.tenant.select(
            "SELECT current_version_id FROM deployment WHERE tenant_id = %(tenant)s AND component_id = 'kafka'"
        )[0][0]
        total = len(self.tenant.fleet.serving()) - one_less
        request = UpgradeRequest(
            component_id=COMPONENT,
            from_version_id=current,
            to_version_id=version if version != current else min(VERSIONS.keys() - {current}),
            strategy=more["strategy"],
            canary_percentage=more["canaries"],
            batch_size=more["batch_size"],
            batch_delay_seconds=more["delay"],
            health_check_interval_seconds=4,
            health_check_timeout_seconds=25,
            max_unavailable_percentage=more["percentage"],
            total_instances=total or None,
            auto_rollback_enabled=more["back"],
            failure_threshold=more["threshold"],
            soak_seconds=more["soak"],
        )
        made = self.command("create", create_upgrade(self.bench.ports, self.tenant.name, request, OLGA))
        if made is not None:
            self.take_on(made)
            if prompt:
                self.start()

    def take_on(self, made: Execution) -> None:
        """A new execution is there: its events are followed from here on."""
        self.ledgers[made.id] = Ledger(made.id, made.request.strategy is Strategy.BLUE_GREEN)

        async def batches() -> Any:
            async with self.bench.ports.work() as work:
                return await work.executions.batches(made.id)

        self.walks[made.id] = DagWalk(made.id, self.bench.run(batches()))
        self.walker = None

    # -- commands ------------------------------------------------------------------------------------------------

    def command(self, name: str, work: Any) -> Any:
        """Carried out, or refused; a refusal changes nothing."""
        before = self.tenant.everything()
        try:
            return self.bench.run(work)
        except UpgradeError as error:
            note(f"{name}: {error}")
            assert self.tenant.everything() == before, f"{name} was refused ({error}) and changed something"
            return None

    @precondition(lambda self: self.ledgers and self.status() is S.PENDING)
    @rule()
    def start(self) -> None:
        self.command("start", start_upgrade(self.bench.ports, self.current, OLGA))

    @precondition(lambda self: self.ledgers)
    @rule(name=st.sampled_from(["pause", "resume", "cancel", "roll_back"]), old=st.integers(0, 9))
    def steer(self, name: str, old: int) -> None:
        act = getattr(command, f"{name}_upgrade")
        aimed_at = list(self.ledgers)[0] if old == 9 else self.current
        self.command(name, act(self.bench.ports, aimed_at, None, OLGA))

    @precondition(lambda self: self.ledgers and self.status() is S.PAUSED)
    @rule()
    def resume(self) -> None:
        self.command("resume", command.resume_upgrade(self.bench.ports, self.current, None, OLGA))

    @precondition(lambda self: self.ledgers and self.status() in (S.CANARY_MONITORING, S.CANARY_RUNNING))
    @rule(force=st.booleans())
    def promote(self, force: bool) -> None:
        self.command("promote", command.promote_canary(self.bench.ports, self.current, force, None, OLGA))

    @precondition(lambda self: self.waiting_stage() is not None)
    @rule(approve=st.booleans(), actor=st.sampled_from([ANNA, ANNA, OLGA]), other=st.sampled_from([0, 0, 0, 1]))
    def decide_stage(self, approve: bool, actor: Actor, other: int) -> None:
        stage = (self.waiting_stage() or 0) + other
        self.command("decide", approvals.decide_stage(self.bench.ports, self.current, stage, approve, None, actor))

    @precondition(lambda self: self.waiting_stage() is not None)
    @rule(choice=st.sampled_from([*Decision]), by=st.sampled_from(["anna", "olga"]))
    def answer_in_airflow(self, choice: Decision, by: str) -> None:
        """Kept by the task, judged by the control loop: by whom it may not be, it is refused."""
        stage = self.waiting_stage() or 0
        self.bench.run(answers.answer_in_ui(self.bench.ports, self.current, stage, Answer(choice, by, "7")))
        self.bench.run(answers.judge_answers(self.bench.ports))

    def waiting_stage(self) -> int | None:
        """The stage that somebody was asked about."""
        if not self.ledgers:
            return None
        query = "SELECT stage FROM approval a WHERE a.decision IS NULL AND a.execution_id = %s"
        found = self.bench.connection.execute(query, (self.current,)).fetchone()
        return found[0] if found else None

    @precondition(lambda self: self.ledgers and is_terminal(self.status()))
    @rule()
    def retry(self) -> None:
        made = self.command("retry", retry_upgrade(self.bench.ports, self.current, None, OLGA))
        if made is not None:
            self.take_on(made)

    # -- Airflow -------------------------------------------------------------------------------------------------

    def begin_runner(self, task: str, seconds: float | None) -> Runner:
        walk, name = self.walk, f"{task} of {self.current[-4:]}"

        async def run() -> None:
            outcome: Outcome = await run_task(self.bench.ports, walk.execution_id, task, seconds)
            note(f"{name}: {outcome}")
            await walk.note(self.bench.ports, task, outcome)

        async def begin() -> Runner:
            return Runner(name, run(), self.bench.clock)

        runner = self.bench.run(begin())
        self.runners.append(runner)
        return runner

    def is_walking(self) -> bool:
        """Whether the DAG run has a task under way."""
        return self.walker is not None and self.walker in self.runners

    def is_started(self) -> bool:
        return bool(self.ledgers) and self.status() is not S.PENDING

    @precondition(lambda self: self.is_started())
    @rule(seconds=st.sampled_from([0.0, 8.0, None]), steps=st.integers(1, 60), fate=st.sampled_from(["well", None]))
    def airflow_goes_on(self, seconds: float | None, steps: int, fate: str | None) -> None:
        """The next task begins or goes on; the fleet gets on while it waits, unless ``fate`` is None."""
        if not self.is_walking():
            if self.walk.next_task is None:
                return
            self.walker = self.begin_runner(self.walk.next_task, seconds)
        assert self.walker is not None
        self.go_on(self.walker, steps, fate)

    @precondition(lambda self: self.is_started() and len(self.runners) < 4)
    @rule(data=st.data(), seconds=st.sampled_from([0.0, 8.0, None]), steps=st.integers(0, 20))
    def somebody_clears_a_task(self, data: st.DataObject, seconds: float | None, steps: int) -> None:
        """It runs beside the others, whatever the order of the DAG says."""
        task = data.draw(st.sampled_from(self.walk.every_task))
        self.go_on(self.begin_runner(task, seconds), steps, None)

    @precondition(lambda self: self.is_walking())
    @rule(before_an_order=st.booleans(), lease_ends=st.booleans())
    def airflow_takes_the_task_for_dead(self, before_an_order: bool, lease_ends: bool) -> None:
        """It will be begun again, and the first one may still be there: before its next order, and without a lease."""
        assert self.walker is not None
        if before_an_order:
            self.go_to_an_order(self.walker)
        if lease_ends:
            self.tenant.end_lease()
        self.walker = None

    def go_to_an_order(self, runner: Runner) -> None:
        for _ in range(60):
            stop = runner.gate.stands_at
            if runner.task.done() or (stop is not None and stop.at == ORDER):
                return
            self.go_on(runner, 1, None)

    @precondition(lambda self: self.is_started())
    @rule(data=st.data())
    def somebody_marks_tasks(self, data: st.DataObject) -> None:
        """As successful up to here, or cleared from here on."""
        self.walk.go_to(data.draw(st.sampled_from(self.walk.tasks)))

    @precondition(lambda self: self.is_started())
    @rule(state=st.sampled_from(["running", "running", "running", "failed", None]), paused=st.booleans())
    def somebody_has_a_hand_in_airflow(self, state: str | None, paused: bool) -> None:
        """The DAG is paused or not, the run marked as failed or deleted; the control loop looks at it."""
        view = RunView("run-1", state, paused) if state else RunView(paused=paused)
        self.bench.airflow.show(self.current, view)
        self.bench.run(follow_now(self.bench.ports, self.current))

    @rule()
    def control_loop_ends_what_is_abandoned(self) -> None:
        self.show_run()

        async def begin() -> Runner:
            return Runner("end-abandoned", end_abandoned(self.bench.ports), self.bench.clock)

        runner = self.bench.run(begin())
        self.runners.append(runner)
        self.go_on(runner, 400, "well")

    def show_run(self) -> None:
        """Airflow's database says how far the walk is."""
        for execution_id, walk in self.walks.items():
            state = "running" if walk.next_task else "success"
            known = self.bench.airflow.runs.get(f"upgrade__{execution_id}")
            if known is None or known.state == "running":
                paused = known.paused if known else False
                self.bench.airflow.show(execution_id, RunView("run-1", state, paused))

    # -- runners -------------------------------------------------------------------------------------------------

    def go_on(self, runner: Runner, steps: int, fate: str | None) -> None:
        """So many port calls; where it waits its time passes, and the fleet gets on."""

        async def go() -> None:
            await runner.settle()
            for _ in range(steps):
                stop = runner.gate.stands_at
                if stop is not None and stop.at == WAIT and fate:
                    self.tenant.fleet.get_all_on()
                await runner.step()

        self.bench.run(go())
        self.reap()

    def reap(self) -> None:
        """Forget the runners that have ended; none may end with anything but an error of the way."""
        for each in [each for each in self.runners if each.task.done()]:
            self.runners.remove(each)
            error = None if each.task.cancelled() else each.task.exception()
            if error is not None:
                note(f"{each.name} ended with {error!r}")
            if error is not None and not isinstance(error, Killed | FleetError | Unavailable | asyncio.CancelledError):
                raise error

    @precondition(lambda self: self.runners)
    @rule(data=st.data(), steps=st.integers(1, 12), woken=st.booleans())
    def runner_goes_on(self, data: st.DataObject, steps: int, woken: bool) -> None:
        runner = data.draw(st.sampled_from(self.runners))

        async def go() -> None:
            for _ in range(steps):
                await runner.step(woken)

        self.bench.run(go())
        self.reap()

    @precondition(lambda self: self.runners)
    @rule(data=st.data(), politely=st.booleans())
    def runner_dies(self, data: st.DataObject, politely: bool) -> None:
        runner = data.draw(st.sampled_from(self.runners))
        self.bench.run(runner.cancel() if politely else runner.kill())
        self.reap()

    @precondition(lambda self: self.runners)
    @rule(data=st.data(), fate=st.sampled_from(["refused", "unanswered"]))
    def database_goes_away(self, data: st.DataObject, fate: str) -> None:
        data.draw(st.sampled_from(self.runners)).gate.next_commit = fate

    @precondition(lambda self: self.ledgers)
    @rule()
    def lease_ends(self) -> None:
        self.tenant.end_lease()

    @rule(seconds=st.sampled_from([1.0, 5.0, 15.0, 30.0, 60.0]))
    def time_passes(self, seconds: float) -> None:
        self.bench.clock.put_forward(seconds)

    # -- the fleet -----------------------------------------------------------------------------------------------

    @precondition(lambda self: self.ledgers)
    @rule(data=st.data(), fate=st.sampled_from(["well", "stopped", "unhealthy"]))
    def instance_gets_on(self, data: st.DataObject, fate: str) -> None:
        self.tenant.fleet.get_on(data.draw(st.sampled_from(sorted(self.tenant.fleet.instances))), fate)

    @rule(data=st.data())
    def instance_falls_ill(self, data: st.DataObject) -> None:
        self.tenant.fleet.fall_ill(data.draw(st.sampled_from(sorted(self.tenant.fleet.instances))))

    @rule(data=st.data())
    def instance_recovers(self, data: st.DataObject) -> None:
        self.tenant.fleet.recover(data.draw(st.sampled_from(sorted(self.tenant.fleet.instances))))

    @rule(kind=st.sampled_from(["silent", "lost", "doubled"]), calls=st.integers(1, 6))
    def agent_misbehaves(self, kind: str, calls: int) -> None:
        setattr(self.tenant.fleet.faults, kind, calls)

    # -- what must hold ------------------------------------------------------------------------------------------

    @invariant()
    def lifecycle_holds(self) -> None:
        for execution_id in self.ledgers:
            if not self.ledgers[execution_id].settled or execution_id == self.current:
                self.look_at(execution_id)
        if self.ledgers:
            assert len(self.tenant.unsettled()) <= 1
            assert not self.tenant.broken

    def look_at(self, execution_id: str) -> None:
        ledger = self.ledgers[execution_id]
        for each in self.bench.run(self.tenant.events_after(execution_id, ledger.sequence)):
            ledger.hear(each)
        execution, rows = self.bench.run(self.tenant.rows(execution_id))
        ledger.compare(execution, rows)
        if ledger.settled and execution_id == self.current:
            left = self.tenant.left_out_of_service(rows)
            assert not left, f"let go, and {left} are out of service"

    # -- it always ends ------------------------------------------------------------------------------------------

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
            target, rows = self.bench.run(self.tenant.rows(self.current))
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


def test_lifecycle_holds_whatever_happens(bench: Bench) -> None:
    machine = type("Machine", (LifecycleMachine,), {"bench": bench})
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=EXAMPLES or 40,
            stateful_step_count=50,
            derandomize=not EXAMPLES,
            database=None,
            deadline=None,
            suppress_health_check=[*HealthCheck],
            phases=(Phase.generate, Phase.shrink),
            print_blob=True,
        ),
    )
