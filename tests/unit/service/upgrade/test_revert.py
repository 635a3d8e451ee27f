"""A revert brings an ended upgrade back: each instance to the version that it ran before."""

import time
from collections import Counter
from dataclasses import replace
from typing import Any

import pytest

from local.fleet.agent.orders import Orders
from tests.labs.lab import OLGA, Lab, until
from tests.labs.memory.lab import MakeLab, MemoryLab
from tests.labs.seed import COMPONENT, NEW, NEW_VERSION, OLD, OLD_VERSION
from tests.labs.steps.pools import (
    NEWEST,
    admitted_next,
    blue_green,
    green,
    over,
    pool_orders,
    switched,
    traffic,
    upgrade,
)
from upgrade_orchestrator.adapters.memory.engine.tables import INSTANCE
from upgrade_orchestrator.domain.blue_green.cutover import Goal
from upgrade_orchestrator.domain.checks.checks import CheckName, CheckStatus
from upgrade_orchestrator.domain.errors import ActiveUpgradeExists, InvalidState, UpgradeBlocked
from upgrade_orchestrator.domain.execution.execution import Execution, Strategy
from upgrade_orchestrator.domain.execution.states import MAY_START, ExecutionStatus
from upgrade_orchestrator.domain.registry.entries import ComponentVersion, VersionStatus
from upgrade_orchestrator.service.upgrade.commands import (
    cancel_upgrade,
    pause_upgrade,
    resume_upgrade,
    roll_back_upgrade,
)
from upgrade_orchestrator.service.upgrade.retry import retry_upgrade
from upgrade_orchestrator.service.upgrade.revert import RevertOrder, revert_upgrade
from upgrade_orchestrator.service.upgrade.start import start_upgrade

S = ExecutionStatus


async def _completed(lab: Lab, **fields: Any) -> Execution:
    execution = await lab.upgrade(await lab.admitted(**fields))
    assert execution.status is S.COMPLETED, execution.status_reason
    return execution


async def _cancelled_halfway(lab: Lab) -> str:
    """Two of four instances are upgraded."""
    execution_id = await lab.admitted(batch_size=2, max_unavailable_percentage=50)
    await lab.run(execution_id, 1)
    await cancel_upgrade(lab.world.ports, execution_id, None, OLGA)
    await lab.end(execution_id)
    return execution_id


async def _run_version(lab: MemoryLab, number: int, version: str) -> None:
    """Bring an instance to a version by other means."""
    name = lab.name(number)
    lab.order(Orders.drain, name, fence=0)
    await until(lambda: lab.fleet()[name]["status"] == "DRAINED", "drained")
    lab.order(Orders.upgrade, name, fence=0, body={"version": version})
    await until(lambda: lab.fleet()[name]["status"] == "RUNNING", "runs again")


def _forget_previous(lab: MemoryLab, number: int) -> None:
    """As if the version of that instance before the upgrade were unknown."""
    tables = lab.world.database.tables
    for key, row in list(tables.of(INSTANCE.name, None)):
        if row.instance_id == lab.name(number):
            tables.put(INSTANCE.name, key, replace(row, from_version=None))


async def _revert(lab: Lab, execution_id: str, **order: Any) -> Execution:
    return await revert_upgrade(lab.world.ports, execution_id, RevertOrder(**order), OLGA)


async def _admit(lab: Lab, execution: Execution) -> Execution:
    """Started unless it is, and admitted by all checks."""
    if execution.status is S.PENDING:
        await start_upgrade(lab.world.ports, execution.id, OLGA)
    await lab.check(execution.id)
    execution = await lab.execution(execution.id)
    assert execution.status in MAY_START, execution.status_reason
    return execution


async def _carry_out(lab: Lab, execution: Execution) -> Execution:
    return await lab.upgrade((await _admit(lab, execution)).id)


