"""The rollback: every touched instance to its own previous version, newest first, under the same budget."""

from collections import Counter

from tests.labs.lab import OLGA, until
from tests.labs.memory.lab import MakeLab
from tests.labs.seed import COMPONENT, NEW_VERSION, OLD, OLD_VERSION, TENANT
from upgrade_orchestrator.domain.execution.events import EventType
from upgrade_orchestrator.domain.execution.states import ExecutionStatus
from upgrade_orchestrator.service.upgrade.commands import roll_back_upgrade


async def test_rollback_reverts_the_newest_first_one_at_a_time_when_the_budget_is_one(make_lab: MakeLab) -> None:
    lab = await make_lab(size=4)
    execution_id = await lab.admitted(batch_size=1)
    for number in (1, 2, 3):
        await lab.run(execution_id, number)
    there = lab.upgrades()
    await roll_back_upgrade(lab.world.ports, execution_id, "changed my mind", OLGA)
    execution = await lab.roll_back(execution_id)
    assert execution.status is ExecutionStatus.ROLLED_BACK
    assert lab.upgrades()[len(there) :] == there[::-1]
    assert lab.most_unavailable() == 1


async def test_rollback_keeps_the_deployments_version_and_frees_the_active_slot(make_lab: MakeLab) -> None:
    lab = await make_lab(size=3)
    execution_id = await lab.admitted(batch_size=1)
    await lab.run(execution_id, 1)
    await roll_back_upgrade(lab.world.ports, execution_id, None, OLGA)
    execution = await lab.roll_back(execution_id)
    assert execution.settled_at is not None
    assert (execution.rollback.reason, execution.rollback.initiated_by) == ("manual rollback", "olga")
    assert await lab.deployment() == (OLD, None)
    types = [each.what for each in await lab.events(execution_id)]
    assert types.count(EventType.ROLLBACK_STARTED) == types.count(EventType.ROLLBACK_COMPLETED) == 1


async def test_rollback_takes_over_an_instance_that_is_being_upgraded(make_lab: MakeLab) -> None:
    lab = await make_lab(size=3, upgrade_seconds=0.5)
    execution_id = await lab.admitted()
    task = lab.running(execution_id, 1)
    await until(lab.upgrades, "an upgrade under way")
    await roll_back_upgrade(lab.world.ports, execution_id, "stop", OLGA)
    await task
    execution = await lab.roll_back(execution_id)
    assert execution.status is ExecutionStatus.ROLLED_BACK, execution.status_reason
    assert (lab.versions(), lab.statuses()) == ({OLD_VERSION: 3}, {"RUNNING": 3})
    assert len(set(lab.upgrades())) == 1


async def test_rollback_undrains_instances_that_are_draining(make_lab: MakeLab) -> None:
    lab = await make_lab(size=2, drain_seconds=60)
    execution_id = await lab.admitted(max_unavailable_percentage=100, health_check_timeout_seconds=120)
    task = lab.running(execution_id, 1)
    await until(lambda: lab.statuses()["DRAINING"] == 2, "draining")
    await roll_back_upgrade(lab.world.ports, execution_id, "stop", OLGA)
    await task
    execution = await lab.roll_back(execution_id)
    assert (execution.status, lab.statuses()) == (ExecutionStatus.ROLLED_BACK, {"RUNNING": 2})
    assert lab.upgrades() == []


async def test_failed_rollback_records_its_phase_and_the_versions_of_the_instances(make_lab: MakeLab) -> None:
    lab = await make_lab(size=4)
    execution_id = await lab.admitted(batch_size=2, max_unavailable_percentage=50)
    await lab.run(execution_id, 1)
    stuck = lab.upgrades()[0]
    lab.fault("upgrade-fails", int(stuck[-2:]))
    await roll_back_upgrade(lab.world.ports, execution_id, "stop", OLGA)
    execution = await lab.roll_back(execution_id)
    assert (execution.status, execution.failure_phase) == (ExecutionStatus.FAILED, "ROLLBACK")
    assert stuck in execution.status_reason
    assert Counter(lab.upgrades())[stuck] == 3  # forward, back, and the second try
    assert lab.versions() == {OLD_VERSION: 3, NEW_VERSION: 1}
    async with lab.world.ports.work() as work:
        deployment = await work.registry.deployment(TENANT, COMPONENT)
    assert deployment is not None
    assert deployment.mixed == {OLD_VERSION: 3, NEW_VERSION: 1}


async def test_rollback_is_continued_by_another_runner_without_reverting_an_instance_twice(make_lab: MakeLab) -> None:
    lab = await make_lab(size=4, upgrade_seconds=0.2)
    execution_id = await lab.admitted(batch_size=4, max_unavailable_percentage=50)
    await lab.run(execution_id, 1)
    there = len(lab.upgrades())
    await roll_back_upgrade(lab.world.ports, execution_id, "stop", OLGA)
    task = lab.running(execution_id, 0)
    await until(lambda: len(lab.upgrades()) > there, "the rollback has begun")
    task.cancel()
    execution = await lab.roll_back(execution_id)
    assert execution.status is ExecutionStatus.ROLLED_BACK
    assert Counter(lab.upgrades()[there:]) == {lab.name(number): 1 for number in range(1, 5)}
