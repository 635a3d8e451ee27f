"""Carries out what the rules of two pools say: look at rows and fleet, take the one step that is due, look again."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Protocol

from upgrade_orchestrator.domain.blue_green.steps import (
    Await,
    Change,
    GivePool,
    GiveUp,
    NoteIll,
    PoolCall,
    PoolStep,
    PoolView,
    Reached,
    Watch,
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


class Stance(Enum):
    """What the execution's status means for the work."""

    WORK = "WORK"
    WAIT = "WAIT"
    LEAVE = "LEAVE"


class Mission(Protocol):
    """One way between two pools: its rules, and what its steps write."""

    @property
    def name(self) -> str:
        """What its idempotency keys begin with."""

    @property
    def batch(self) -> int:
        """The batch whose row keeps its clock."""

    def stance(self, execution: Execution) -> Stance: ...
    def polls(self, state: PoolState, fleet: Fleet, pools: Pools) -> bool: ...
    def next_step(self, view: PoolView, now: datetime) -> PoolStep: ...
    def record(self, step: PoolStep, execution: Execution, rows: list[Instance], now: datetime) -> Change: ...


async def run_mission(ports: Ports, context: Context, mission: Mission, seconds: float | None) -> Outcome:
    """Bring ``mission`` to its end, for about ``seconds`` (None: until it is there).

    :raises StaleToken: the fleet obeys a newer holder of the lease.
    """
    execution, execution_id = context.execution, context.execution.id
    keeper = LeaseKeeper(ports, execution)
    async with ports.signals.of(execution_id) as waiter, ports.fleets.of(context.deployment) as driver:
        journal = PoolStore(ports, keeper, execution_id, mission.batch)
        fleet = PoolFleet(driver, execution_id, mission.name)
        runner = PoolRunner(mission, Terms.of(context.plan, execution), journal, fleet, keeper)
        try:
            return await repeat(runner.tick, keeper, waiter, seconds)
        finally:
            await keeper.give_back(journal.save_clocks)


@dataclass(frozen=True, slots=True)
class Terms:
    """What the frozen plan says about pools; ``poll_seconds`` is the longest gap between health polls."""

    pools: Pools
    soak: float
    patience: float
    poll_seconds: float

    @classmethod
    def of(cls, plan: Plan, execution: Execution) -> Terms:
        """The terms of ``execution``."""
        soak, patience = float(plan.soak_seconds), float(plan.health_check_timeout_seconds)
        return cls(Pools.beside(plan.pool), soak, patience, execution.request.health_check_interval_seconds)


class PoolFleet(FleetClient):
    """A fleet whose pools are worked on."""

    def __init__(self, driver: FleetDriver, execution_id: str, name: str) -> None:
        super().__init__(driver, execution_id)
        self._pools, self._prefix = driver, f"{execution_id}.{name}"

    async def close_fence(self, lease: LeaseKeeper) -> None:
        """:raises StaleToken: the fleet obeys a newer holder of the lease."""
        await close_fence(self._pools, self._execution_id, lease, ())

    async def send(self, order: GivePool, token: int) -> bool:
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
        mission: Mission,
        terms: Terms,
        journal: PoolStore,
        fleet: PoolFleet,
        keeper: LeaseKeeper,
    ) -> None:
        self._mission, self._terms, self._journal, self._fleet = mission, terms, journal, fleet
        self._keeper = keeper
        self._pace, self._pulses = Backoff(), PollSchedule(terms.poll_seconds)
        self._tried: set[str] = set()

    async def tick(self) -> Outcome | float:
        """The outcome, or the seconds until the next round."""
        state = await self._journal.read()
        await self._keeper.renew_if_due(self._journal.save_clocks)
        match self._mission.stance(state.execution):
            case Stance.LEAVE:
                return Outcome(Ending.STOPPED, f"the execution is {state.execution.status.value}")
            case Stance.WAIT:
                self._tried.clear()
                self._keeper.stop_watching()
                await self._keeper.give_back(self._journal.save_clocks)
                return SLOW_POLL_SECONDS
        if not self._keeper.held:
            return 0.0 if await self._keeper.take() else LEASE_WAIT_SECONDS
        if self._keeper.unfenced:
            await self._fleet.close_fence(self._keeper)
        state = self._journal.watch(self._keeper.watched())
        return await self._take(self._timely(self._mission.next_step(await self._look(state), state.now), state))

    async def _look(self, state: PoolState) -> PoolView:
        terms, fleet = self._terms, await self._fleet.observe()
        asked = fleet is not None and self._mission.polls(state, fleet, terms.pools)
        names = [each.instance_id for each in fleet.in_pool(terms.pools.new)] if fleet and asked else []
        return PoolView(
            execution=state.execution,
            batch=state.green,
            rows=state.rows,
            pools=terms.pools,
            fleet=fleet,
            answers=await self._fleet.poll(names),
            soak=terms.soak,
            patience=terms.patience,
        )

    def _timely(self, step: PoolStep, state: PoolState) -> PoolStep:
        """What was tried for too long gives way to what is to be done when it is in vain."""
        if (state.waits.blocked_seconds or 0.0) <= self._terms.patience:
            return step
        while isinstance(step, GivePool | Await) and step.key in self._tried:
            step = step.in_vain
        return step

    async def _take(self, step: PoolStep) -> Outcome | float:
        match step:
            case Reached():
                return Outcome(Ending.DONE)
            case GivePool():
                return await self._give(step)
            case Await(what):
                log.info("execution %s: %s", self._journal.state.execution.id, what)
                return await self._wait_for(self._patience_left()) if await self._try(step) else 0.0
            case Watch(seconds):
                return await self._wait_for(seconds)
        return await self._record(step)

    async def _give(self, order: GivePool) -> float:
        """Write the intent, then send the order; the next look shows what came of it."""
        if not await self._try(order):
            return 0.0
        if await self._fleet.send(order, self._keeper.lease.token):
            self._pace.changed()
        return self._pace.gap()

    async def _try(self, step: GivePool | Await) -> bool:
        """Note since when it is tried: from now on when it is the first, or when the one before has had its effect."""
        fresh, waits = step.key not in self._tried, self._journal.state.waits
        restart = waits.blocked_seconds is None or (fresh and bool(self._tried))
        self._tried.add(step.key)
        return await self._journal.note_waiting(restart)

    def _patience_left(self) -> float:
        return self._terms.patience - (self._journal.state.waits.blocked_seconds or 0.0)

    async def _wait_for(self, at_most: float | None = None) -> float:
        """Until the next poll; the lease is not kept through a wait in which there is nothing to do."""
        self._pulses.polled("pool", at_most)
        look = min(self._pulses.next_in(["pool"]), SLOW_POLL_SECONDS)
        if look > LEASE_WORTH_KEEPING_SECONDS:
            await self._keeper.give_back(self._journal.save_clocks)
        return look

    async def _record(self, step: PoolStep) -> Outcome | float:
        rows = self._journal.state.rows
        written = await self._journal.write(lambda execution, now: self._mission.record(step, execution, rows, now))
        if written and isinstance(step, GiveUp):
            return Outcome(Ending.STOPPED, step.reason)
        return await self._wait_for() if isinstance(step, NoteIll) else 0.0
