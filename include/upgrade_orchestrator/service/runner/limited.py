"""Calls to a fleet that end with the time that it has after the execution's end (specification section 4)."""

from __future__ import annotations

import asyncio
from asyncio import get_running_loop
from collections.abc import Callable, Coroutine
from datetime import datetime
from typing import Any, ParamSpec, TypeVar

from upgrade_orchestrator.domain.execution.execution import Execution
from upgrade_orchestrator.domain.plan.drained import seconds_left
from upgrade_orchestrator.service.ports.fleet import FleetDriver, Unreachable

MIN_CALL_SECONDS = 2.0
"What a call gets also when that time is over: most fleets answer much sooner."

P = ParamSpec("P")
T = TypeVar("T")
Call = Callable[P, Coroutine[Any, Any, T]]


class LimitedDriver:
    """Port ``FleetDriver``: without it, calls that hang would outlast by their own length what they are made for."""

    def __init__(self, driver: FleetDriver) -> None:
        self._until: float | None = None
        self.fleet, self.health = self._limited(driver.fleet), self._limited(driver.health)
        self.drain, self.undrain = self._limited(driver.drain, True), self._limited(driver.undrain, True)
        self.set_version = self._limited(driver.set_version, True)
        self.make_pool, self.remove_pool = (
            self._limited(driver.make_pool, True),
            self._limited(driver.remove_pool, True),
        )
        self.switch_traffic = self._limited(driver.switch_traffic, True)

    def limit(self, execution: Execution, now: datetime) -> None:
        """From now on calls end in time for this execution; one that has not ended has no limit."""
        left = seconds_left(execution, now)
        self._until = None if left is None else get_running_loop().time() + left

    def _limited(self, call: Call[P, T], is_order: bool = False) -> Call[P, T]:
        async def limited(*given: P.args, **named: P.kwargs) -> T:
            if self._until is None:
                return await call(*given, **named)
            try:
                async with asyncio.timeout_at(max(self._until, get_running_loop().time() + MIN_CALL_SECONDS)):
                    return await call(*given, **named)
            except TimeoutError:
                why = "the agent did not answer before the time for the end was over"
                raise Unreachable(why, in_doubt=is_order) from None

        return limited
