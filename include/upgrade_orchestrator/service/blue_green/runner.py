"""The loop that carries out a transition between two pools: read rows and fleet, take the next action, repeat."""

from __future__ import annotations

from asyncio import get_running_loop
from dataclasses import replace
from datetime import datetime, timedelta
from enum import Enum
from functools import partial
from typing import Protocol

from upgrade_orchestrator.domain.blue_green.actions import (
    Change,
    GiveUp,
    GoalReached,
    PollAgain,
    PoolAction,
    PoolView,
    RecordUnhealthy,
    SendPoolOrder,
    WaitFor,
)
from upgrade_orchestrator.domain.execution.execution import Execution
from upgrade_orchestrator.domain.execution.states import ExecutionStatus
from upgrade_orchestrator.domain.instance.fleet import Fleet
from upgrade_orchestrator.domain.instance.instance import Instance
from upgrade_orchestrator.domain.plan.drained import GRACE_SECONDS, is_overdue
from upgrade_orchestrator.domain.plan.pools import Pools
from upgrade_orchestrator.service.blue_green.pool_fleet import PoolFleet, PoolRules
from upgrade_orchestrator.service.blue_green.store import PoolState, PoolStore
from upgrade_orchestrator.service.ports.unit_of_work import Ports
from upgrade_orchestrator.service.runner.attention import AttentionKeeper
from upgrade_orchestrator.service.runner.context import Context
from upgrade_orchestrator.service.runner.journal.journal import Journal
from upgrade_orchestrator.service.runner.journal.pool_decisions import pool_sentence
from upgrade_orchestrator.service.runner.journal.task_log import TaskLog
from upgrade_orchestrator.service.runner.lease import TURN_GAP_SECONDS, LeaseKeeper
from upgrade_orchestrator.service.runner.loop import (
    LEASE_WAIT_SECONDS,
    LEASE_WORTH_KEEPING_SECONDS,
    Backoff,
    PollSchedule,
    repeat,
)
from upgrade_orchestrator.service.runner.outcome import SLOW_POLL_SECONDS, Ending, Outcome
from upgrade_orchestrator.service.runner.settling import end_refused
from upgrade_orchestrator.service.runner.spelling import fleet_of

MIN_UNDO_SECONDS = 2.0
"What an action after a cancel gets in any case."


class Directive(Enum):
    """What the runner does because of the execution's status."""

    WORK = "WORK"
    "Continue with the next action."
    WAIT = "WAIT"
    "Take no action and give the lease back: the execution is PAUSED."
    STOP = "STOP"
    "End: the status does not allow this work any more."


class PoolTransition(Protocol):
    """A change between two pools, forward or back: its rules, and what its actions write.

    ``directive`` says whether the status allows the work, ``polls`` whether the new pool's health is polled in this
    round, ``next_action`` returns the next action, and ``record`` the changes that an action writes.
    """

    @property
    def name(self) -> str:
        """The prefix of its idempotency keys."""

    @property
    def batch(self) -> int:
        """The number of the batch whose row stores its clock."""

    def directive(self, execution: Execution) -> Directive: ...
    def polls(self, state: PoolState, fleet: Fleet, pools: Pools) -> bool: ...
    def next_action(self, view: PoolView, now: datetime) -> PoolAction: ...
    def record(self, step: PoolAction, execution: Execution, rows: list[Instance], now: datetime) -> Change: ...


async def run_transition(ports: Ports, context: Context, transition: PoolTransition, seconds: float | None) -> Outcome:
    """Run ``transition`` for about ``seconds`` (None: to its end)."""
    execution, execution_id, journal = context.execution, context.execution.id, Journal()
    lease = LeaseKeeper(ports, context.deployment, TURN_GAP_SECONDS if execution.is_terminal else 0.0)
    async with (
        ports.signals.of(execution_id) as waiter,
        fleet_of(ports, context.execution, context.deployment) as driver,
    ):
        store = PoolStore(ports, lease, execution_id, transition.batch)
        fleet = PoolFleet(driver, execution_id, transition.name, journal)
        attention = AttentionKeeper(ports, execution_id)
        rules = PoolRules.of(context.plan, execution)
        runner = PoolRunner(transition, rules, store, fleet, lease, attention, journal)
        try:
            refused = partial(end_refused, ports, execution_id, lease)
            return await repeat(runner.tick, lease, waiter, seconds, refused)
        finally:
            await lease.give_back(store.save_clocks)


