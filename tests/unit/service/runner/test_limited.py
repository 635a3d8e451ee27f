"""A call that hangs does not outlast the time that the fleet has after an execution's end."""

import asyncio
from dataclasses import replace
from typing import Any, cast

import pytest

from tests.unit.domain.builders import NOW, after, make_execution
from upgrade_orchestrator.domain.execution.execution import Execution
from upgrade_orchestrator.domain.execution.states import ExecutionStatus
from upgrade_orchestrator.domain.instance.fleet import Health
from upgrade_orchestrator.service.ports.fleet import FleetDriver, Unreachable
from upgrade_orchestrator.service.runner.limited import MIN_CALL_SECONDS, LimitedDriver

RUNNING = make_execution(ExecutionStatus.IN_PROGRESS)
TIMEOUT = RUNNING.request.health_check_timeout_seconds
WELL = Health(healthy=True, version="3.7.0", detail="")
HANGS = TIMEOUT * 10.0


class SlowDriver:
    """Port ``FleetDriver`` whose every call takes ``seconds``."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds

    def __getattr__(self, name: str) -> Any:
        async def call(*_: object) -> Health:
            await asyncio.sleep(self.seconds)
            return WELL

        return call


def limited(seconds: float, execution: Execution, now: Any) -> LimitedDriver:
    driver = LimitedDriver(cast(FleetDriver, SlowDriver(seconds)))
    driver.limit(execution, now)
    return driver


def ended() -> Execution:
    return replace(make_execution(ExecutionStatus.CANCELLED), completed_at=NOW)


@pytest.mark.parametrize(("passed", "expected"), [(0, TIMEOUT), (3, TIMEOUT - 3), (TIMEOUT + 60, MIN_CALL_SECONDS)])
async def test_call_that_hangs_ends_with_the_time_since_the_end(passed: int, expected: float) -> None:
    driver, began = limited(HANGS, ended(), after(passed)), asyncio.get_running_loop().time()
    with pytest.raises(Unreachable):
        await driver.fleet()
    assert asyncio.get_running_loop().time() - began == pytest.approx(expected, abs=0.01)


async def test_call_during_the_upgrade_has_no_limit() -> None:
    assert await limited(HANGS, RUNNING, NOW).health("i-01") == WELL


async def test_call_that_is_answered_in_time_is_not_cut_off() -> None:
    assert await limited(TIMEOUT - 1, ended(), NOW).health("i-01") == WELL


async def test_order_that_was_cut_off_is_in_doubt_and_a_look_is_not() -> None:
    driver = limited(HANGS, ended(), NOW)
    calls = (driver.undrain("i-01", 1, "key"), driver.switch_traffic("blue", 1, "key"), driver.fleet())
    found = await asyncio.gather(*calls, return_exceptions=True)
    assert [isinstance(each, Unreachable) and each.in_doubt for each in found] == [True, True, False]