@pytest.mark.parametrize("strategy", [Strategy.ROLLING, Strategy.RECREATE, Strategy.STAGED])
async def test_revert_of_a_completed_upgrade_brings_all_instances_back(make_lab: MakeLab, strategy: Strategy) -> None:
    lab = await make_lab(size=4)
    stages = (100,) if strategy is Strategy.STAGED else None
    done = await _completed(lab, strategy=strategy, stage_percentages=stages, auto_rollback_enabled=True)
    reverted = await _revert(lab, done.id, reason="3.7.0 loses messages")
    kept = Strategy.RECREATE if strategy is Strategy.RECREATE else Strategy.ROLLING
    assert (reverted.status, reverted.revert_of, reverted.request.strategy) == (S.PENDING, done.id, kept)
    assert (reverted.from_version, reverted.to_version) == (NEW_VERSION, OLD_VERSION)
    assert (reverted.request.from_version_id, reverted.request.to_version_id) == (NEW, OLD)
    assert not reverted.request.auto_rollback_enabled
    assert reverted.status_reason == f"created to revert {done.id}: 3.7.0 loses messages"
    execution = await _carry_out(lab, reverted)
    assert execution.status is S.COMPLETED, execution.status_reason
    assert (lab.versions(), lab.statuses()) == ({OLD_VERSION: 4}, {"RUNNING": 4})
    assert await lab.deployment() == (OLD, None)
    assert lab.violations() == []


async def test_revert_needs_neither_path_nor_backup_nor_a_stable_target(make_lab: MakeLab) -> None:
    lab = await make_lab(size=2)
    done = await _completed(lab)
    lab.forget_paths()
    lab.forget_backups()
    await lab.change_version(OLD, status=VersionStatus.EOL, max_platform_version="1.0")
    reverted = await _revert(lab, done.id)
    said = " | ".join(reverted.warnings)
    assert f"no path from {NEW_VERSION} to {OLD_VERSION} is registered" in said
    assert "EOL" in said
    await start_upgrade(lab.world.ports, reverted.id, OLGA)
    found = {name: each.status for name, each in (await lab.check(reverted.id)).items()}
    assert {name for name, status in found.items() if status is CheckStatus.WARNING} == {
        CheckName.VERSION_COMPATIBILITY,
        CheckName.BACKUP_VERIFICATION,
    }
    assert (await lab.upgrade(reverted.id)).status is S.COMPLETED
    assert lab.versions() == {OLD_VERSION: 2}


async def test_revert_that_was_paused_is_resumed_without_a_path(make_lab: MakeLab) -> None:
    lab = await make_lab(size=2)
    done = await _completed(lab)
    lab.forget_paths()
    reverted = await _admit(lab, await _revert(lab, done.id))
    await pause_upgrade(lab.world.ports, reverted.id, None, OLGA)
    await resume_upgrade(lab.world.ports, reverted.id, None, OLGA)
    assert (await lab.upgrade(reverted.id)).status is S.COMPLETED


async def test_revert_is_blocked_by_a_dependency_until_it_is_said_to_be_installed(make_lab: MakeLab) -> None:
    lab = await make_lab(size=2)
    done = await _completed(lab)
    await lab.change_version(OLD, dependencies={"zookeeper": ">=3,<4"})
    with pytest.raises(UpgradeBlocked, match="zookeeper"):
        await _revert(lab, done.id)
    reverted = await _revert(lab, done.id, installed_components={"zookeeper": "3.9"})
    assert (await _carry_out(lab, reverted)).status is S.COMPLETED


async def test_revert_of_a_cancelled_upgrade_touches_only_what_was_upgraded(make_lab: MakeLab) -> None:
    lab = await make_lab(size=4)
    execution_id = await _cancelled_halfway(lab)
    upgraded = {name for name, each in lab.fleet().items() if each["version"] == NEW_VERSION}
    before = Counter(lab.upgrades())
    reverted = await _revert(lab, execution_id)
    assert set(await lab.instances(reverted.id)) == upgraded
    assert (await _carry_out(lab, reverted)).status is S.COMPLETED
    assert Counter(lab.upgrades()) - before == dict.fromkeys(upgraded, 1)
    assert (lab.versions(), await lab.deployment()) == ({OLD_VERSION: 4}, (OLD, None))


