"""Tells each order to a fleet, its answer and how long that took, in the log of the task."""

from __future__ import annotations

import logging
from asyncio import get_running_loop
from collections.abc import Awaitable

from upgrade_orchestrator.domain.instance.fleet import Fleet
from upgrade_orchestrator.service.ports.fleet import FleetDriver, FleetError
from upgrade_orchestrator.service.runner.journal.sentences import ACCEPTED, NO_ANSWER, pairs, refusal
from upgrade_orchestrator.service.runner.journal.task_log import TaskLog


class LoggedDriver:
    """Port ``FleetDriver``: looks are passed on as they are, because most of them change nothing."""

    def __init__(self, driver: FleetDriver) -> None:
        self._driver, self._log = driver, TaskLog()
        self.health = driver.health

    async def fleet(self) -> Fleet:
        """Passed on unchanged."""
        return await self._driver.fleet()

    async def drain(self, instance_id: str, token: int, key: str) -> str | None:
        """Take the instance out of service."""
        what = pairs("order drain", instance=instance_id, token=token, key=key)
        return await self._logged(what, self._driver.drain(instance_id, token, key))

    async def undrain(self, instance_id: str, token: int, key: str) -> str | None:
        """Put the instance back into service."""
        what = pairs("order undrain", instance=instance_id, token=token, key=key)
        return await self._logged(what, self._driver.undrain(instance_id, token, key))

    async def set_version(self, instance_id: str, version: str, token: int, key: str) -> str | None:
        """Upgrade the instance to ``version``."""
        what = pairs("order version", instance=instance_id, version=version, token=token, key=key)
        return await self._logged(what, self._driver.set_version(instance_id, version, token, key))

    async def make_pool(self, pool: str, version: str, size: int, token: int, key: str) -> str | None:
        """Make a pool."""
        what = pairs("order make-pool", pool=pool, version=version, size=size, token=token, key=key)
        return await self._logged(what, self._driver.make_pool(pool, version, size, token, key))

    async def remove_pool(self, pool: str, token: int, key: str) -> str | None:
        """Remove the pool."""
        what = pairs("order remove-pool", pool=pool, token=token, key=key)
        return await self._logged(what, self._driver.remove_pool(pool, token, key))

    async def switch_traffic(self, pool: str, token: int, key: str) -> str | None:
        """Send the traffic to the pool."""
        what = pairs("order traffic", pool=pool, token=token, key=key)
        return await self._logged(what, self._driver.switch_traffic(pool, token, key))

    async def _logged(self, what: str, order: Awaitable[str | None]) -> str | None:
        began, level, answer, why = get_running_loop().time(), logging.WARNING, NO_ANSWER, ""
        try:
            said = await order
            level, answer = logging.INFO, said or ACCEPTED
            return said
        except FleetError as error:
            answer, why = refusal(error)
            raise
        finally:  # also when the caller's time is over, which cancels the call
            took = round((get_running_loop().time() - began) * 1000)
            self._log.once(what, answer, f"{what} -> {answer} in {took} ms{why}", level)
