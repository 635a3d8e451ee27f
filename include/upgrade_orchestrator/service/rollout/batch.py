"""Use case: run a batch (specification section 4). Each round observes, advances, decides and acts, top to bottom.

Any process may continue a batch at any point: the rows hold what was intended, the fleet shows what has happened.
"""

from __future__ import annotations

from asyncio import get_running_loop
from functools import partial

from upgrade_orchestrator.domain.execution.execution import Strategy
from upgrade_orchestrator.domain.instance.action import Move, Order, SendOrder, next_action, next_action_unseen
from upgrade_orchestrator.domain.instance.fleet import Fleet
from upgrade_orchestrator.domain.instance.instance import InstanceStatus, move
from upgrade_orchestrator.domain.plan.batch import (
    BatchDone,
    BatchRules,
    NoBudgetLeft,
    StartInstances,
    Stop,
    Wait,
    decide,
)
from upgrade_orchestrator.domain.plan.drained import is_overdue
from upgrade_orchestrator.service.ports.unit_of_work import Ports
from upgrade_orchestrator.service.rollout.absence import Absence
from upgrade_orchestrator.service.rollout.batch_state import view_of
from upgrade_orchestrator.service.rollout.batch_store import BatchStore
from upgrade_orchestrator.service.rollout.green_pool_driver import GreenPoolDriver
from upgrade_orchestrator.service.rollout.health_polls import HealthPolls
from upgrade_orchestrator.service.rollout.leaving import Leaving
from upgrade_orchestrator.service.rollout.order_sender import OrderSender
from upgrade_orchestrator.service.runner.attention import AttentionKeeper
from upgrade_orchestrator.service.runner.context import Context
from upgrade_orchestrator.service.runner.fencing import close_fence
from upgrade_orchestrator.service.runner.fleet_client import FleetClient
from upgrade_orchestrator.service.runner.journal.decisions import sentence_of
from upgrade_orchestrator.service.runner.journal.journal import Journal
from upgrade_orchestrator.service.runner.lease import TURN_GAP_SECONDS, LeaseKeeper
from upgrade_orchestrator.service.runner.limited import LimitedDriver
from upgrade_orchestrator.service.runner.loop import (
    LEASE_WAIT_SECONDS,
    LEASE_WORTH_KEEPING_SECONDS,
    Backoff,
    repeat,
)
from upgrade_orchestrator.service.runner.outcome import SLOW_POLL_SECONDS, Ending, Outcome
from upgrade_orchestrator.service.runner.settling import end_refused
from upgrade_orchestrator.service.runner.spelling import fleet_of

CHANGING = (InstanceStatus.DRAINING, InstanceStatus.UPGRADING)
"Statuses in which the fleet is changing the instance."


async def run_batch(
    ports: Ports, context: Context, number: int, seconds: float | None, last: int | None = None
) -> Outcome:
    """Work on batch ``number`` (ROLLBACK_BATCH: the rollback) for about ``seconds`` (None: until its end).

    With ``last`` the following batches up to this one are run too, each when it is due, under the same lease.
    """
    execution, end = context.execution, None if seconds is None else get_running_loop().time() + seconds
    lease = LeaseKeeper(ports, context.deployment, TURN_GAP_SECONDS if execution.is_terminal else 0.0)
    refused, journal = partial(end_refused, ports, execution.id, lease), Journal()
    async with (
        ports.signals.of(execution.id) as waiter,
        fleet_of(ports, context.execution, context.deployment) as unlimited,
    ):
        driver = LimitedDriver(unlimited)
        try:
            for each in range(number, (last or number) + 1):
                store = BatchStore(ports, lease, execution.id, each, journal)
                green = context.plan.strategy is Strategy.BLUE_GREEN
                seen = GreenPoolDriver(driver, context.plan, execution, store.all) if green else driver
                fleet = FleetClient(seen, execution.id, journal=journal)
                rules = BatchRules.of(context.plan, each, execution.request.health_check_interval_seconds)
                loop = BatchLoop(ports, rules, store, fleet, lease, driver)
                left = None if end is None else max(0.0, end - get_running_loop().time())
                outcome = await repeat(loop.tick, lease, waiter, left, refused)
                if outcome.ending is not Ending.DONE:
                    break
            return outcome
        finally:
            await lease.give_back(store.save_clocks)


