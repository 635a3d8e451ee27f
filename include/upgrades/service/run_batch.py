"""Use case: run a batch (section 4). Observe first, then act; whoever runs it, however often, after any crash."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from include.upgrades.domain.batch import (
    BatchDone,
    BatchView,
    Decision,
    NoBudgetLeft,
    StartInstances,
    Stop,
    Wait,
    next_step,
)
from include.upgrades.domain.budget import Room
from include.upgrades.domain.errors import LostLease
from include.upgrades.domain.fleet import Fleet
from include.upgrades.domain.instance import Instance, InstanceStatus, move
from include.upgrades.domain.plan import Plan, concurrency
from include.upgrades.domain.states import UPGRADING, ExecutionStatus
from include.upgrades.domain.work import (
    Give,
    Move,
    Order,
    Patience,
    Step,
    next_health,
    next_step_of,
    next_step_unseen,
)
from include.upgrades.service.batch_journal import BatchJournal, BatchState
from include.upgrades.service.fleet_work import FleetWork
from include.upgrades.service.lease_keeper import LeaseKeeper
from include.upgrades.service.ports import Ports, Waiter
from include.upgrades.service.pulse import Pace, Pulses, now_seconds

log = logging.getLogger(__name__)

SLOW_POLL_SECONDS = 15.0
"How long a runner waits without a signal before it looks again: what a missed notification costs."
LEASE_WAIT_SECONDS = 1.0
LEASE_WORTH_KEEPING_SECONDS = 2.0


class Ending(StrEnum):
    """How a call of the runner ended."""

    DONE = "DONE"
    "Every instance of the batch has come to its end."
    STOPPED = "STOPPED"
    "The execution wants no more of this batch; nothing is in flight."
    UNFINISHED = "UNFINISHED"
    "The time given is over; go on by calling again."


@dataclass(frozen=True, slots=True)
class Outcome:
    """How the batch ended, and why."""

    ending: Ending
    reason: str = ""


async def run_batch(ports: Ports, execution_id: str, number: int, seconds: float | None) -> Outcome:
    """Work on batch ``number`` for at most about ``seconds`` (None: until its end).

    :raises NotFound: no such execution; :raises StaleToken: the fleet obeys somebody newer.
    """
    async with ports.work() as work:
        execution = await work.executions.get(execution_id)
        plan = await work.executions.plan(execution_id)
        deployment = await work.registry.deployment(execution.tenant_id, execution.request.component_id)
    assert deployment is not None  # a deployment is never deleted
    keeper = LeaseKeeper(ports, execution.tenant_id, execution.request.component_id)
    async with ports.signals.of(execution_id) as waiter, ports.fleets.of(deployment) as driver:
        journal = BatchJournal(ports, keeper, execution_id)
        runner = BatchRunner(plan, number, journal, FleetWork(driver, execution_id), keeper, waiter)
        try:
            return await runner.run(seconds)
        finally:
            await keeper.give_back()


class BatchRunner:
    """Repeats: look at the rows, look at the fleet, move what has come further, begin what may begin, wait."""

    def __init__(
        self,
        plan: Plan,
        number: int,
        journal: BatchJournal,
        fleet: FleetWork,
        keeper: LeaseKeeper,
        waiter: Waiter,
    ) -> None:
        self._number = number
        self._planned = plan.batches[number - 1]
        self._is_last = number == len(plan.batches)
        self._room = Room(concurrency(self._planned, plan.batch_size, plan.budget), plan.budget)
        step = timedelta(seconds=plan.health_check_timeout_seconds)
        self._patience = Patience(step, timedelta(seconds=plan.soak_seconds))
        self._journal, self._fleet, self._keeper, self._waiter = journal, fleet, keeper, waiter
        self._pace = Pace()
        self._pulses: Pulses | None = None
        self._fresh = True

    async def run(self, seconds: float | None) -> Outcome:
        """Tick until the batch ends or the time is over; a lost lease is taken again, from the rows as they are."""
        end = None if seconds is None else now_seconds() + seconds
        while True:
            try:
                found = await self._tick()
            except LostLease as error:
                log.warning("batch %s: %s", self._number, error)
                self._keeper.forget()
                found = LEASE_WAIT_SECONDS
            if isinstance(found, Outcome):
                return found
            left = None if end is None else end - now_seconds()
            if left is not None and (left <= 0 or found > left):
                return Outcome(Ending.UNFINISHED)
            await self._waiter.wait(found)

    async def _tick(self) -> Outcome | float:
        """One round; the outcome, or the seconds until the next round."""
        await self._keeper.renew_if_due()
        state = await self._journal.read(self._number, fresh=self._fresh or not self._keeper.held)
        self._fresh = not self._keeper.held  # what another holder wrote before our lease began must be read
        if self._keeper.held:
            return await self._work()
        if self._only_waits(state):
            return await self._conclude(next_step(self._view(frozenset()), state.now))
        return 0.0 if await self._keeper.take() else LEASE_WAIT_SECONDS

    def _only_waits(self, state: BatchState) -> bool:
        """Nothing in flight, and nothing may begin yet: no lease is needed to see that."""
        if any(each.in_flight for each in state.instances):
            return False
        early = state.batch.due_at is not None and state.now < state.batch.due_at
        return early or state.execution.status not in UPGRADING

    async def _work(self) -> Outcome | float:
        """With the lease held: bring on what is in flight, then decide."""
        fleet = await self._fleet.observe() if self._fleet_matters() else None
        await self._advance(fleet)
        await self._poll()
        state = self._journal.state
        if fleet is None and self._fleet_matters():
            return await self._wait_unseen()
        planned = [each.instance_id for each in state.instances]
        unavailable = fleet.unavailable(planned) if fleet else frozenset()
        return await self._conclude(next_step(self._view(unavailable), state.now))

    async def _wait_unseen(self) -> float:
        """The fleet cannot be asked: look again soon, but with nothing in flight not for ever."""
        state = self._journal.state
        if not any(each.in_flight for each in state.instances):
            await self._journal.note_blocked()
            since = self._journal.state.batch.blocked_since or state.now
            if state.now - since > self._patience.step:
                await self._journal.fail(f"the fleet did not answer for {self._patience.step.total_seconds():g} s")
        return self._next_look()

    def _fleet_matters(self) -> bool:
        """Whether a decision now needs to know the fleet: something is being changed, or could be begun."""
        state = self._journal.state
        return bool(self._moving()) or (state.execution.status in UPGRADING and not self._all_ended(state.instances))

    def _all_ended(self, instances: list[Instance]) -> bool:
        return all(each.status is InstanceStatus.COMPLETED for each in instances if each.batch == self._number)

    def _view(self, unavailable: frozenset[str]) -> BatchView:
        state = self._journal.state
        status, batch = state.execution.status, state.batch
        return BatchView(status, batch, self._is_last, state.instances, self._room, unavailable, self._patience.step)

    async def _advance(self, fleet: Fleet | None) -> None:
        """Move DRAINING and UPGRADING instances as far as this one look at the fleet carries them, order the rest."""
        while moves := [step.instance for step in self._steps(fleet).values() if isinstance(step, Move)]:
            self._pace.changed()
            if not await self._journal.write(moves):
                return
        orders = [
            (self._journal.instance(instance_id), step.order)
            for instance_id, step in self._steps(fleet).items()
            if isinstance(step, Give)
        ]
        await self._give(orders)

    def _steps(self, fleet: Fleet | None) -> dict[str, Step]:
        return {each.instance_id: self._step_of(each, fleet) for each in self._moving()}

    def _step_of(self, instance: Instance, fleet: Fleet | None) -> Step:
        now, status = self._journal.now, self._journal.state.execution.status
        if fleet is None:
            return next_step_unseen(instance, self._patience, now)
        withdrawn = status not in UPGRADING and status is not ExecutionStatus.PAUSED
        return next_step_of(instance, fleet.find(instance.instance_id), withdrawn, self._patience, now)

    def _moving(self) -> list[Instance]:
        """The instances that the fleet is changing right now."""
        steps = (InstanceStatus.DRAINING, InstanceStatus.UPGRADING)
        return [each for each in self._journal.state.instances if each.status in steps]

    async def _give(self, orders: list[tuple[Instance, Order]]) -> None:
        if not orders:
            return
        accepted = await self._fleet.give(orders, self._keeper.lease.token)
        self._journal.accept(
            each for each, order in orders if each.instance_id in accepted and order is not Order.UNDRAIN
        )
        if accepted:
            self._pace.changed()

    async def _poll(self) -> None:
        """Poll the HEALTH_CHECKING instances that are due, and write what came of it."""
        state = self._journal.state
        pulses = self._pulses = self._pulses or Pulses(state.execution.request.health_check_interval_seconds)
        due = {
            each.instance_id: each
            for each in state.instances
            if each.status is InstanceStatus.HEALTH_CHECKING and pulses.due(each.instance_id)
        }
        if not due:
            return
        answers = await self._fleet.poll(due)
        polled = [next_health(each, answers[name], self._patience, state.now) for name, each in due.items()]
        for each in polled:
            self._note_pulse(pulses, each)
        await self._journal.write(polled)

    def _note_pulse(self, pulses: Pulses, instance: Instance) -> None:
        if instance.status is not InstanceStatus.HEALTH_CHECKING:
            self._pace.changed()
            return pulses.forget(instance.instance_id)
        since = instance.healthy_since
        soak = None if since is None else (since + self._patience.soak - self._journal.now).total_seconds()
        return pulses.polled(instance.instance_id, soak)

    async def _conclude(self, decision: Decision) -> Outcome | float:
        match decision:
            case StartInstances(ids):
                return await self._start(ids)
            case Wait(until, blocked):
                if blocked:
                    await self._journal.note_blocked()
                return await self._wait_for(None if until is None else (until - self._journal.now).total_seconds())
            case NoBudgetLeft(reason):
                await self._journal.fail(reason)
                return 0.0
            case Stop(reason):
                return Outcome(Ending.STOPPED, reason)
            case BatchDone():
                await self._journal.finish_batch()
                return Outcome(Ending.DONE)

    async def _start(self, ids: tuple[str, ...]) -> float:
        """Write the intents of all, then order all to drain."""
        now = self._journal.now
        begun = [move(self._journal.instance(each), InstanceStatus.DRAINING, now) for each in ids]
        self._pace.changed()
        if not await self._journal.begin(begun):
            return 0.0
        await self._give([(self._journal.instance(each), Order.DRAIN) for each in ids])
        return self._pace.SHORTEST

    async def _wait_for(self, seconds: float | None) -> float:
        """The lease is not kept through a wait in which there is nothing to do."""
        if not any(each.in_flight for each in self._journal.state.instances):
            if seconds is None or seconds > LEASE_WORTH_KEEPING_SECONDS:
                await self._keeper.give_back()
            return SLOW_POLL_SECONDS if seconds is None else max(0.0, min(seconds, SLOW_POLL_SECONDS))
        return self._next_look() if seconds is None else max(0.0, min(seconds, self._next_look()))

    def _next_look(self) -> float:
        gaps = [self._pace.gap()] if self._moving() else []
        poll = self._pulses.next_in() if self._pulses else None
        return min([*gaps, *([] if poll is None else [poll]), self._pace.LONGEST])
