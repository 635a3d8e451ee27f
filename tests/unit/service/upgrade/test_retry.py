"""A retry takes on the instances that the ended upgrade did not complete."""

from collections import Counter
from typing import Any

import pytest

from tests.labs.lab import OLGA, Lab, until
from tests.labs.memory.lab import MakeLab
from tests.labs.seed import NEW, NEW_VERSION, OLD_VERSION
from upgrade_orchestrator.domain.checks.checks import CheckResult
from upgrade_orchestrator.domain.errors import ActiveUpgradeExists, InvalidState
from upgrade_orchestrator.domain.execution.execution import Execution
from upgrade_orchestrator.domain.execution.states import MAY_START, ExecutionStatus
from upgrade_orchestrator.domain.instance.instance import ROLLBACK_BATCH
from upgrade_orchestrator.service.upgrade.commands import cancel_upgrade, roll_back_upgrade
from upgrade_orchestrator.service.upgrade.retry import retry_upgrade
from upgrade_orchestrator.service.upgrade.start import start_upgrade

S = ExecutionStatus


async def _failed(lab: Lab, fault: str = "upgrade-fails", number: int = 2, **fields: Any) -> Execution:
    """An upgrade that FAILED because one instance did twice."""
    lab.fault(fault, number)
    quick = {"health_check_timeout_seconds": 1, "max_unavailable_percentage": 50}
    execution = await lab.upgrade(await lab.admitted(**(quick | fields)))
    assert execution.status is S.FAILED
    return execution


async def _retry(lab: Lab, execution_id: str) -> Execution:
    return await retry_upgrade(lab.world.ports, execution_id, None, OLGA)


async def _admit(lab: Lab, execution_id: str) -> Execution:
    """Started, and admitted by all checks."""
    await start_upgrade(lab.world.ports, execution_id, OLGA)
    await lab.check(execution_id)
    execution = await lab.execution(execution_id)
    assert execution.status in MAY_START, execution.status_reason
    return execution


async def _checks(lab: Lab, execution_id: str) -> list[CheckResult]:
    async with lab.world.ports.work() as work:
        return await work.executions.checks(execution_id)


async def _carry_out(lab: Lab, execution_id: str) -> Execution:
    await _admit(lab, execution_id)
    return await lab.upgrade(execution_id)


@pytest.mark.parametrize("fault", ["upgrade-fails", "comes-up-unhealthy"])
async def test_retry_touches_only_the_instance_that_failed_and_completes(make_lab: MakeLab, fault: str) -> None:
    lab = await make_lab(size=4)
    failed = await _failed(lab, fault)
    lab.heal()
    before = Counter(lab.upgrades())
    retried = await _retry(lab, failed.id)
    assert (retried.status, retried.total_instances, retried.retry_of) == (S.PENDING, 1, failed.id)
    assert set(await lab.instances(retried.id)) == {lab.name(2)}
    execution = await _carry_out(lab, retried.id)
    assert execution.status is S.COMPLETED, execution.status_reason
    assert Counter(lab.upgrades()) - before == {lab.name(2): 1}
    assert (lab.versions(), lab.statuses()) == ({NEW_VERSION: 4}, {"RUNNING": 4})
    assert await lab.deployment() == (NEW, None)


async def test_retry_fails_again_when_the_fault_is_still_there(make_lab: MakeLab) -> None:
    lab = await make_lab(size=4)
    failed = await _failed(lab)
    execution = await _carry_out(lab, (await _retry(lab, failed.id)).id)
    assert execution.status is S.FAILED
    assert lab.name(2) in execution.status_reason
    assert lab.versions() == {NEW_VERSION: 3, OLD_VERSION: 1}


async def test_retry_can_be_retried(make_lab: MakeLab) -> None:
    lab = await make_lab(size=4)
    again = await _carry_out(lab, (await _retry(lab, (await _failed(lab)).id)).id)
    lab.heal()
    third = await _retry(lab, again.id)
    assert third.retry_of == again.id
    assert (await _carry_out(lab, third.id)).status is S.COMPLETED


