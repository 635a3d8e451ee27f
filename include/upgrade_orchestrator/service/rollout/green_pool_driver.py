"""The driver with which the batch runner makes a new pool: instances have the ids of those that they replace."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

from upgrade_orchestrator.domain.execution.execution import Execution
from upgrade_orchestrator.domain.instance.fleet import Fleet, FleetInstance, Health, named_version
from upgrade_orchestrator.domain.instance.instance import Instance
from upgrade_orchestrator.domain.plan.plan import Plan
from upgrade_orchestrator.domain.plan.pools import Pools, counterparts, under_planned_ids
from upgrade_orchestrator.service.ports.fleet import Conflict, FleetDriver, FleetError

Rows = Callable[[], Sequence[Instance]]
"""The rows of the plan's instances, as they were last read or written."""


class GreenPoolDriver:
    """Port ``FleetDriver``: instances that do not exist yet are shown as DRAINED; setting a version makes the pool."""

    def __init__(self, driver: FleetDriver, plan: Plan, execution: Execution, rows: Rows) -> None:
        self._driver, self._planned, self._rows = driver, plan.instances, rows
        self._pools, self._version = Pools.for_serving(plan.pool), execution.to_version
        self._key = f"{execution.id}.green"
        self._withdrawn: set[str] = set()
        self._seen: Fleet | None = None
        self._asked: Fleet | None = None
        self._refused: FleetError | None = None
        self._one_at_a_time = asyncio.Lock()

    async def fleet(self) -> Fleet:
        """The new pool under the planned ids."""
        self._seen = await self._driver.fleet()
        return under_planned_ids(self._seen, self._pools, self._rows(), self._version, self._withdrawn)

    async def health(self, instance_id: str) -> Health:
        """The health of the instance that replaces this one."""
        return await self._driver.health((await self._require(instance_id)).instance_id)

    async def drain(self, instance_id: str, token: int, key: str) -> str | None:
        """Drain the instance of the new pool, for its second try."""
        return await self._driver.drain((await self._require(instance_id)).instance_id, token, key)

    async def undrain(self, instance_id: str, token: int, key: str) -> str | None:
        """Undrain the instance of the new pool if it is drained; otherwise it is only shown as the old one again."""
        found = await self._find(instance_id)
        if found is not None and found.status in ("DRAINING", "DRAINED"):
            return await self._driver.undrain(found.instance_id, token, key)
        self._withdrawn.add(instance_id)
        return None

    async def set_version(self, instance_id: str, version: str, token: int, key: str) -> str | None:
        """Make the pool if the instance does not exist, else set its version."""
        found = await self._find(instance_id)
        if found is None:
            await self._make_pool_once(token)
            return None
        return await self._driver.set_version(found.instance_id, version, token, key)

    async def make_pool(self, pool: str, version: str, size: int, token: int, key: str) -> str | None:
        """Passed on unchanged."""
        return await self._driver.make_pool(pool, version, size, token, key)

    async def remove_pool(self, pool: str, token: int, key: str) -> str | None:
        """Passed on unchanged."""
        return await self._driver.remove_pool(pool, token, key)

    async def switch_traffic(self, pool: str, token: int, key: str) -> str | None:
        """Passed on unchanged."""
        return await self._driver.switch_traffic(pool, token, key)

    async def _look(self) -> Fleet:
        """The fleet as last observed."""
        if self._seen is None:
            await self.fleet()
        assert self._seen is not None
        return self._seen

    async def _find(self, instance_id: str) -> FleetInstance | None:
        found = counterparts(await self._look(), self._pools, self._rows(), self._version)
        return found.get(instance_id)

    async def _require(self, instance_id: str) -> FleetInstance:
        found = await self._find(instance_id)
        if found is None:
            raise FleetError(f"pool {self._pools.new} has no instance for {instance_id}")
        return found

    async def _make_pool_once(self, token: int) -> None:
        """Make the pool once per observation: all instances need it at the same time, and share the result."""
        fleet = await self._look()
        async with self._one_at_a_time:
            if self._asked is not fleet:
                self._asked, self._refused = fleet, await self._make(fleet, token)
        if self._refused is not None:
            raise self._refused

    async def _make(self, fleet: Fleet, token: int) -> FleetError | None:
        new, size = self._pools.new, self._pools.size(fleet, len(self._planned))
        try:
            if self._pools.is_left_over(fleet, self._version):
                await self._clear(fleet, token)
            await self._driver.make_pool(new, self._version, size, token, f"{self._key}.make.{new}.{size}")
        except Conflict as error:
            return await self._remove_conflicting_pool(fleet, token) or error
        except FleetError as error:
            return error
        return None

    async def _remove_conflicting_pool(self, fleet: Fleet, token: int) -> FleetError | None:
        """Remove a pool of the same name but another size, so that the next round can make the pool."""
        if not fleet.in_pool(self._pools.new) or fleet.traffic == self._pools.new:
            return None
        try:
            await self._clear(fleet, token)
        except FleetError as error:
            return error
        return None

    async def _clear(self, fleet: Fleet, token: int) -> None:
        """Remove the conflicting pool. The key describes it, so that removing another one later is another intent."""
        found = fleet.in_pool(self._pools.new)
        what = "-".join([str(len(found)), *sorted({named_version(each.version) for each in found})])
        await self._driver.remove_pool(self._pools.new, token, f"{self._key}.clear.{self._pools.new}.{what}")
