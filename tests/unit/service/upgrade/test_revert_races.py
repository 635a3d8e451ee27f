"""A revert beside other calls, and in a process that dies: all of it is stored, or nothing."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest

from tests.labs.crash_after import Crashed, CrashPoint, crashing
from tests.labs.lab import OLGA, Lab
from tests.labs.memory.lab import MakeLab
from tests.labs.seed import NEW_VERSION, OLD_VERSION
from tests.labs.steps.pools import admitted_next
from upgrade_orchestrator.domain.errors import ActiveUpgradeExists, InvalidState
from upgrade_orchestrator.domain.execution.execution import Strategy
from upgrade_orchestrator.domain.execution.states import ExecutionStatus
from upgrade_orchestrator.domain.registry.entries import Deployment
from upgrade_orchestrator.service.upgrade.revert import RevertOrder, revert_upgrade
from upgrade_orchestrator.service.upgrade.start import start_upgrade

S = ExecutionStatus
AT_ONCE = RevertOrder("bad", start=True)


class BusyFleets:
    """Port ``Fleets``: before it is reached for the first time, something else happens."""

    def __init__(self, fleets: Any, first: Callable[[], Awaitable[None]]) -> None:
        self._fleets, self._first = fleets, first
        self._reached = False

    @asynccontextmanager
    async def of(self, deployment: Deployment) -> AsyncIterator[Any]:
        if not self._reached:
            self._reached = True
            await self._first()
        async with self._fleets.of(deployment) as driver:
            yield driver


async def _completed(lab: Lab) -> str:
    execution = await lab.upgrade(await lab.admitted())
    assert execution.status is S.COMPLETED, execution.status_reason
    return execution.id


async def test_upgrade_that_ran_while_a_revert_asked_the_fleet_is_the_newest(make_lab: MakeLab) -> None:
    lab = await make_lab(size=2)
    first, second = await _completed(lab), list[str]()

    async def another() -> None:
        second.append(await admitted_next(lab, Strategy.RECREATE))
        assert (await lab.upgrade(second[0])).status is S.COMPLETED

    busy = lab.with_ports(fleets=BusyFleets(lab.world.ports.fleets, another))
    before = lab.world.rows("execution")
    with pytest.raises(InvalidState) as refusal:
        await revert_upgrade(busy.world.ports, first, AT_ONCE, OLGA)
    assert refusal.value.extra["newestExecutionId"] == second[0]
    assert lab.world.rows("execution") == before + 1
    assert "revert" not in {each.command for each in lab.commands()}


async def test_one_of_two_concurrent_reverts_succeeds(make_lab: MakeLab) -> None:
    lab = await make_lab(size=2)
    done = await _completed(lab)
    calls = (revert_upgrade(lab.world.ports, done, AT_ONCE, OLGA) for _ in range(2))
    results = await asyncio.gather(*calls, return_exceptions=True)
    assert sorted(type(each).__name__ for each in results) == ["ActiveUpgradeExists", "Execution"]
    refusal = next(each for each in results if isinstance(each, ActiveUpgradeExists))
    made = next(each for each in results if not isinstance(each, BaseException))
    assert refusal.extra["activeExecutionId"] == made.id


@pytest.mark.parametrize("start", [False, True])
async def test_revert_is_finished_by_others_whenever_its_processes_crash(make_lab: MakeLab, start: bool) -> None:
    """The call crashes after its commit, each runner after some commits or orders, at another one each time."""
    lab = await make_lab(size=2)
    done, crashes = await _completed(lab), 0
    with pytest.raises(Crashed):
        await revert_upgrade(crashing(lab, CrashPoint(1)).world.ports, done, RevertOrder("bad", start=start), OLGA)
    (active,) = await _active(lab)
    assert active.status is (S.VALIDATING if start else S.PENDING)
    if not start:
        await start_upgrade(lab.world.ports, active.id, OLGA)
    await lab.check(active.id)
    while (await lab.execution(active.id)).status is not S.COMPLETED:
        crashes += 1
        assert crashes < 100
        try:
            await crashing(lab, CrashPoint(1 + crashes % 12)).upgrade(active.id)
        except Crashed:
            lab.end_lease()
    assert crashes > 1
    assert (lab.versions(), lab.statuses()) == ({OLD_VERSION: 2}, {"RUNNING": 2})


async def test_revert_that_crashes_before_its_commit_leaves_nothing(make_lab: MakeLab) -> None:
    lab = await make_lab(size=2)
    done = await _completed(lab)
    point = CrashPoint(0)
    with pytest.raises(Crashed):
        await revert_upgrade(crashing(lab, point).world.ports, done, AT_ONCE, OLGA)
    assert (await _active(lab), lab.versions()) == ([], {NEW_VERSION: 2})
    assert (await revert_upgrade(lab.world.ports, done, AT_ONCE, OLGA)).status is S.VALIDATING


async def _active(lab: Lab) -> list[Any]:
    async with lab.world.ports.work() as work:
        found = await work.executions.active("550e8400", "aaa-111")
    return [found] if found else []
