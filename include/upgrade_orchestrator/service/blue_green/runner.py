"""Carries out what the rules of two pools say: look at rows and fleet, take the one step that is due, look again."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Protocol

from upgrade_orchestrator.domain.blue_green.actions import (
    Change,
    GiveUp,
    GoalReached,
    PollAgain,
    PoolAction,
    PoolCall,
    PoolView,
    RecordUnhealthy,
    SendPoolOrder,
    WaitFor,
)
from upgrade_orchestrator.domain.execution.execution import Execution
from upgrade_orchestrator.domain.instance.fleet import Fleet
from upgrade_orchestrator.domain.instance.instance import Instance
from upgrade_orchestrator.domain.plan.plan import Plan
from upgrade_orchestrator.domain.plan.pools import Pools
from upgrade_orchestrator.service.blue_green.store import PoolState, PoolStore
from upgrade_orchestrator.service.ports.fleet import FleetDriver, FleetError, StaleToken
from upgrade_orchestrator.service.ports.unit_of_work import Ports
from upgrade_orchestrator.service.runner.context import Context
from upgrade_orchestrator.service.runner.fencing import close_fence
from upgrade_orchestrator.service.runner.fleet_client import FleetClient
from upgrade_orchestrator.service.runner.lease import LeaseKeeper
from upgrade_orchestrator.service.runner.loop import (
    LEASE_WAIT_SECONDS,
    LEASE_WORTH_KEEPING_SECONDS,
    Backoff,
    PollSchedule,
    repeat,
)
from upgrade_orchestrator.service.runner.outcome import SLOW_POLL_SECONDS, Ending, Outcome

log = logging.getLogger(__name__)


class Directive(Enum):
    """What the execution's status means for the work."""

    WORK = "WORK"
    WAIT = "WAIT"
    STOP = "STOP"


class PoolTransition(Protocol):
    """One way between two pools: its rules, and what its steps write."""

    @property
    def name(self) -> str:
        """What its idempotency keys begin with."""

    @property
    def batch(self) -> int:
        """The batch whose row keeps its clock."""

    def directive(self, execution: Execution) -> Directive: ...
    def polls(self, state: PoolState, fleet: Fleet, pools: Pools) -> bool: ...
    def next_action(self, view: PoolView, now: datetime) -> PoolAction: ...
    def record(self, step: PoolAction, execution: Execution, rows: list[Instance], now: datetime) -> Change: ...


async def run_transition(ports: Ports, context: Context, transition: PoolTransition, seconds: float | None) -> Outcome:
    """Bring ``transition`` to its end, for about ``seconds`` (None: until it is there).

    :raises StaleToken: the fleet obeys a newer holder of the lease.
    """
    execution, execution_id = context.execution, context.execution.id
    lease = LeaseKeeper(ports, execution)
    async with ports.signals.of(execution_id) as waiter, ports.fleets.of(context.deployment) as driver:
        store = PoolStore(ports, lease, execution_id, transition.batch)
        fleet = PoolFleet(driver, execution_id, transition.name)
        runner = PoolRunner(transition, PoolRules.of(context.plan, execution), store, fleet, lease)
        try:
            return await repeat(runner.tick, lease, waiter, seconds)
        finally:
            await lease.give_back(store.save_clocks)


@dataclass(frozen=True, slots=True)
class PoolRules:
    """What the frozen plan says about pools; ``poll_seconds`` is the longest gap between health polls."""

    pools: Pools
    soak: float
    timeout: float
    poll_seconds: float

    @classmethod
    def of(cls, plan: Plan, execution: Execution) -> PoolRules:
        """The rules of ``execution``."""
        soak, timeout = float(plan.soak_seconds), float(plan.health_check_timeout_seconds)
        return cls(Pools.for_serving(plan.pool), soak, timeout, execution.request.health_check_interval_seconds)


