"""Before a promotion and a resume the cheap checks run again; before an approval too, see test_staged_waits.py."""

from collections.abc import Awaitable, Callable
from datetime import date

import pytest

from tests.labs.lab import OLGA, Lab
from tests.labs.memory.lab import MakeLab, MemoryLab
from tests.labs.seed import NEW
from upgrade_orchestrator.domain.errors import UpgradeBlocked
from upgrade_orchestrator.domain.execution.execution import Strategy
from upgrade_orchestrator.domain.execution.states import ExecutionStatus
from upgrade_orchestrator.domain.registry.entries import VersionStatus
from upgrade_orchestrator.service.upgrade.commands import pause_upgrade, promote_canary, resume_upgrade

S = ExecutionStatus
Change = Callable[[MemoryLab], Awaitable[None]]


async def _deprecated(lab: MemoryLab) -> None:
    await lab.change_version(NEW, status=VersionStatus.DEPRECATED)


async def _at_its_end(lab: MemoryLab) -> None:
    await lab.change_version(NEW, end_of_life_date=date(2020, 1, 31))


async def _in_need(lab: MemoryLab) -> None:
    await lab.change_version(NEW, dependencies={"postgresql": ">=99"})


async def _without_path(lab: MemoryLab) -> None:
    lab.forget_paths()


async def _closed(lab: MemoryLab) -> None:
    lab.change_paths(blockers=("closed for now",))


async def _for_another_platform(lab: MemoryLab) -> None:
    await lab.change_version(NEW, min_platform_version="99")


CHANGES = [
    pytest.param(_in_need, "postgresql", id="dependency"),
    pytest.param(_without_path, "path", id="no path"),
    pytest.param(_closed, "closed for now", id="path closed"),
]


STILL_FINISHED = [
    pytest.param(_deprecated, "version 3.7.0 is DEPRECATED", id="deprecated"),
    pytest.param(_at_its_end, "version 3.7.0 is past its end of life", id="end of life"),
    pytest.param(_for_another_platform, "version 3.7.0 requires platform", id="platform"),
]


async def _paused(make_lab: MakeLab) -> tuple[MemoryLab, str]:
    lab = await make_lab(size=2)
    execution_id = await lab.admitted()
    await pause_upgrade(lab.world.ports, execution_id, None, OLGA)
    return lab, execution_id


async def _monitored(make_lab: MakeLab) -> tuple[MemoryLab, str]:
    lab = await make_lab(size=2)
    execution_id = await lab.admitted(strategy=Strategy.CANARY)
    await lab.run(execution_id, 1)
    assert (await lab.execution(execution_id)).status is S.CANARY_MONITORING
    return lab, execution_id


async def _kept(lab: Lab, execution_id: str) -> tuple[object, ...]:
    return await lab.execution(execution_id), len(await lab.events(execution_id)), lab.world.rows("command")


@pytest.mark.parametrize(("change", "said"), CHANGES)
async def test_resume_is_blocked_when_the_registry_has_got_a_blocker(
    make_lab: MakeLab, change: Change, said: str
) -> None:
    lab, execution_id = await _paused(make_lab)
    await change(lab)
    before = await _kept(lab, execution_id)
    with pytest.raises(UpgradeBlocked, match=said):
        await resume_upgrade(lab.world.ports, execution_id, None, OLGA)
    assert await _kept(lab, execution_id) == before


# fault 48
@pytest.mark.parametrize(("change", "said"), STILL_FINISHED)
async def test_resume_warns_when_the_target_is_no_longer_one_to_begin_with(
    make_lab: MakeLab, change: Change, said: str
) -> None:
    lab, execution_id = await _paused(make_lab)
    warned = (await lab.execution(execution_id)).warnings
    await change(lab)
    resumed = await resume_upgrade(lab.world.ports, execution_id, None, OLGA)
    assert (resumed.status, resumed.warnings[: len(warned)]) == (S.IN_PROGRESS, warned)
    assert [each.startswith(said) for each in resumed.warnings[len(warned) :]] == [True]
    await pause_upgrade(lab.world.ports, execution_id, None, OLGA)
    again = await resume_upgrade(lab.world.ports, execution_id, None, OLGA)
    assert (again.warnings, (await lab.execution(execution_id)).warnings) == (resumed.warnings, resumed.warnings)


async def test_resume_adds_no_warning_when_nothing_has_changed(make_lab: MakeLab) -> None:
    lab, execution_id = await _paused(make_lab)
    warned = (await lab.execution(execution_id)).warnings
    assert (await resume_upgrade(lab.world.ports, execution_id, None, OLGA)).warnings == warned


# fault 48
@pytest.mark.parametrize(("change", "said"), STILL_FINISHED)
async def test_promotion_warns_when_the_target_is_no_longer_one_to_begin_with(
    make_lab: MakeLab, change: Change, said: str
) -> None:
    lab, execution_id = await _monitored(make_lab)
    await change(lab)
    promoted = await promote_canary(lab.world.ports, execution_id, False, None, OLGA)
    assert (promoted.status, promoted.warnings[-1].startswith(said)) == (S.IN_PROGRESS, True)


async def test_resume_is_blocked_while_the_fleet_does_not_respond_and_succeeds_after_that(make_lab: MakeLab) -> None:
    lab, execution_id = await _paused(make_lab)
    lab.fault("agent-503")
    before = await _kept(lab, execution_id)
    with pytest.raises(UpgradeBlocked, match="the fleet does not answer"):
        await resume_upgrade(lab.world.ports, execution_id, None, OLGA)
    assert await _kept(lab, execution_id) == before
    lab.heal()
    assert (await resume_upgrade(lab.world.ports, execution_id, None, OLGA)).status is S.IN_PROGRESS


@pytest.mark.parametrize(("change", "said"), CHANGES)
async def test_promotion_is_blocked_when_the_registry_has_got_a_blocker_unless_forced(
    make_lab: MakeLab, change: Change, said: str
) -> None:
    lab, execution_id = await _monitored(make_lab)
    await change(lab)
    before = await _kept(lab, execution_id)
    with pytest.raises(UpgradeBlocked, match=said):
        await promote_canary(lab.world.ports, execution_id, False, None, OLGA)
    assert await _kept(lab, execution_id) == before
    assert (await promote_canary(lab.world.ports, execution_id, True, None, OLGA)).status is S.IN_PROGRESS