class PoolRunner:
    """Each tick observes once and takes one action, holding the lease."""

    def __init__(
        self,
        transition: PoolTransition,
        rules: PoolRules,
        store: PoolStore,
        fleet: PoolFleet,
        lease: LeaseKeeper,
        attention: AttentionKeeper,
        log: TaskLog,
    ) -> None:
        self._transition, self._rules, self._store, self._fleet = transition, rules, store, fleet
        self._lease, self._attention, self._log = lease, attention, log
        self._seen_at: float | None = None
        "When the new pool was last seen as well."
        self._backoff, self._polls = Backoff(), PollSchedule(rules.poll_seconds)
        self._tried: set[str] = set()

    async def tick(self) -> Outcome | float:
        """The outcome, or the seconds until the next round."""
        state = await self._store.read()
        await self._lease.renew_if_due(self._store.save_clocks)
        settled = state.execution.settled_at is not None
        match Directive.STOP if settled else self._transition.directive(state.execution):
            case Directive.STOP:
                return Outcome(Ending.STOPPED, f"the execution is {state.execution.status.value}")
            case Directive.WAIT:
                self._tried.clear()
                self._lease.stop_watching()
                await self._lease.give_back(self._store.save_clocks)
                await self._attention.note(None, state.execution.attention)  # nothing hinders it while it waits
                return SLOW_POLL_SECONDS
        if not self._lease.held:
            return 0.0 if await self._lease.take() else LEASE_WAIT_SECONDS
        self._fleet.limit(state.execution, state.now)
        is_seen = not self._lease.unfenced or await self._fleet.close_fence(self._lease)
        state = self._store.add_watched_seconds(self._lease.seconds_since_last_call())
        view = await self._look(state, await self._fleet.observe() if is_seen else None)
        await self._attention.note(self._fleet.take_problem(), state.execution.attention)
        return await self._take(self._timely(self._transition.next_action(view, state.now), state))

    async def _look(self, state: PoolState, fleet: Fleet | None) -> PoolView:
        rules = self._rules
        asked = fleet is not None and self._transition.polls(state, fleet, rules.pools)
        names = [each.instance_id for each in fleet.in_pool(rules.pools.new)] if fleet and asked else []
        view = PoolView(
            execution=state.execution,
            batch=state.green,
            rows=state.rows,
            pools=rules.pools,
            fleet=fleet,
            answers=await self._fleet.poll(names),
            soak=rules.soak,
            timeout=rules.timeout,
        )
        return replace(view, gap=self._is_gap(view)) if asked else view

    def _is_gap(self, view: PoolView) -> bool:
        """Whether the pool was out of sight for more than three intervals before this look, which is one if it is well.

        A runner that takes over after a while has not seen it either.
        """
        now, before = get_running_loop().time(), self._seen_at
        away = self._lease.lease.unattended.total_seconds() if before is None else now - before
        serves = view.fleet is not None and view.fleet.traffic == self._rules.pools.new
        if serves and view.fleet is not None and not view.unseen(view.fleet):
            self._seen_at = now
        return away > 3 * self._rules.poll_seconds

    def _timely(self, step: PoolAction, state: PoolState) -> PoolAction:
        """An action that has had no effect for ``timeout`` is replaced by its ``on_timeout``."""
        if not self._is_late(step, state):
            return step
        while isinstance(step, SendPoolOrder | WaitFor) and step.key in self._tried:
            step = step.on_timeout
        return step

    def _is_late(self, step: PoolAction, state: PoolState) -> bool:
        """Whether the action has had its time-out; after a cancel it shares the one that began with that."""
        blocked, execution = state.waits.blocked_seconds or 0.0, state.execution
        if execution.status is not ExecutionStatus.CANCELLED or blocked < MIN_UNDO_SECONDS:
            return blocked > self._rules.timeout
        return is_overdue(execution, state.now, GRACE_SECONDS if isinstance(step, SendPoolOrder) else 0.0)

    async def _take(self, step: PoolAction) -> Outcome | float:
        self._tell(step)
        match step:
            case GoalReached():
                return Outcome(Ending.DONE)
            case SendPoolOrder():
                return await self._give(step)
            case WaitFor():
                return await self._wait_for(self._time_left()) if await self._try(step) else 0.0
            case PollAgain(seconds):
                return await self._wait_for(seconds)
        return await self._record(step)

    def _tell(self, step: PoolAction) -> None:
        state = self._store.state
        said = pool_sentence(step, self._transition.name, state.now + timedelta(seconds=max(0.0, self._time_left())))
        if said is not None:
            self._log.once("decide", said.same, said.sentence, again=said.again)

    async def _give(self, order: SendPoolOrder) -> float:
        """Write the intent, then send the order; the next round observes its effect."""
        if not await self._try(order):
            return 0.0
        if await self._fleet.send(order, self._lease.lease.token):
            self._backoff.changed()
        return self._backoff.gap()

    async def _try(self, step: SendPoolOrder | WaitFor) -> bool:
        """Write the intent. Its clock starts now if it is the first, or if the action before it has had its effect."""
        fresh, waits = step.key not in self._tried, self._store.state.waits
        restart = waits.blocked_seconds is None or (fresh and bool(self._tried))
        self._tried.add(step.key)
        return await self._store.note_waiting(restart)

    def _time_left(self) -> float:
        return self._rules.timeout - (self._store.state.waits.blocked_seconds or 0.0)

    async def _wait_for(self, at_most: float | None = None) -> float:
        """The seconds until the next poll; gives the lease back for a longer wait."""
        self._polls.polled("pool", at_most)
        look = min(self._polls.next_in(["pool"]), SLOW_POLL_SECONDS)
        if look > LEASE_WORTH_KEEPING_SECONDS:
            await self._lease.give_back(self._store.save_clocks)
        return look

    async def _record(self, step: PoolAction) -> Outcome | float:
        rows = self._store.state.rows
        written = await self._store.write(lambda execution, now: self._transition.record(step, execution, rows, now))
        if written and isinstance(step, GiveUp):
            return Outcome(Ending.STOPPED, step.reason)
        return await self._wait_for() if isinstance(step, RecordUnhealthy) else 0.0