class BatchLoop:
    """The rounds of one batch; every intent is written before its order is sent."""

    def __init__(
        self,
        ports: Ports,
        rules: BatchRules,
        store: BatchStore,
        fleet: FleetClient,
        lease: LeaseKeeper,
        driver: LimitedDriver,
    ) -> None:
        self._rules, self._store, self._fleet, self._lease = rules, store, fleet, lease
        self._driver, self._backoff = driver, Backoff()
        self._polls = HealthPolls(rules, store, fleet, self._backoff)
        self._orders = OrderSender(store, fleet, lease)
        self._leaving = Leaving(store, self._orders)
        self._absence = Absence(ports, store, rules.timeouts.step)
        self._attention = AttentionKeeper(ports, store.execution_id, goes_on=True)
        self._undrain_sent: set[str] = set()
        self._fresh = True

    async def tick(self) -> Outcome | float:
        """One round; the outcome, or the seconds until the next round."""
        store, lease = self._store, self._lease
        await store.read(fresh=self._fresh or not lease.held)
        await lease.renew_if_due(store.save_clocks)
        self._fresh = not lease.held  # rows that another holder wrote before our lease began must be read
        if not lease.held:
            self._absence.stop_watching()
            state = store.state
            early = (state.batch.due_at or state.now) > state.now
            if not store.flying() and (early or not store.direction.may_start(state.execution.status)):
                await self._attention.note(None, state.execution.attention)  # nor does anything hinder it
                return await self._decide_and_act(None)  # nothing may begin, so no lease is needed
            return 0.0 if await lease.take() else LEASE_WAIT_SECONDS
        self._driver.limit(store.state.execution, store.state.now)
        is_seen = not lease.unfenced or await self._close_fence(lease)
        store.add_watched_seconds(lease.seconds_since_last_call())
        found = await self._round(await self._look(is_seen))
        await self._attention.note(self._fleet.take_problem(), store.state.execution.attention)
        return found

    async def _close_fence(self, lease: LeaseKeeper) -> bool:
        store = self._store
        return await close_fence(self._driver, store.execution_id, lease, store.worked_on(), self._fleet.missed)

    async def _look(self, is_seen: bool) -> Fleet | None:
        """The fleet, if it matters and responds, as it will be after the orders for instances whose try is over."""
        if not self._fleet_matters():
            self._absence.stop_watching()
            return None
        fleet = await self._fleet.observe() if is_seen else None
        await self._absence.note(fleet)
        return None if fleet is None else await self._leaving.leave(fleet)

    async def _round(self, fleet: Fleet | None) -> Outcome | float:
        await self._advance(fleet)
        await self._polls.poll(fleet)
        if fleet is None and self._fleet_matters():
            return await self._wait_for_fleet()
        return await self._decide_and_act(fleet)

    def _fleet_matters(self) -> bool:
        """Whether the decision depends on the fleet: an instance is being changed, or could be started."""
        wanted = self._store.direction.may_start(self._store.state.execution.status)
        number = self._store.state.batch.number
        return any(
            each.status in CHANGING or (wanted and each.batch <= number and each.status is not InstanceStatus.COMPLETED)
            for each in self._store.jobs()
        )

    async def _advance(self, fleet: Fleet | None) -> None:
        """Write every transition that this observation allows, then send the orders that are due."""
        actions = self._actions(fleet)
        while moves := [each.instance for each in actions.values() if isinstance(each, Move)]:
            self._backoff.changed()
            if not await self._store.write(await self._polls.explained(moves, fleet)):
                return
            actions = self._actions(fleet)
        orders = {name: each.order for name, each in actions.items() if isinstance(each, SendOrder)}
        if not orders:
            return
        accepted = await self._orders.send(orders)
        self._undrain_sent |= {name for name, order in orders.items() if order is Order.UNDRAIN}
        if any(self._store.state.jobs[name].accepted_at is None for name in accepted):  # not only repeated
            self._backoff.changed()
        self._store.note_accepted(accepted)  # written with the next transition; after a crash the order is sent again

    def _actions(self, fleet: Fleet | None) -> dict[str, Move | SendOrder]:
        state, timeouts, actions = self._store.state, self._rules.timeouts, dict[str, Move | SendOrder]()
        withdrawn = self._store.direction.withdrawn(state.execution.status)
        known = {each.instance_id: each for each in fleet.instances} if fleet is not None else {}
        overdue = is_overdue(state.execution, state.now)
        for job in (each for each in self._store.jobs() if each.status in CHANGING):
            if fleet is None:
                action = next_action_unseen(job, timeouts, state.now, overdue)
            else:
                found, undrain_sent = known.get(job.instance_id), job.instance_id in self._undrain_sent
                foreign = withdrawn and self._leaving.was_drained(job)
                action = next_action(job, found, withdrawn, timeouts, state.now, undrain_sent, foreign, overdue)
            if isinstance(action, Move | SendOrder):
                actions[job.instance_id] = action
        return actions

    async def _wait_for_fleet(self) -> float:
        """Wait for a fleet that does not respond; with nothing in flight the batch fails after the time-out."""
        if not self._store.flying():
            await self._store.note_blocked(True)
            if (self._store.state.batch.blocked_seconds or 0.0) > self._rules.timeouts.step:
                await self._store.fail(f"the fleet did not answer for {self._rules.timeouts.step:g} s")
        return await self._wait(self._backoff.gap())

    async def _decide_and_act(self, fleet: Fleet | None) -> Outcome | float:
        """Decide by the rules on the rows and the fleet as observed, and carry the decision out."""
        state = self._store.state
        view = view_of(state, self._rules, self._store.jobs(), self._store.direction, fleet)
        decision = decide(view, state.now)
        said = sentence_of(decision, view, state.now)
        self._store.journal.once("decide", said.same, said.sentence, again=said.again)
        match decision:
            case StartInstances(ids):
                self._backoff.changed()
                begun = [move(state.jobs[each], InstanceStatus.DRAINING, state.now) for each in ids]
                if await self._store.write(begun):  # all intents first, then what the last observation allows
                    await self._advance(fleet)
            case NoBudgetLeft(reason):
                await self._store.fail(reason)
            case Wait(seconds, blocked):
                if blocked or fleet is not None:
                    await self._store.note_blocked(blocked)
                return await self._wait(seconds)
            case Stop(reason):
                return Outcome(Ending.STOPPED, reason)
            case BatchDone():
                return await self._finish(fleet)
        return 0.0

    async def _finish(self, fleet: Fleet | None) -> Outcome | float:
        """Finish the batch; before, the instances whose try has just ended are left as they should be."""
        if fleet is not None and not await self._leaving.is_done(fleet):
            return self._backoff.gap()
        return Outcome(Ending.DONE) if await self._store.finish() else 0.0

    async def _wait(self, seconds: float | None) -> float:
        """The seconds to wait; gives the lease back for a longer wait with nothing in flight."""
        if flying := self._store.flying():  # until these are observed or polled again
            changing = any(each.status in CHANGING for each in flying)
            look = min(self._backoff.gap() if changing else Backoff.LONGEST, self._polls.next_in(flying))
            return look if seconds is None else max(0.0, min(seconds, look))
        if seconds is None or seconds > LEASE_WORTH_KEEPING_SECONDS:
            await self._lease.give_back(self._store.save_clocks)
        return SLOW_POLL_SECONDS if seconds is None else max(0.0, min(seconds, SLOW_POLL_SECONDS))
