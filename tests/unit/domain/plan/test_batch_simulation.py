"""A simulated fleet driven by decide, batch by batch: specification section 4 holds whatever happens to the fleet."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from tests.unit.domain.builders import NOW, fleet_of, make_request
from upgrade_orchestrator.domain.execution.execution import Strategy
from upgrade_orchestrator.domain.execution.states import MAY_START, ExecutionStatus
from upgrade_orchestrator.domain.instance.instance import FINISHED, MAX_ATTEMPTS, Instance, InstanceStatus, move
from upgrade_orchestrator.domain.plan.batch import (
    Batch,
    BatchDone,
    BatchView,
    Decision,
    NoBudgetLeft,
    StartInstances,
    Stop,
    Wait,
    decide,
    watched,
)
from upgrade_orchestrator.domain.plan.budget import Limits, concurrency
from upgrade_orchestrator.domain.plan.plan import Plan, make_plan

I = InstanceStatus  # noqa: E741 - a table of one-letter rows reads best
S = ExecutionStatus
TIMEOUT = 120.0
ONWARDS = {I.DRAINING: I.UPGRADING, I.UPGRADING: I.HEALTH_CHECKING}
ENDED = (S.FAILED, S.CANCELLED, S.ROLLING_BACK)


def _may_retry(instance: Instance) -> bool:
    return instance.status is I.FAILED and instance.attempts < MAX_ATTEMPTS


class FleetSimulation(RuleBasedStateMachine):
    """Rows as the database would hold them, ``down`` as the fleet would report it, and the runner in between."""

    def __init__(self) -> None:
        super().__init__()
        self.plan: Plan
        self.instances: dict[str, Instance] = {}
        self.down: set[str] = set()
        self.now = NOW
        self.status = S.IN_PROGRESS
        self.batch = Batch(1, "BATCH")
        self.result: Decision | None = None

    # -- what is given -------------------------------------------------------------------------------------------

    @initialize(
        size=st.integers(1, 10),
        unhealthy=st.sets(st.integers(0, 9)),
        strategy=st.sampled_from([*Strategy]),
        batch_size=st.integers(1, 5),
        percentage=st.integers(1, 100),
    )
    def plan_upgrade(
        self, size: int, unhealthy: set[int], strategy: Strategy, batch_size: int, percentage: int
    ) -> None:
        request = make_request(strategy=strategy, batch_size=batch_size, max_unavailable_percentage=percentage)
        fleet = fleet_of(size, unhealthy=tuple(unhealthy))
        self.plan = make_plan(request, fleet)
        self.down = {each.instance_id for each in fleet if not each.available}
        for batch in self.plan.batches:
            for position, each in enumerate(batch.instances):
                self.instances[each] = Instance(each, batch.number, position, I.PENDING, "3.6.0", "3.7.0")
        self.status = S.CANARY_RUNNING if strategy is Strategy.CANARY else S.IN_PROGRESS

    def view(self) -> BatchView:
        planned = self.plan.batches[self.batch.number - 1]
        return BatchView(
            status=self.status,
            batch=self.batch,
            is_last=self.batch.number == len(self.plan.batches),
            instances=list(self.instances.values()),
            limits=Limits(
                concurrency(len(planned.instances), self.plan.batch_size, self.plan.budget), self.plan.budget
            ),
            unavailable=frozenset(self.down),
            timeout=TIMEOUT,
        )

    def flying(self) -> list[Instance]:
        return [each for each in self.instances.values() if each.in_flight]

    def unavailable(self) -> set[str]:
        """All that count against the budget: down, failed, or in flight and not healthy yet."""
        failed = {each.instance_id for each in self.instances.values() if each.status is I.FAILED}
        return self.down | failed | {each.instance_id for each in self.flying() if each.healthy_seconds is None}

    # -- the runner ----------------------------------------------------------------------------------------------

    @precondition(lambda self: self.result is None)
    @rule()
    def runner_looks(self) -> None:
        self.take_a_step()

    def take_a_step(self) -> Decision:
        view = self.view()
        decision = decide(view, self.now)
        match decision:
            case StartInstances(ids):
                self.check_start(view, ids)
                for each in ids:
                    self.instances[each] = move(self.instances[each], I.DRAINING, self.now)
                    self.down.add(each)
            case BatchDone():
                self.check_done(view)
                self.finish_batch(view)
            case Stop() | NoBudgetLeft():
                self.check_end(view, decision)
                self.result = decision
        self.remember_block(decision)
        return decision

    def remember_block(self, decision: Decision) -> None:
        blocked = isinstance(decision, Wait) and decision.blocked
        self.batch = replace(self.batch, blocked_seconds=(self.batch.blocked_seconds or 0.0) if blocked else None)

    def finish_batch(self, view: BatchView) -> None:
        if view.is_last:
            self.result = BatchDone()
            return
        self.batch = Batch(self.batch.number + 1, "BATCH", due_at=self.now + timedelta(seconds=60))
        self.status = S.IN_PROGRESS

    # -- what must hold ------------------------------------------------------------------------------------------

    def check_start(self, view: BatchView, ids: tuple[str, ...]) -> None:
        assert self.status in MAY_START
        assert self.batch.due_at is None or self.now >= self.batch.due_at
        assert ids
        assert len(set(ids)) == len(ids)
        assert all(self.instances[each].attempts < MAX_ATTEMPTS for each in ids)
        assert all(self.instances[each].status in (I.PENDING, I.FAILED) for each in ids)
        places = [each for each in self.flying() if each.healthy_seconds is None]
        assert len(places) + len(ids) <= view.limits.in_flight
        before = self.unavailable()
        assert self.plan.budget is None or len(before | set(ids)) <= max(self.plan.budget, len(before))

    def check_done(self, view: BatchView) -> None:
        assert not self.flying()
        assert all(each.status in FINISHED for each in view.instances if each.batch == view.batch.number)
        assert not (view.is_last and [each for each in self.instances.values() if _may_retry(each)])

    def check_end(self, view: BatchView, decision: Stop | NoBudgetLeft) -> None:
        assert not self.flying()
        assert decision.reason
        if isinstance(decision, Stop):
            assert self.status in ENDED
            return
        assert self.plan.budget is not None
        assert len(self.unavailable()) >= self.plan.budget
        assert not [each for each in self.instances.values() if _may_retry(each)]

    @invariant()
    def no_instance_is_tried_more_than_twice(self) -> None:
        assert all(each.attempts <= MAX_ATTEMPTS for each in self.instances.values())

    # -- what happens to the fleet -------------------------------------------------------------------------------

    @precondition(lambda self: self.flying())
    @rule(data=st.data())
    def instance_gets_on(self, data: st.DataObject) -> None:
        self.get_on(data.draw(st.sampled_from([each.instance_id for each in self.flying()])))

    def get_on(self, instance_id: str) -> None:
        """One step: upgraded, healthy (the soak begins), completed."""
        instance = self.instances[instance_id]
        if instance.status is not I.HEALTH_CHECKING:
            self.instances[instance_id] = move(instance, ONWARDS[instance.status], self.now)
        elif instance.healthy_seconds is None:
            self.instances[instance_id] = replace(instance, healthy_seconds=0.0)
            self.down.discard(instance_id)
        else:
            self.instances[instance_id] = move(instance, I.COMPLETED, self.now)
            self.down.discard(instance_id)

    @precondition(lambda self: self.flying())
    @rule(data=st.data(), stopped=st.booleans())
    def instance_fails(self, data: st.DataObject, stopped: bool) -> None:
        """It fails; its process may be stopped or may run on at the old version."""
        instance = data.draw(st.sampled_from(self.flying()))
        self.instances[instance.instance_id] = move(instance, I.FAILED, self.now, "did not get healthy")
        (self.down.add if stopped else self.down.discard)(instance.instance_id)

    @rule(data=st.data())
    def instance_falls_ill_by_itself(self, data: st.DataObject) -> None:
        self.down.add(data.draw(st.sampled_from([*self.instances, "x-1", "x-2"])))

    @precondition(lambda self: self.down)
    @rule(data=st.data())
    def instance_recovers_by_itself(self, data: st.DataObject) -> None:
        recovered = data.draw(st.sampled_from(sorted(self.down)))
        if recovered not in {each.instance_id for each in self.flying() if each.healthy_seconds is None}:
            self.down.discard(recovered)

    @rule(seconds=st.sampled_from([1, 30, 90]))
    def time_passes(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)
        self.batch = watched(self.batch, seconds)

    # -- what the operator does ----------------------------------------------------------------------------------

    @precondition(lambda self: self.status in MAY_START)
    @rule()
    def pause(self) -> None:
        self.status = S.PAUSED

    @precondition(lambda self: self.status is S.PAUSED)
    @rule()
    def resume(self) -> None:
        canary = self.batch.number == 1 and bool(self.plan.canary)
        self.status = S.CANARY_RUNNING if canary else S.IN_PROGRESS

    @precondition(lambda self: self.now > NOW + timedelta(seconds=200) and self.status not in ENDED)
    @rule(end=st.sampled_from(ENDED))
    def end_early(self, end: ExecutionStatus) -> None:
        """By cancel, threshold or rollback: what is still draining is undrained."""
        self.status = end
        for each in self.flying():
            if each.status is I.DRAINING:
                self.instances[each.instance_id] = move(each, I.PENDING, self.now)
                self.down.discard(each.instance_id)

    # -- it always ends ------------------------------------------------------------------------------------------

    def teardown(self) -> None:
        """From wherever the search left off, the runner alone comes to an end within a bound."""
        if not self.instances:
            return
        if self.status is S.PAUSED:
            self.resume()
        bound = 20 * len(self.instances) + 20  # a try is four steps and a decision, twice; each batch has two more
        for _ in range(bound):
            if self.result is not None:
                break
            self.drive()
        assert isinstance(self.result, BatchDone | Stop | NoBudgetLeft), f"no end after {bound} steps"
        if isinstance(self.result, BatchDone):
            assert all(each.status in FINISHED for each in self.instances.values())

    def drive(self) -> None:
        decision = self.take_a_step()
        if not isinstance(decision, Wait):
            return
        if decision.seconds is not None:
            assert decision.seconds > 0
            self.time_passes(decision.seconds)
            return
        assert self.flying(), "waits for ever: nothing is in flight and no time is named"
        self.get_on(self.flying()[0].instance_id)


TestFleetSimulation = FleetSimulation.TestCase
