"""The pools of an upgrade with their times, and the client that sends orders on pools."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from upgrade_orchestrator.domain.blue_green.actions import (
    PoolCall,
    SendPoolOrder,
)
from upgrade_orchestrator.domain.execution.execution import Execution
from upgrade_orchestrator.domain.plan.plan import Plan
from upgrade_orchestrator.domain.plan.pools import Pools
from upgrade_orchestrator.service.ports.fleet import FleetDriver, FleetError, StaleToken
from upgrade_orchestrator.service.runner.fencing import close_fence
from upgrade_orchestrator.service.runner.fleet_client import FleetClient
from upgrade_orchestrator.service.runner.journal.journal import Journal
from upgrade_orchestrator.service.runner.lease import LeaseKeeper
from upgrade_orchestrator.service.runner.limited import LimitedDriver


@dataclass(frozen=True, slots=True)
class PoolRules:
    """The pools and times by the frozen plan; ``poll_seconds`` is the longest gap between health polls."""

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
    """A client of the fleet that also sends orders on pools."""

    def __init__(self, driver: FleetDriver, execution_id: str, name: str, journal: Journal) -> None:
        limited = LimitedDriver(driver)
        super().__init__(limited, execution_id, journal=journal)
        self._pools, self._prefix = limited, f"{execution_id}.{name}"

    def limit(self, execution: Execution, now: datetime) -> None:
        """After the execution's end, calls last no longer than the time that the fleet has then."""
        self._pools.limit(execution, now)

    async def close_fence(self, lease: LeaseKeeper) -> bool:
        """False when the fleet cannot be observed in this round.

        :raises StaleToken: the fleet obeys a newer holder of the lease.
        """
        return await close_fence(self._pools, self._execution_id, lease, (), self.missed)

    async def send(self, order: SendPoolOrder, token: int) -> bool:
        """Send the order; True when the fleet accepted it.

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
            self._problem = error
            return False
        return True