async def test_revert_has_the_budget_of_the_whole_upgrade(make_lab: MakeLab) -> None:
    lab = await make_lab(size=4)
    execution_id = await _cancelled_halfway(lab)
    reverted = await _revert(lab, execution_id)
    async with lab.world.ports.work() as work:
        plan = await work.executions.plan(reverted.id)
    assert (len(plan.instances), plan.budget) == (2, 2)


@pytest.mark.parametrize(("down", "status"), [(1, CheckStatus.PASSED), (2, CheckStatus.WARNING)])
async def test_check_of_a_revert_knows_the_budget_of_the_whole_upgrade(
    make_lab: MakeLab, down: int, status: CheckStatus
) -> None:
    lab = await make_lab(size=4)
    reverted = await _revert(lab, await _cancelled_halfway(lab))
    for each in [name for name, each in lab.fleet().items() if each["version"] == OLD_VERSION][:down]:
        lab.world.admin.kill(lab.world.fleet, each)
    await start_upgrade(lab.world.ports, reverted.id, OLGA)
    found = (await lab.check(reverted.id))[CheckName.RESOURCE_AVAILABILITY]
    assert found.status is status, found.message


async def test_revert_includes_an_instance_that_the_upgrade_left_stopped(make_lab: MakeLab) -> None:
    lab = await make_lab(size=4)
    lab.fault("upgrade-fails", 2)
    failed = await lab.upgrade(await lab.admitted(health_check_timeout_seconds=1, max_unavailable_percentage=50))
    assert (failed.status, lab.statuses()["STOPPED"]) == (S.FAILED, 1)
    lab.heal()
    assert (await _carry_out(lab, await _revert(lab, failed.id))).status is S.COMPLETED
    assert (lab.versions(), lab.statuses()) == ({OLD_VERSION: 4}, {"RUNNING": 4})


async def test_revert_brings_each_instance_to_its_own_previous_version(make_lab: MakeLab) -> None:
    lab = await make_lab(size=4)
    await _run_version(lab, 2, "3.5.0")
    await _run_version(lab, 3, "v3.5")  # the same version, in another spelling
    done = await _completed(lab)
    reverted = await _revert(lab, done.id)
    assert reverted.further_targets == ("3.5.0",)
    execution = await _carry_out(lab, reverted)
    assert execution.status is S.COMPLETED, execution.status_reason
    assert lab.versions()[OLD_VERSION] == 2
    assert lab.versions()["3.5.0"] == 2
    assert await lab.deployment() == (OLD, {"3.5.0": 2, OLD_VERSION: 2})


async def test_revert_orders_the_registrys_text_of_a_version_that_the_fleet_spells_otherwise(make_lab: MakeLab) -> None:
    lab = await make_lab(size=2)
    async with lab.world.ports.work() as work:
        await work.registry.put(ComponentVersion(id="aaa-35", component_id=COMPONENT, version="3.5"))
        await work.commit()
    await _run_version(lab, 2, "v3.5.0")
    reverted = await _revert(lab, (await _completed(lab)).id)
    assert (await _carry_out(lab, reverted)).status is S.COMPLETED
    assert lab.versions() == {OLD_VERSION: 1, "3.5": 1}


@pytest.mark.parametrize("size", [90, 400])
async def test_revert_of_many_versions_is_made_in_no_time(make_lab: MakeLab, size: int) -> None:
    lab = await make_lab(size=size)
    done = await _completed(lab, strategy=Strategy.RECREATE)
    tables = lab.world.database.tables
    for key, row in list(tables.of(INSTANCE.name, None)):
        tables.put(INSTANCE.name, key, replace(row, from_version=f"2.0.{row.instance_id[4:]}"))
    began = time.process_time()
    reverted = await _revert(lab, done.id)
    assert time.process_time() - began < 2
    assert len(reverted.further_targets) == size
    rows = await lab.instances(reverted.id)
    assert {each.to_version for each in rows.values()} == {f"2.0.{name[4:]}" for name in rows}