class PoolFleet(FleetClient):
    """A fleet whose pools are worked on."""

    def __init__(self, driver: FleetDriver, execution_id: str, name: str) -> None:
        super().__init__(driver, execution_id)
        self._pools, self._prefix = driver, f"{execution_id}.{name}"

    async def close_fence(self, lease: LeaseKeeper) -> None:
        """:raises StaleToken: the fleet obeys a newer holder of the lease."""
        await close_fence(self._pools, self._execution_id, lease, ())

    async def send(self, order: SendPoolOrder, token: int) -> bool:
        """Whether the order was accepted.

        :raises StaleToken: the fleet obeys a newer holder of the lease: this runner has to stop.
        """
        key = f"{self._prefix}.{order.key}"
        try:
            match order.call:
                case PoolCall.MAKE:
                    await self._pools.make_pool(order.pool, order.version, order.size, token, key)
                case PoolCall.REMOVE:
                    await self._pools.remove_pool(order.pool, token, key)
                case PoolCall.SWITCH:
                    await self._pools.switch_traffic(order.pool, token, key)
        except StaleToken:
            raise
        except FleetError as error:
            log.warning("%s: %s", key, error)
            return False
        return True


class PoolRunner:
    """One look and one step a tick, with the lease held; what has no effect for too long gives way."""

    def __init__(
        self,
        transition: PoolTransition,
        rules: PoolRules,
        store: PoolStore,
        fleet: PoolFleet,
        lease: LeaseKeeper,
    ) -> None:
        self._transition, self._rules, self._store, self._fleet = transition, rules, store, fleet
        self._lease = lease
        self._backoff, self._polls = Backoff(), PollSchedule(rules.poll_seconds)
        self._tried: set[str] = set()

    async def tick(self) -> Outcome | float:
        """The outcome, or the seconds until the next round."""
        state = await self._store.read()
        await self._lease.renew_if_due(self._store.save_clocks)
        match self._transition.directive(state.execution):
            case Directive.STOP:
                return Outcome(Ending.STOPPED, f"the execution is {state.execution.status.value}")
            case Directive.WAIT:
                self._tried.clear()
                self._lease.stop_watching()
                await self._lease.give_back(self._store.save_clocks)
                return SLOW_POLL_SECONDS
        if not self._lease.held:
            return 0.0 if await self._lease.take() else LEASE_WAIT_SECONDS
        if self._lease.unfenced:
            await self._fleet.close_fence(self._lease)
        state = self._store.add_watched_seconds(self._lease.seconds_since_last_call())
        return await self._take(self._timely(self._transition.next_action(await self._look(state), state.now), state))

    async def _look(self, state: PoolState) -> PoolView:
        rules, fleet = self._rules, await self._fleet.observe()
        asked = fleet is not None and self._transition.polls(state, fleet, rules.pools)
        names = [each.instance_id for each in fleet.in_pool(rules.pools.new)] if fleet and asked else []
        return PoolView(
            execution=state.execution,
            batch=state.green,
            rows=state.rows,
            pools=rules.pools,
            fleet=fleet,
            answers=await self._fleet.poll(names),
            soak=rules.soak,
            timeout=rules.timeout,
        )

    def _timely(self, step: PoolAction, state: PoolState) -> PoolAction:
        """What was tried for too long gives way to what is to be done when it is in vain."""
        if (state.waits.blocked_seconds or 0.0) <= self._rules.timeout:
            return step
        while isinstance(step, SendPoolOrder | WaitFor) and step.key in self._tried:
            step = step.on_timeout
        return step

    async def _take(self, step: PoolAction) -> Outcome | float:
        match step:
            case GoalReached():
                return Outcome(Ending.DONE)
            case SendPoolOrder():
                return await self._give(step)
            case WaitFor(what):
                log.info("execution %s: %s", self._store.state.execution.id, what)
                return await self._wait_for(self._time_left()) if await self._try(step) else 0.0
            case PollAgain(seconds):
                return await self._wait_for(seconds)
        return await self._record(step)

    async def _give(self, order: SendPoolOrder) -> float:
        """Write the intent, then send the order; the next look shows what came of it."""
        if not await self._try(order):
            return 0.0
        if await self._fleet.send(order, self._lease.lease.token):
            self._backoff.changed()
        return self._backoff.gap()

    async def _try(self, step: SendPoolOrder | WaitFor) -> bool:
        """Note since when it is tried: from now on when it is the first, or when the one before has had its effect."""
        fresh, waits = step.key not in self._tried, self._store.state.waits
        restart = waits.blocked_seconds is None or (fresh and bool(self._tried))
        self._tried.add(step.key)
        return await self._store.note_waiting(restart)

    def _time_left(self) -> float:
        return self._rules.timeout - (self._store.state.waits.blocked_seconds or 0.0)

    async def _wait_for(self, at_most: float | None = None) -> float:
        """Until the next poll; the lease is not kept through a wait in which there is nothing to do."""
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
