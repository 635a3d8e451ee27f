"""One round of a batch with the lease held: bring on what is in flight as far as one look at the fleet carries it."""

from __future__ import annotations

from datetime import timedelta

from upgrade_orchestrator.domain.instance.fleet import Fleet
from upgrade_orchestrator.domain.instance.instance import Instance, InstanceStatus, move
from upgrade_orchestrator.domain.instance.step import (
    Give,
    Move,
    Order,
    Patience,
    Step,
    next_health,
    next_step_of,
    next_step_unseen,
)
from upgrade_orchestrator.domain.plan.batch import BatchView, Decision, next_step
from upgrade_orchestrator.domain.plan.rules import Rules
from upgrade_orchestrator.service.rollout.batch_store import BatchJournal
from upgrade_orchestrator.service.runner.backoff import Pace, Pulses
from upgrade_orchestrator.service.runner.fleet_client import FleetWork
from upgrade_orchestrator.service.runner.lease import LeaseKeeper


class BatchRound:
    """Observes, moves, polls and orders; every intent is written before its order is given."""

    def __init__(self, rules: Rules, journal: BatchJournal, fleet: FleetWork, keeper: LeaseKeeper) -> None:
        self._rules, self._journal, self._fleet, self._keeper = rules, journal, fleet, keeper
        self._pace = Pace()
        self._pulses = Pulses(rules.poll_seconds)
        self._seen: Fleet | None = None
        self._asked_back: set[str] = set()

    def only_waits(self) -> bool:
        """Nothing in flight, and nothing may begin yet: no lease is needed to see that."""
        state = self._journal.state
        if any(each.in_flight for each in self._journal.jobs()):
            return False
        early = state.batch.due_at is not None and state.now < state.batch.due_at
        return early or not self._journal.direction.may_start(state.execution.status)

    def decide(self, unavailable: frozenset[str]) -> Decision:
        """The rules' decision on the rows as they are."""
        state, rules = self._journal.state, self._rules
        view = BatchView(
            status=state.execution.status,
            batch=state.batch,
            is_last=rules.is_last,
            instances=self._journal.jobs(),
            room=rules.room,
            unavailable=unavailable,
            patience=rules.patience.step,
            direction=self._journal.direction,
        )
        return next_step(view, state.now)

    async def work(self) -> Decision | None:
        """Bring on what is in flight, then decide; None when that needs a fleet that does not answer."""
        self._seen = fleet = await self._fleet.observe() if self._fleet_matters() else None
        await self._advance(fleet)
        await self._poll()
        if fleet is None and self._fleet_matters():
            await self._wait_unseen()
            return None
        return self.decide(fleet.unavailable(self._journal.state.rows) if fleet else frozenset())

    async def start(self, ids: tuple[str, ...]) -> None:
        """Write the intents of all, then do what the last look asks for: drain, unless it is there already."""
        begun = [move(self._journal.job(each), InstanceStatus.DRAINING, self._journal.now) for each in ids]
        self._pace.changed()
        if await self._journal.begin(begun):
            await self._advance(self._seen)

    def next_look(self) -> float:
        """Seconds until something in flight is worth another look."""
        gaps = [self._pace.gap()] if self._moving() else []
        poll = self._pulses.next_in()
        return min([*gaps, *([] if poll is None else [poll]), self._pace.LONGEST])

    def _moving(self) -> list[Instance]:
        """The jobs that the fleet is changing right now."""
        steps = (InstanceStatus.DRAINING, InstanceStatus.UPGRADING)
        return [each for each in self._journal.jobs() if each.status in steps]

    def _fleet_matters(self) -> bool:
        """Whether a decision needs to know the fleet: something is being changed, or could be begun."""
        if self._moving():
            return True
        wanted = self._journal.direction.may_start(self._journal.state.execution.status)
        return wanted and any(each.status is not InstanceStatus.COMPLETED for each in self._journal.so_far())

    async def _wait_unseen(self) -> None:
        """With nothing in flight a fleet that does not answer is waited for, but not for ever."""
        if any(each.in_flight for each in self._journal.jobs()):
            return
        await self._journal.note_blocked()
        since = self._journal.state.batch.blocked_since or self._journal.now
        if self._journal.now - since > self._rules.patience.step:
            await self._journal.fail(f"the fleet did not answer for {self._rules.patience.step.total_seconds():g} s")

    async def _advance(self, fleet: Fleet | None) -> None:
        """Write every move that this one look allows, then give the orders that are due."""
        while moves := [step.instance for step in self._steps(fleet).values() if isinstance(step, Move)]:
            self._pace.changed()
            if not await self._journal.write(moves):
                return
        await self._give({name: step.order for name, step in self._steps(fleet).items() if isinstance(step, Give)})

    def _steps(self, fleet: Fleet | None) -> dict[str, Step]:
        return {each.instance_id: self._step_of(each, fleet) for each in self._moving()}

    def _step_of(self, job: Instance, fleet: Fleet | None) -> Step:
        state, patience = self._journal.state, self._rules.patience
        if fleet is None:
            return next_step_unseen(job, patience, state.now)
        withdrawn = self._journal.direction.withdrawn(state.execution.status)
        found, asked_back = fleet.find(job.instance_id), job.instance_id in self._asked_back
        return next_step_of(job, found, withdrawn, patience, state.now, asked_back)

    async def _give(self, orders: dict[str, Order]) -> None:
        if not orders:
            return
        given = [(self._journal.job(name), order) for name, order in orders.items()]
        accepted = await self._fleet.give(given, self._keeper.lease.token)
        self._journal.accept(accepted)
        self._asked_back |= {name for name, order in orders.items() if order is Order.UNDRAIN}
        if accepted:
            self._pace.changed()

    async def _poll(self) -> None:
        """Poll the HEALTH_CHECKING jobs that are due, and write what came of it."""
        checking = [each for each in self._journal.jobs() if each.status is InstanceStatus.HEALTH_CHECKING]
        due = {each.instance_id: each for each in checking if self._pulses.due(each.instance_id)}
        if not due:
            return
        answers = await self._fleet.poll(due)
        patience = self._patience_of_health()
        polled = [next_health(each, answers[name], patience, self._journal.now) for name, each in due.items()]
        for each in polled:
            self._note_pulse(each)
        await self._journal.write(polled)

    def _patience_of_health(self) -> Patience:
        """An execution that was ended does not wait for a soak: that guards only what would come after it."""
        patience = self._rules.patience
        ended = self._journal.direction.withdrawn(self._journal.state.execution.status)
        return Patience(patience.step, timedelta()) if ended else patience

    def _note_pulse(self, job: Instance) -> None:
        if job.status is not InstanceStatus.HEALTH_CHECKING:
            self._pace.changed()
            self._pulses.forget(job.instance_id)
            return
        since = job.healthy_since
        left = None if since is None else (since + self._rules.patience.soak - self._journal.now).total_seconds()
        self._pulses.polled(job.instance_id, left)