async def test_revert_leaves_instances_out_whose_previous_version_is_not_known(make_lab: MakeLab) -> None:
    lab = await make_lab(size=3)
    done = await _completed(lab)
    _forget_previous(lab, 1)
    reverted = await _revert(lab, done.id)
    assert set(await lab.instances(reverted.id)) == {lab.name(2), lab.name(3)}
    assert any(lab.name(1) in each and "no previous version is recorded" in each for each in reverted.warnings)


async def test_revert_with_nothing_to_revert_is_refused_and_stores_nothing(make_lab: MakeLab) -> None:
    lab = await make_lab(size=2)
    execution_id = (await lab.created()).id
    await cancel_upgrade(lab.world.ports, execution_id, None, OLGA)
    before = len(await lab.events(execution_id))
    with pytest.raises(InvalidState, match="nothing to revert"):
        await _revert(lab, execution_id)
    assert len(await lab.events(execution_id)) == before


@pytest.mark.parametrize("status", [S.IN_PROGRESS, S.ROLLED_BACK])
async def test_revert_is_refused_in_other_statuses(make_lab: MakeLab, status: ExecutionStatus) -> None:
    lab = await make_lab(size=2)
    execution_id = await lab.admitted()
    if status is S.ROLLED_BACK:
        await roll_back_upgrade(lab.world.ports, execution_id, None, OLGA)
    with pytest.raises(InvalidState) as refusal:
        await _revert(lab, execution_id)
    assert refusal.value.extra["allowedFrom"] == ["COMPLETED", "FAILED", "CANCELLED"]


async def test_revert_is_refused_until_the_ended_upgrade_is_settled(make_lab: MakeLab) -> None:
    lab = await make_lab(size=2)
    execution_id = await lab.admitted()
    await lab.run(execution_id, 1)
    await cancel_upgrade(lab.world.ports, execution_id, None, OLGA)
    with pytest.raises(ActiveUpgradeExists) as refusal:
        await _revert(lab, execution_id)
    assert refusal.value.extra["activeExecutionId"] == execution_id


async def test_only_the_newest_upgrade_is_reverted(make_lab: MakeLab) -> None:
    lab = await make_lab(size=2)
    first = await _completed(lab)
    second = await lab.upgrade(await admitted_next(lab, Strategy.ROLLING))
    assert second.status is S.COMPLETED
    with pytest.raises(InvalidState, match="only the newest") as refusal:
        await _revert(lab, first.id)
    assert refusal.value.extra["newestExecutionId"] == second.id
    assert (await _revert(lab, second.id)).revert_of == second.id


async def test_newer_upgrade_that_touched_nothing_or_was_rolled_back_is_no_obstacle(make_lab: MakeLab) -> None:
    lab = await make_lab(size=2)
    first = await _completed(lab)
    untouched = await admitted_next(lab, Strategy.ROLLING)
    await cancel_upgrade(lab.world.ports, untouched, None, OLGA)
    rolled_back = await lab.admitted(batch_size=1, from_version_id=NEW, to_version_id=NEWEST)
    await lab.run(rolled_back, 1)
    await roll_back_upgrade(lab.world.ports, rolled_back, None, OLGA)
    assert (await lab.roll_back(rolled_back)).status is S.ROLLED_BACK
    assert (await _carry_out(lab, await _revert(lab, first.id))).status is S.COMPLETED
    assert lab.versions() == {OLD_VERSION: 2}


async def test_revert_of_a_retry_takes_back_what_the_retried_upgrade_did_too(make_lab: MakeLab) -> None:
    lab = await make_lab(size=4)
    cancelled = await _cancelled_halfway(lab)
    retried = await _carry_out(lab, await retry_upgrade(lab.world.ports, cancelled, None, OLGA))
    assert (retried.status, retried.total_instances) == (S.COMPLETED, 2)
    with pytest.raises(InvalidState, match="only the newest"):
        await _revert(lab, cancelled)
    reverted = await _revert(lab, retried.id)
    assert reverted.total_instances == 4
    assert (await _carry_out(lab, reverted)).status is S.COMPLETED
    assert lab.versions() == {OLD_VERSION: 4}