async def test_retry_upgrades_more_instances_than_its_budget_when_they_are_unavailable_already(
    make_lab: MakeLab,
) -> None:
    lab = await make_lab(size=8)
    lab.fault("upgrade-fails", 3)
    failed = await _failed(lab)
    assert lab.statuses() == {"STOPPED": 2, "RUNNING": 6}
    lab.heal()
    retried = await _retry(lab, failed.id)
    assert set(await lab.instances(retried.id)) == {lab.name(2), lab.name(3)}
    execution = await _carry_out(lab, retried.id)
    assert execution.status is S.COMPLETED, execution.status_reason
    assert lab.statuses() == {"RUNNING": 8}
    assert any("the budget is 1" in each.message for each in await _checks(lab, retried.id))


async def test_retry_after_a_cancel_upgrades_the_remaining_instances(make_lab: MakeLab) -> None:
    lab = await make_lab(size=4)
    execution_id = await lab.admitted(batch_size=2, batch_delay_seconds=3600, max_unavailable_percentage=50)
    await lab.run(execution_id, 1)
    await cancel_upgrade(lab.world.ports, execution_id, None, OLGA)
    await lab.end(execution_id)
    done = lab.upgrades()
    retried = await _retry(lab, execution_id)
    assert set(await lab.instances(retried.id)) == set(lab.fleet()) - set(done)
    assert (await _carry_out(lab, retried.id)).status is S.COMPLETED
    assert set(Counter(lab.upgrades()).values()) == {1}
    assert lab.versions() == {NEW_VERSION: 4}


async def test_retry_includes_a_completed_instance_that_stopped_since(make_lab: MakeLab) -> None:
    lab = await make_lab(size=4)
    failed = await _failed(lab)
    lab.heal()
    lab.kill(3)
    retried = await _retry(lab, failed.id)
    assert set(await lab.instances(retried.id)) == {lab.name(2), lab.name(3)}
    assert (await _carry_out(lab, retried.id)).status is S.COMPLETED
    assert lab.statuses() == {"RUNNING": 4}


async def test_rollback_of_a_retry_goes_back_to_the_version_before_the_first_upgrade(make_lab: MakeLab) -> None:
    lab = await make_lab(size=4)
    failed = await _failed(lab, "comes-up-unhealthy")
    assert lab.fleet()[lab.name(2)]["version"] == NEW_VERSION
    lab.heal()
    retried = await _admit(lab, (await _retry(lab, failed.id)).id)
    await lab.run(retried.id, 1)
    await roll_back_upgrade(lab.world.ports, retried.id, None, OLGA)
    await lab.run(retried.id, ROLLBACK_BATCH)
    assert (await lab.roll_back(retried.id)).status is S.ROLLED_BACK
    assert {name for name, each in lab.fleet().items() if each["version"] == OLD_VERSION} == {lab.name(2)}


async def test_retry_is_blocked_when_every_instance_completed(make_lab: MakeLab) -> None:
    lab = await make_lab(size=2)
    execution_id = await lab.admitted()
    await lab.run_batches(execution_id)
    await lab.go(execution_id, S.FAILED)
    await lab.end(execution_id)
    with pytest.raises(InvalidState, match="every instance completed; to go back, revert it"):
        await _retry(lab, execution_id)


async def test_retry_is_refused_until_the_ended_upgrade_has_nothing_in_flight(make_lab: MakeLab) -> None:
    lab = await make_lab(size=2, upgrade_seconds=0.5)
    execution_id = await lab.admitted()
    task = lab.running(execution_id, 1)
    await until(lab.upgrades, "an upgrade under way")
    await cancel_upgrade(lab.world.ports, execution_id, None, OLGA)
    with pytest.raises(ActiveUpgradeExists) as refusal:
        await _retry(lab, execution_id)
    assert refusal.value.extra["activeExecutionId"] == execution_id
    await task
    await lab.end(execution_id)
    assert (await _retry(lab, execution_id)).total_instances == 1


async def test_retry_of_a_completed_upgrade_is_refused(make_lab: MakeLab) -> None:
    lab = await make_lab(size=1)
    execution = await lab.upgrade(await lab.admitted())
    assert execution.status is S.COMPLETED
    with pytest.raises(InvalidState):
        await _retry(lab, execution.id)
