"""Before a promotion and a resume the cheap checks run again; before an approval too, see test_staged_waits.py."""

import pytest

from include.upgrades.domain.errors import UpgradeBlocked
from include.upgrades.domain.execution import Strategy
from include.upgrades.domain.states import ExecutionStatus
from include.upgrades.service.command import pause_upgrade, promote_canary, resume_upgrade
from tests.integration.runner.conftest import MakeLab
from tests.integration.runner.lab import OLGA, Lab

S = ExecutionStatus
CHANGES = [
    ("UPDATE component_version SET status = 'DEPRECATED' WHERE id = 'ccc-333'", "DEPRECATED"),
    ("UPDATE component_version SET end_of_life_date = '2020-01-31' WHERE id = 'ccc-333'", "end of life"),
    ("""UPDATE component_version SET dependencies = '{"postgresql": ">=99"}' WHERE id = 'ccc-333'""", "postgresql"),
    ("DELETE FROM upgrade_path", "path"),
    ("""UPDATE upgrade_path SET blockers = '["closed for now"]'""", "closed for now"),
]


async def _paused(make_lab: MakeLab) -> tuple[Lab, str]:
    lab = await make_lab(size=2)
    execution_id = await lab.admitted()
    await pause_upgrade(lab.world.ports, execution_id, None, OLGA)
    return lab, execution_id


async def _monitored(make_lab: MakeLab) -> tuple[Lab, str]:
    lab = await make_lab(size=2)
    execution_id = await lab.admitted(strategy=Strategy.CANARY)
    await lab.run(execution_id, 1)
    assert (await lab.execution(execution_id)).status is S.CANARY_MONITORING
    return lab, execution_id


async def _kept(lab: Lab, execution_id: str) -> tuple[object, ...]:
    return await lab.execution(execution_id), len(await lab.events(execution_id)), lab.world.rows("command")


def _change(lab: Lab, statement: str) -> None:
    with lab.world.connect() as connection:
        connection.execute(statement)


@pytest.mark.parametrize(("statement", "said"), CHANGES)
async def test_resume_is_blocked_when_the_registry_speaks_against_it_by_now(
    make_lab: MakeLab, statement: str, said: str
) -> None:
    lab, execution_id = await _paused(make_lab)
    _change(lab, statement)
    before = await _kept(lab, execution_id)
    with pytest.raises(UpgradeBlocked, match=said):
        await resume_upgrade(lab.world.ports, execution_id, None, OLGA)
    assert await _kept(lab, execution_id) == before


async def test_resume_is_blocked_while_the_fleet_does_not_answer_and_goes_on_after_that(make_lab: MakeLab) -> None:
    lab, execution_id = await _paused(make_lab)
    lab.fault("agent-503")
    before = await _kept(lab, execution_id)
    with pytest.raises(UpgradeBlocked, match="the fleet does not answer"):
        await resume_upgrade(lab.world.ports, execution_id, None, OLGA)
    assert await _kept(lab, execution_id) == before
    lab.heal()
    assert (await resume_upgrade(lab.world.ports, execution_id, None, OLGA)).status is S.IN_PROGRESS


@pytest.mark.parametrize(("statement", "said"), CHANGES)
async def test_promotion_is_blocked_when_the_registry_speaks_against_it_by_now_unless_forced(
    make_lab: MakeLab, statement: str, said: str
) -> None:
    lab, execution_id = await _monitored(make_lab)
    _change(lab, statement)
    before = await _kept(lab, execution_id)
    with pytest.raises(UpgradeBlocked, match=said):
        await promote_canary(lab.world.ports, execution_id, False, None, OLGA)
    assert await _kept(lab, execution_id) == before
    assert (await promote_canary(lab.world.ports, execution_id, True, None, OLGA)).status is S.IN_PROGRESS
