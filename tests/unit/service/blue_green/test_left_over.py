"""Pools that an upgrade which is over has left: asked from the fleet, their room is the next one's."""

from typing import Any

import pytest

from tests.labs.lab import OLGA, Lab
from tests.labs.memory.lab import MakeLab
from tests.labs.seed import COMPONENT, NEW, NEW_VERSION, OLD, TENANT
from tests.labs.steps.pools import S, blue_green, end, pools, switched, upgrade
from upgrade_orchestrator.domain.checks.checks import CheckName, CheckStatus
from upgrade_orchestrator.domain.execution.execution import Strategy, UpgradeRequest
from upgrade_orchestrator.service.upgrade.commands import cancel_upgrade
from upgrade_orchestrator.service.upgrade.create import preview_upgrade
from upgrade_orchestrator.service.upgrade.retry import retry_upgrade
from upgrade_orchestrator.service.upgrade.start import start_upgrade


def _free(lab: Lab) -> int:
    found: int = lab.world.admin.fleet(lab.world.fleet)["capacity"]["freeInstances"]
    return found


@pytest.mark.parametrize("fault", ["upgrade-fails", "comes-up-unhealthy"])
async def test_retry_reuses_the_capacity_of_the_pool_that_a_failed_upgrade_left(make_lab: MakeLab, fault: str) -> None:
    lab = await make_lab(size=2, free_instances=2)
    lab.fault(fault)
    failed = await upgrade(lab, await lab.admitted(**blue_green(health_check_timeout_seconds=1)))
    assert (failed.status, set(pools(lab)), _free(lab)) == (S.FAILED, {"blue", "green"}, 0)
    lab.heal()
    retried = await retry_upgrade(lab.world.ports, failed.id, None, OLGA)
    await start_upgrade(lab.world.ports, retried.id, OLGA)
    results = await lab.check(retried.id)
    assert results[CheckName.RESOURCE_AVAILABILITY].status is CheckStatus.PASSED
    assert (await upgrade(lab, retried.id)).status is S.COMPLETED
    assert (pools(lab), lab.most_unavailable()) == ({"green": {NEW_VERSION}}, 0)


async def test_upgrade_to_another_version_reuses_the_capacity_of_a_left_over_pool(make_lab: MakeLab) -> None:
    lab = await make_lab(size=2, free_instances=2)
    await lab.left_over("3.5.0", 2)
    assert _free(lab) == 0
    assert (await upgrade(lab, await lab.admitted(**blue_green()))).status is S.COMPLETED
    assert pools(lab) == {"green": {NEW_VERSION}}


async def test_old_pool_left_by_a_cancel_after_the_switch_is_replaced_by_the_next_one(make_lab: MakeLab) -> None:
    lab, execution_id = await switched(make_lab, size=2)
    await cancel_upgrade(lab.world.ports, execution_id, None, OLGA)
    await end(lab, execution_id)
    assert (set(pools(lab)), _free(lab)) == ({"blue", "green"}, 0)
    back = await lab.admitted(**blue_green())
    assert (await upgrade(lab, back)).status is S.COMPLETED
    assert pools(lab) == {"blue": {NEW_VERSION}}


async def _warnings(lab: Lab, **fields: Any) -> tuple[str, ...]:
    request = UpgradeRequest(component_id=COMPONENT, from_version_id=OLD, to_version_id=NEW, **fields)
    preview = await preview_upgrade(lab.world.ports, TENANT, request)
    return preview.findings.warnings


async def test_rolling_upgrade_warns_of_the_pool_that_it_leaves(make_lab: MakeLab) -> None:
    lab = await make_lab(size=2)
    await lab.left_over(NEW_VERSION, 2)
    warning = "without traffic there is also pool green (2 on 3.7.0): this upgrade leaves it as it is"
    assert warning in await _warnings(lab)
    assert warning not in await _warnings(lab, strategy=Strategy.BLUE_GREEN)