async def test_retry_of_a_revert_goes_on_with_the_way_back(make_lab: MakeLab) -> None:
    lab = await make_lab(size=4)
    done = await _completed(lab, max_unavailable_percentage=50, health_check_timeout_seconds=1)
    lab.forget_paths()
    lab.fault("upgrade-fails", 3)
    failed = await _carry_out(lab, await _revert(lab, done.id))
    assert failed.status is S.FAILED
    lab.heal()
    again = await retry_upgrade(lab.world.ports, failed.id, None, OLGA)
    assert (again.retry_of, again.revert_of, again.total_instances) == (failed.id, done.id, 1)
    assert (await _carry_out(lab, again)).status is S.COMPLETED
    assert (lab.versions(), await lab.deployment()) == ({OLD_VERSION: 4}, (OLD, None))


async def test_upgrade_is_reverted_again_after_a_revert_that_was_cancelled(make_lab: MakeLab) -> None:
    lab = await make_lab(size=4)
    done = await _completed(lab, batch_size=2, max_unavailable_percentage=50)
    reverted = await _admit(lab, await _revert(lab, done.id))
    await lab.run(reverted.id, 1)
    await cancel_upgrade(lab.world.ports, reverted.id, None, OLGA)
    await lab.end(reverted.id)
    assert (await _carry_out(lab, await _revert(lab, done.id))).status is S.COMPLETED
    assert lab.versions() == {OLD_VERSION: 4}


async def test_revert_is_not_reverted_itself(make_lab: MakeLab) -> None:
    lab = await make_lab(size=2)
    done = await _completed(lab)
    reverted = await _carry_out(lab, await _revert(lab, done.id))
    with pytest.raises(InvalidState, match="it is a revert itself"):
        await _revert(lab, reverted.id)


async def test_revert_can_be_rolled_back_while_it_runs(make_lab: MakeLab) -> None:
    lab = await make_lab(size=2)
    done = await _completed(lab, batch_size=1)
    reverted = await _admit(lab, await _revert(lab, done.id))
    await lab.run(reverted.id, 1)
    await roll_back_upgrade(lab.world.ports, reverted.id, None, OLGA)
    assert (await lab.roll_back(reverted.id)).status is S.ROLLED_BACK
    assert (lab.versions(), (await lab.deployment())[0]) == ({NEW_VERSION: 2}, NEW)


async def test_revert_is_started_in_the_same_transaction(make_lab: MakeLab) -> None:
    lab = await make_lab(size=2)
    done = await _completed(lab)
    reverted = await _revert(lab, done.id, reason="bad", start=True)
    assert (reverted.status, reverted.status_reason) == (S.VALIDATING, f"started; created to revert {done.id}: bad")
    assert [each.command for each in lab.commands()][-2:] == ["revert", "start"]
    assert (await _carry_out(lab, reverted)).status is S.COMPLETED


async def test_revert_of_blue_green_switches_to_a_pool_at_the_old_version(make_lab: MakeLab) -> None:
    lab = await make_lab(size=2)
    done = await upgrade(lab, await lab.admitted(**blue_green()))
    assert (done.status, traffic(lab), lab.versions()) == (S.COMPLETED, "green", {NEW_VERSION: 2})
    reverted = await _revert(lab, done.id)
    assert reverted.request.strategy is Strategy.BLUE_GREEN
    execution = await upgrade(lab, (await _admit(lab, reverted)).id)
    assert execution.status is S.COMPLETED, execution.status_reason
    assert (traffic(lab), lab.versions()) == ("blue", {OLD_VERSION: 2})
    assert await lab.deployment() == (OLD, None)


async def test_revert_of_blue_green_that_was_cancelled_after_the_switch_takes_the_old_pool(make_lab: MakeLab) -> None:
    lab, execution_id = await switched(make_lab, size=2, soak_seconds=3600)
    await cancel_upgrade(lab.world.ports, execution_id, None, OLGA)
    await lab.end(execution_id)
    assert (traffic(lab), lab.versions()) == ("green", {OLD_VERSION: 2, NEW_VERSION: 2})
    before = pool_orders(lab)
    reverted = await _admit(lab, await _revert(lab, execution_id))
    async with lab.world.ports.work() as work:  # its soak is as long; nothing happens in it
        assert (await work.executions.plan(reverted.id)).soak_seconds == 3600
    await over(lab, reverted.id, Goal.SWITCHED)
    assert pool_orders(lab)[len(before) :] == ["traffic to blue"]


