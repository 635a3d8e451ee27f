"""An administrator releases an ended execution: its place is free at once, and who still works on it stops."""

import asyncio

import pytest

from tests.labs.lab import OLGA, abandoned, until
from tests.labs.memory.lab import MakeLab
from tests.labs.seed import NEW_VERSION, OLD, OLD_VERSION
from tests.labs.steps.endings import failed_with_a_drain_that_does_not_end
from upgrade_orchestrator.domain.errors import InvalidState
from upgrade_orchestrator.domain.execution.commands import Command, Source
from upgrade_orchestrator.domain.execution.events import EventType
from upgrade_orchestrator.domain.execution.execution import Strategy
from upgrade_orchestrator.domain.execution.states import ExecutionStatus
from upgrade_orchestrator.domain.instance.instance import ROLLBACK_BATCH, InstanceStatus
from upgrade_orchestrator.service.finalize.finalize import finish_and_settle
from upgrade_orchestrator.service.finalize.release import release_upgrade
from upgrade_orchestrator.service.runner.outcome import Ending
from upgrade_orchestrator.service.upgrade.commands import cancel_upgrade, roll_back_upgrade

S, I = ExecutionStatus, InstanceStatus  # noqa: E741 - as in the domain
WHY = "the host was scrapped"


# fault 30
async def test_released_execution_frees_its_place_at_once_and_its_runner_stops(make_lab: MakeLab) -> None:
    lab = await make_lab(size=3, upgrade_seconds=3600)
    execution_id = await lab.admitted(batch_size=1, max_unavailable_percentage=34, health_check_timeout_seconds=600)
    task = lab.running(execution_id, 1)
    await until(lab.upgrades, "one upgrade under way")
    await cancel_upgrade(lab.world.ports, execution_id, None, OLGA)
    token = lab.lease()[1]
    execution = await release_upgrade(lab.world.ports, execution_id, WHY, OLGA)
    assert execution.settled_at is not None
    assert execution.status_reason.endswith(f"; released by olga: {WHY}; by the record 2 on {OLD_VERSION}, 1 unknown")
    assert await lab.deployment() == (OLD, {OLD_VERSION: 2, "unknown": 1})
    (flown,) = [each for each in (await lab.instances(execution_id)).values() if each.status is I.FAILED]
    assert flown.error == f"released by olga: {WHY}"
    assert (lab.lease()[1], lab.lease()[2]) == (token + 1, False)
    before = len(await lab.events(execution_id))
    assert (await asyncio.wait_for(task, 60)).ending is Ending.STOPPED
    assert (len(await lab.events(execution_id)), await lab.execution(execution_id)) == (before, execution)
    assert (await lab.created()).id != execution_id


async def test_release_is_recorded_with_its_reason_before_the_settlement(make_lab: MakeLab) -> None:
    lab, execution_id = await failed_with_a_drain_that_does_not_end(make_lab)
    await release_upgrade(lab.world.ports, execution_id, WHY, OLGA)
    *_, received, settled = await lab.events(execution_id)
    assert (received.what, received.data["command"]) == (EventType.COMMAND_RECEIVED, "release")
    assert (settled.what, settled.data["settledBy"], settled.data["fleetSeen"]) == (EventType.SETTLED, "olga", False)
    last = lab.commands()[-1]
    assert (last.command, last.actor, last.source, last.reason) == (Command.RELEASE, "olga", Source.API, WHY)
    assert lab.violations() == []


async def test_released_execution_is_undrained_no_more(make_lab: MakeLab) -> None:
    lab, execution_id = await failed_with_a_drain_that_does_not_end(make_lab)
    lab.change_request(health_check_timeout_seconds=600)
    (name,) = [each for each, found in lab.fleet().items() if found["status"] == "DRAINING"]
    lab.world.admin.fault(lab.world.fleet, "agent-503", name)
    ending = asyncio.create_task(finish_and_settle(lab.world.ports, await lab.context(execution_id), None))
    await until(lambda: lab.lease()[2], "it undrains")
    execution = await release_upgrade(lab.world.ports, execution_id, None, OLGA)
    assert (await asyncio.wait_for(ending, 60)).ending is Ending.DONE
    assert (await lab.execution(execution_id), lab.lease()[2]) == (execution, False)


async def test_instance_that_was_being_rolled_back_is_unknown_after_the_release(make_lab: MakeLab) -> None:
    lab = await make_lab(size=2, upgrade_seconds=0.3)
    execution_id = await lab.admitted(max_unavailable_percentage=50)
    await lab.run(execution_id, 1)
    await roll_back_upgrade(lab.world.ports, execution_id, None, OLGA)
    task = lab.running(execution_id, ROLLBACK_BATCH)
    await until(lambda: len(lab.upgrades()) == 3, "one is being rolled back")
    await abandoned(task)
    await cancel_upgrade(lab.world.ports, execution_id, None, OLGA)
    await release_upgrade(lab.world.ports, execution_id, None, OLGA)
    assert await lab.deployment() == (OLD, {NEW_VERSION: 1, "unknown": 1})
    assert not [each for each in (await lab.instances(execution_id)).values() if each.in_flight]
    assert lab.violations() == []


async def test_blue_green_release_counts_the_pool_that_has_the_traffic(make_lab: MakeLab) -> None:
    lab = await make_lab(size=2)
    execution_id = await lab.admitted(strategy=Strategy.BLUE_GREEN)
    await lab.run(execution_id, 1)
    await cancel_upgrade(lab.world.ports, execution_id, None, OLGA)
    await release_upgrade(lab.world.ports, execution_id, None, OLGA)
    assert await lab.deployment() == (OLD, None)
    assert (await lab.end(execution_id)).settled_at is not None
    assert set(lab.versions()) == {OLD_VERSION, NEW_VERSION}  # nobody removes the new pool any more


@pytest.mark.parametrize("settled", [True, False])
async def test_release_is_refused_for_a_running_or_settled_execution(make_lab: MakeLab, settled: bool) -> None:
    lab = await make_lab(size=2)
    execution_id = await lab.admitted()
    if settled:
        await cancel_upgrade(lab.world.ports, execution_id, None, OLGA)
    before = await lab.execution(execution_id)
    with pytest.raises(InvalidState, match="free already" if settled else "only from") as refused:
        await release_upgrade(lab.world.ports, execution_id, WHY, OLGA)
    assert set(refused.value.extra["allowedFrom"]) == {"CANCELLED", "COMPLETED", "FAILED", "ROLLED_BACK"}  # type: ignore[call-overload]
    assert await lab.execution(execution_id) == before
