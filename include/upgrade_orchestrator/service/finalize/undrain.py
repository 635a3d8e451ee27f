"""Use case: undrain instances that an ended upgrade left drained, before it is settled."""

from __future__ import annotations

from asyncio import gather, get_running_loop
from collections.abc import Callable, Sequence
from functools import partial

from upgrade_orchestrator.domain.execution.execution import Execution, Strategy
from upgrade_orchestrator.domain.instance.action import Order
from upgrade_orchestrator.domain.instance.fleet import Fleet
from upgrade_orchestrator.domain.instance.instance import Instance, InstanceStatus
from upgrade_orchestrator.domain.plan.drained import (
    GRACE_SECONDS,
    in_service,
    is_overdue,
    naming_drained,
    naming_unseen,
    out_of_service,
    possibly_drained,
    to_drain_again,
)
from upgrade_orchestrator.service.ports.fleet import FleetDriver
from upgrade_orchestrator.service.ports.unit_of_work import Ports
from upgrade_orchestrator.service.runner.context import Context, find_execution
from upgrade_orchestrator.service.runner.fencing import close_fence
from upgrade_orchestrator.service.runner.fleet_client import FleetClient
from upgrade_orchestrator.service.runner.lease import LeaseKeeper, no_clocks
from upgrade_orchestrator.service.runner.limited import LimitedDriver
from upgrade_orchestrator.service.runner.loop import LEASE_WAIT_SECONDS, Backoff, repeat
from upgrade_orchestrator.service.runner.outcome import Ending, Outcome
from upgrade_orchestrator.service.runner.settling import end_refused
from upgrade_orchestrator.service.runner.spelling import fleet_of

MIN_UNDRAIN_SECONDS = 2.0
"Minimum undrain retry time, however late the runner starts."


async def undrain_left(ports: Ports, context: Context, seconds: float | None) -> Outcome:
    """Order each drained instance to undrain; the terminal status is the intent, the order carries the fencing token.

    DONE when all are back in service, or after ``healthCheckTimeoutSeconds``: the status reason then names the others.
    UNFINISHED after about ``seconds`` (None: no limit), or while something is in flight. STOPPED when the fleet refuses
    the orders, which settles the execution.

    :raises FleetError: the fleet's connection cannot be used: try again.
    """
    execution_id = context.execution.id
    async with ports.work() as work:
        execution = await work.executions.get(execution_id)
        rows = await work.executions.instances(execution_id)
        left = possibly_drained(execution, rows, await work.executions.rollback_instances(execution_id))
        again, now = to_drain_again(execution, rows), await work.now()
    if not execution.is_terminal or any(each.in_flight for each in rows):
        return Outcome(Ending.UNFINISHED)
    if execution.settled_at is not None or not (again or may_have_drained(execution, rows, left)):
        return Outcome(Ending.DONE)
    keeper = LeaseKeeper(ports, context.deployment)
    async with (
        ports.signals.of(execution_id) as waiter,
        fleet_of(ports, context.execution, context.deployment) as unlimited,
    ):
        driver = LimitedDriver(unlimited)
        driver.limit(execution, now)
        loop = UndrainLoop(ports, execution, left, again, keeper, driver)
        try:
            return await repeat(loop.tick, keeper, waiter, seconds, partial(end_refused, ports, execution_id, keeper))
        finally:
            await keeper.give_back(no_clocks)


def may_have_drained(execution: Execution, rows: Sequence[Instance], left: Sequence[Instance]) -> bool:
    """Whether an instance may be drained. True also for BLUE_GREEN, whose late orders on pools must be fenced off."""
    begun = any(each.status is not InstanceStatus.PENDING for each in rows)
    return (begun and execution.request.strategy is Strategy.BLUE_GREEN) or bool(left)


class UndrainLoop:
    """Observes the fleet and orders each drained instance to undrain, once a round.

    An instance that others had drained before the upgrade is drained again, if that put it into service.
    """

    def __init__(
        self,
        ports: Ports,
        execution: Execution,
        left: Sequence[Instance],
        again: Sequence[Instance],
        keeper: LeaseKeeper,
        driver: FleetDriver,
    ) -> None:
        self._ports, self._execution, self._keeper, self._driver = ports, execution, keeper, driver
        self._fleet = FleetClient(driver, execution.id)
        self._jobs = {each.instance_id: each for each in left}
        self._again = {each.instance_id: each for each in again}
        self._backoff = Backoff()
        self._asked_at: float | None = None
        self._began_at = get_running_loop().time()

    async def tick(self) -> Outcome | float:
        """One round; the outcome, or the seconds until the next round."""
        await self._keeper.renew_if_due(no_clocks)
        if not self._keeper.held:
            taken = await self._keeper.take()
            if (await find_execution(self._ports, self._execution.id)).settled_at is not None:
                return Outcome(Ending.DONE)  # released meanwhile: the fleet is the next upgrade's
            self._keeper.unfenced = True  # also after our own orders: one that never arrived may arrive later
            return 0.0 if taken else LEASE_WAIT_SECONDS
        if (fleet := await self._look()) is None:
            return await self._unseen()
        drained = out_of_service(list(self._jobs.values()), fleet)
        serving = in_service(list(self._again.values()), fleet)
        left = drained | serving
        if not left or (await self._is_late() and await self._name(left)):
            return Outcome(Ending.DONE)
        token = self._keeper.lease.token
        orders = [(self._jobs[name], Order.UNDRAIN) for name in drained]
        orders += [(self._again[name], Order.DRAIN) for name in serving]
        self._asked_at = self._asked_at or get_running_loop().time()
        await gather(*(self._fleet.give(row, order, token) for row, order in orders))
        return self._backoff.gap()

    async def _look(self) -> Fleet | None:
        if not self._keeper.unfenced or await self._close_fence():
            return await self._fleet.observe()
        return None

    async def _close_fence(self) -> bool:
        return await close_fence(self._driver, self._execution.id, self._keeper, self._jobs, self._fleet.missed)

    async def _is_late(self) -> bool:
        if self._asked_at is None or get_running_loop().time() - self._asked_at < MIN_UNDRAIN_SECONDS:
            return False
        return await self._is_overdue(GRACE_SECONDS)

    async def _is_overdue(self, grace: float = 0.0) -> bool:
        async with self._ports.work() as work:
            return is_overdue(self._execution, await work.now(), grace)

    async def _unseen(self) -> Outcome | float:
        """Nobody waits longer for a fleet that does not respond than for an instance that does not obey."""
        if get_running_loop().time() - self._began_at < MIN_UNDRAIN_SECONDS or not await self._is_overdue():
            return self._backoff.gap()
        await self._rename(lambda execution: naming_unseen(execution, list(self._jobs)))
        return Outcome(Ending.DONE)

    async def _name(self, left: dict[str, str]) -> bool:
        await self._rename(lambda execution: naming_drained(execution, left))
        return True

    async def _rename(self, naming: Callable[[Execution], Execution]) -> None:
        async with self._ports.work() as work:
            execution = await work.executions.lock(self._execution.id)
            await work.leases.require(self._keeper.lease)
            if (named := naming(execution)) != execution:
                await work.executions.save(named)
                await work.commit()
