"""Looks at the fleet that fail once, and how often they are repeated."""

from asyncio import get_running_loop
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import cast

import pytest

from tests.labs.lab import OLGA, Lab
from tests.labs.memory.lab import MakeLab
from upgrade_orchestrator.domain.checks.checks import CheckName, CheckStatus
from upgrade_orchestrator.domain.errors import UpgradeBlocked
from upgrade_orchestrator.domain.execution.states import ExecutionStatus
from upgrade_orchestrator.domain.instance.fleet import Fleet, Health
from upgrade_orchestrator.domain.registry.entries import Deployment
from upgrade_orchestrator.service.checks.looks import look_again, seconds_for_looks
from upgrade_orchestrator.service.checks.run import run_check
from upgrade_orchestrator.service.ports.fleet import (
    Busy,
    FleetDriver,
    FleetError,
    Fleets,
    RefusedToken,
    UnknownFleet,
    Unreachable,
)
from upgrade_orchestrator.service.ports.unit_of_work import Ports
from upgrade_orchestrator.service.upgrade.commands import pause_upgrade, resume_upgrade

C = CheckName


@dataclass
class Faulty:
    """Port ``Fleets``: the lab's own, whose first looks fail; counts the looks."""

    fleets: Fleets
    errors: list[FleetError]
    silent: Sequence[str] = ()
    calls: Counter[str] = field(default_factory=Counter)

    @asynccontextmanager
    async def of(self, deployment: Deployment) -> AsyncIterator[FleetDriver]:
        async with self.fleets.of(deployment) as driver:
            yield cast(FleetDriver, _Driver(self, driver))


class _Driver:
    def __init__(self, faulty: Faulty, driver: FleetDriver) -> None:
        self._faulty, self._driver = faulty, driver

    async def fleet(self) -> Fleet:
        self._look("fleet", True)
        return await self._driver.fleet()

    async def health(self, instance_id: str) -> Health:
        self._look(instance_id, instance_id in self._faulty.silent)
        return await self._driver.health(instance_id)

    def _look(self, name: str, fails: bool) -> None:
        self._faulty.calls[name] += 1
        if fails and self._faulty.errors:
            raise self._faulty.errors.pop(0)


def faulty(lab: Lab, *errors: FleetError, silent: Sequence[str] = (), timeout: float = 60) -> tuple[Ports, Faulty]:
    fleets = Faulty(lab.world.ports.fleets, list(errors), silent)
    options = replace(lab.world.ports.options, check_timeout_seconds=timeout)
    return replace(lab.world.ports, fleets=fleets, options=options), fleets


# fault 20
@pytest.mark.parametrize("error", [Busy("503"), Unreachable("reset"), UnknownFleet("404"), RefusedToken("401")])
async def test_check_passes_when_a_later_look_succeeds(make_lab: MakeLab, error: FleetError) -> None:
    lab = await make_lab(size=2)
    execution = await lab.validating()
    ports, fleets = faulty(lab, error, error)
    result = await run_check(ports, execution.id, C.RESOURCE_AVAILABILITY)
    assert (result.status, fleets.calls["fleet"]) == (CheckStatus.PASSED, 3)


async def test_only_silent_endpoints_are_asked_again(make_lab: MakeLab) -> None:
    lab = await make_lab(size=3)
    execution = await lab.validating()
    ports, fleets = faulty(lab, Busy("503"), Busy("503"), silent=[lab.name(2)])
    result = await run_check(ports, execution.id, C.HEALTH_ENDPOINTS)
    assert result.status is CheckStatus.PASSED
    assert fleets.calls == {lab.name(1): 1, lab.name(2): 3, lab.name(3): 1}


async def test_check_fails_at_its_limit_and_says_how_often_it_looked(make_lab: MakeLab) -> None:
    lab = await make_lab(size=2)
    execution = await lab.validating()
    ports, fleets = faulty(lab, *(Busy("the agent answered 503") for _ in range(1000)))
    begun = get_running_loop().time()
    result = await run_check(ports, execution.id, C.RESOURCE_AVAILABILITY)
    assert result.status is CheckStatus.FAILED
    assert 50 < get_running_loop().time() - begun < 60
    assert 5 < fleets.calls["fleet"] < 20
    assert f"the agent answered 503 (looked {fleets.calls['fleet']} times)" in result.message


async def test_silent_endpoints_fail_the_check_at_its_limit_by_name(make_lab: MakeLab) -> None:
    lab = await make_lab(size=2)
    execution = await lab.validating()
    ports, fleets = faulty(lab, *(Busy("503") for _ in range(1000)), silent=[lab.name(2)])
    result = await run_check(ports, execution.id, C.HEALTH_ENDPOINTS)
    often = fleets.calls[lab.name(2)]
    assert 5 < often < 20
    assert result.message.startswith(f"1 of 2 health endpoints do not answer ({lab.name(2)}: 503, asked {often} times)")


@pytest.mark.parametrize("kind", [UnknownFleet, RefusedToken])
async def test_refusal_that_lasts_fails_the_check_after_three_looks(make_lab: MakeLab, kind: type[FleetError]) -> None:
    lab = await make_lab(size=1)
    execution = await lab.validating()
    ports, fleets = faulty(lab, *(kind("refused") for _ in range(1000)))
    begun = get_running_loop().time()
    assert (await run_check(ports, execution.id, C.RESOURCE_AVAILABILITY)).status is CheckStatus.FAILED
    assert (fleets.calls["fleet"], get_running_loop().time() - begun < 3) == (3, True)


async def test_resume_looks_again_and_is_blocked_only_after_that(make_lab: MakeLab) -> None:
    lab = await make_lab(size=2)
    execution_id = await lab.admitted()
    await pause_upgrade(lab.world.ports, execution_id, None, OLGA)
    ports, fleets = faulty(lab, *(Busy("503") for _ in range(1000)))
    begun = get_running_loop().time()
    with pytest.raises(UpgradeBlocked, match=r"the fleet does not answer: 503 \(looked \d+ times\)"):
        await resume_upgrade(ports, execution_id, None, OLGA)
    assert get_running_loop().time() - begun <= 15  # its caller waits
    assert 3 < fleets.calls["fleet"] < 10
    ports, fleets = faulty(lab, Busy("503"))
    assert (await resume_upgrade(ports, execution_id, None, OLGA)).status is ExecutionStatus.IN_PROGRESS


@pytest.mark.parametrize(
    ("timeout", "waits", "seconds"), [(60, False, 59), (2, False, 1.8), (60, True, 15), (5, True, 4.5)]
)
def test_looks_end_before_the_time_out(timeout: float, waits: bool, seconds: float) -> None:
    assert seconds_for_looks(timeout, caller_waits=waits) == seconds


async def test_other_errors_are_not_looked_at_again() -> None:
    looks: list[None] = []

    async def look() -> None:
        looks.append(None)
        raise ValueError("a mistake of ours")

    with pytest.raises(ValueError, match="of ours"):
        await look_again(look, 10)
    assert len(looks) == 1