async def test_revert_of_blue_green_that_never_switched_has_nothing_to_do(make_lab: MakeLab) -> None:
    lab = await make_lab(size=2)
    execution_id = await lab.admitted(**blue_green())
    await lab.run(execution_id, 1)
    await cancel_upgrade(lab.world.ports, execution_id, None, OLGA)
    await lab.end(execution_id)
    with pytest.raises(InvalidState, match="nothing to revert"):
        await _revert(lab, execution_id)


async def test_revert_of_a_blue_green_retry_goes_back_to_what_ran_before_the_retried_upgrade(make_lab: MakeLab) -> None:
    lab, execution_id = await switched(make_lab, size=2, soak_seconds=30)
    await cancel_upgrade(lab.world.ports, execution_id, None, OLGA)
    await lab.end(execution_id)
    lab.world.admin.kill(lab.world.fleet, green(lab, 1))
    retried = await _admit(lab, await retry_upgrade(lab.world.ports, execution_id, None, OLGA))
    assert (await upgrade(lab, retried.id)).status is S.COMPLETED
    reverted = await _admit(lab, await _revert(lab, retried.id))
    assert (await upgrade(lab, reverted.id)).status is S.COMPLETED
    assert (lab.versions(), await lab.deployment()) == ({OLD_VERSION: 2}, (OLD, None))


@pytest.mark.parametrize("is_ill", [True, False])
async def test_retry_of_a_blue_green_revert_makes_another_pool_if_that_is_ill(make_lab: MakeLab, is_ill: bool) -> None:
    lab = await make_lab(size=2)
    done = await upgrade(lab, await lab.admitted(**blue_green()))
    reverted = await _admit(lab, await _revert(lab, done.id))
    await over(lab, reverted.id, Goal.SWITCHED)
    await cancel_upgrade(lab.world.ports, reverted.id, None, OLGA)
    await lab.end(reverted.id)
    if not is_ill:
        with pytest.raises(InvalidState, match="nothing to revert"):
            await retry_upgrade(lab.world.ports, reverted.id, None, OLGA)
        return
    lab.kill(1)
    again = await _admit(lab, await retry_upgrade(lab.world.ports, reverted.id, None, OLGA))
    assert (await upgrade(lab, again.id)).status is S.COMPLETED
    assert (lab.versions(), lab.statuses()) == ({OLD_VERSION: 2}, {"RUNNING": 2})


@pytest.mark.parametrize(("text", "is_same"), [("3.6", True), ("3.6.1", False)])
async def test_revert_of_blue_green_after_the_registrys_text_was_changed(
    make_lab: MakeLab, text: str, is_same: bool
) -> None:
    """Of another text the pool would never be as before: that is said at once."""
    lab = await make_lab(size=2)
    done = await upgrade(lab, await lab.admitted(**blue_green()))
    await lab.change_version(OLD, version=text)
    if not is_same:
        with pytest.raises(InvalidState, match="create an upgrade to the one wanted"):
            await _revert(lab, done.id)
        return
    reverted = await _admit(lab, await _revert(lab, done.id))
    assert (await upgrade(lab, reverted.id)).status is S.COMPLETED
    assert lab.versions() == {"3.6": 2}


async def test_revert_leaves_an_instance_drained_that_others_had_drained(make_lab: MakeLab) -> None:
    lab = await make_lab(size=2)
    done = await _completed(lab)
    lab.order(Orders.drain, lab.name(2), fence=lab.tokens()[-1])
    await until(lambda: lab.fleet()[lab.name(2)]["status"] == "DRAINED", "drained")
    execution = await _carry_out(lab, await _revert(lab, done.id))
    assert execution.status is S.COMPLETED, execution.status_reason
    assert (lab.versions(), lab.statuses()) == ({OLD_VERSION: 2}, {"RUNNING": 1, "DRAINED": 1})
