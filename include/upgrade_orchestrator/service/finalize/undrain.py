"""Use case: undrain instances that an ended upgrade left drained, before it is settled."""

from __future__ import annotations

from asyncio import gather, get_running_loop
from collections.abc import Sequence
from datetime import timedelta

from upgrade_orchestrator.domain.execution.execution import Execution, Strategy
from upgrade_orchestrator.domain.instance.action import Order
from upgrade_orchestrator.domain.instance.instance import Instance, InstanceStatus
from upgrade_orchestrator.domain.plan.drained import ended_at, naming_drained, out_of_service, possibly_drained
from upgrade_orchestrator.service.ports.fleet import FleetDriver
from upgrade_orchestrator.service.ports.unit_of_work import Ports
from upgrade_orchestrator.service.runner.context import Context
from upgrade_orchestrator.service.runner.fencing import close_fence
from upgrade_orchestrator.service.runner.fleet_client import FleetClient
from upgrade_orchestrator.service.runner.lease import LeaseKeeper, no_clocks
from upgrade_orchestrator.service.runner.loop import LEASE_WAIT_SECONDS, Backoff, repeat
from upgrade_orchestrator.service.runner.outcome import Ending, Outcome

MIN_UNDRAIN_SECONDS = 2.0
"Minimum undrain retry time, however late the runner starts."


async def undrain_left(ports: Ports, context: Context, seconds: float | None) -> Outcome:
    """Order each drained instance to undrain; the terminal status is the intent, the order carries the fencing token.

    DONE when all are back in service, or after ``healthCheckTimeoutSeconds``: the status reason then names the others.
    UNFINISHED after about ``seconds`` (None: no limit), or while something is in flight.

    :raises FleetError: the fleet does not respond: try again.
    :raises StaleToken: the fleet has seen a newer holder of the lease.
    """
    execution_id = context.execution.id
    async with ports.work() as work:
        execution = await work.executions.get(execution_id)
        rows = await work.executions.instances(execution_id)
        left = possibly_drained(execution, rows, await work.executions.rollback_instances(execution_id))
    if not execution.is_terminal or any(each.in_flight for each in rows):
        return Outcome(Ending.UNFINISHED)
    if execution.settled_at is not None or not may_have_drained(execution, rows, left):
        return Outcome(Ending.DONE)
    keeper = LeaseKeeper(ports, execution)
    async with ports.signals.of(execution_id) as waiter, ports.fleets.of(context.deployment) as driver:
        try:
            return await repeat(UndrainLoop(ports, execution, rows, left, keeper, driver).tick, keeper, waiter, seconds)
        finally:
            await keeper.give_back(no_clocks)


def may_have_drained(execution: Execution, rows: Sequence[Instance], left: Sequence[Instance]) -> bool:
    """Whether an instance may be drained. True also for BLUE_GREEN, whose late orders on pools must be fenced off."""
    begun = any(each.status is not InstanceStatus.PENDING for each in rows)
    return (begun and execution.request.strategy is Strategy.BLUE_GREEN) or bool(left)


class UndrainLoop:
    """Observes the fleet and orders each drained instance to undrain, once a round."""

    def __init__(
        self,
        ports: Ports,
        execution: Execution,
        rows: Sequence[Instance],
        left: Sequence[Instance],
        keeper: LeaseKeeper,
        driver: FleetDriver,
    ) -> None:
        self._ports, self._execution, self._rows, self._keeper, self._driver = ports, execution, rows, keeper, driver
        self._fleet = FleetClient(driver, execution.id)
        self._jobs = {each.instance_id: each for each in left}
        self._backoff = Backoff()
        self._asked_at: float | None = None

    async def tick(self) -> Outcome | float:
        """One round; the outcome, or the seconds until the next round."""
        await self._keeper.renew_if_due(no_clocks)
        if not self._keeper.held:
            return 0.0 if await self._keeper.take() else LEASE_WAIT_SECONDS
        if self._keeper.unfenced:
            await close_fence(self._driver, self._execution.id, self._keeper, self._jobs)
        left = out_of_service(list(self._jobs.values()), await self._driver.fleet())
        if not left or (await self._is_late() and await self._name(left)):
            return Outcome(Ending.DONE)
        token = self._keeper.lease.token
        await gather(*(self._fleet.give(self._jobs[name], Order.UNDRAIN, token) for name in left))
        self._asked_at = self._asked_at or get_running_loop().time()
        return self._backoff.gap()

    async def _is_late(self) -> bool:
        if self._asked_at is None or get_running_loop().time() - self._asked_at < MIN_UNDRAIN_SECONDS:
            return False
        async with self._ports.work() as work:
            now = await work.now()
        at_most = timedelta(seconds=self._execution.request.health_check_timeout_seconds)
        return now - ended_at(self._execution, self._rows, now) > at_most

    async def _name(self, left: dict[str, str]) -> bool:
        async with self._ports.work() as work:
            execution = await work.executions.lock(self._execution.id)
            await work.leases.require(self._keeper.lease)
            if (named := naming_drained(execution, left)) != execution:
                await work.executions.save(named)
                await work.commit()
        return True
