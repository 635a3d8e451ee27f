"""Canaries: deployed, watched, promoted or rolled back."""

import asyncio

import pytest

from tests.labs.lab import FOREVER, OLGA, until
from tests.labs.memory.lab import MakeLab
from tests.labs.steps.canaries import canary_fields, deployed, monitored, polls, until_polls
from upgrade_orchestrator.domain.errors import CanaryUnhealthy
from upgrade_orchestrator.domain.execution.events import EventType
from upgrade_orchestrator.domain.execution.states import ExecutionStatus
from upgrade_orchestrator.domain.instance.instance import InstanceStatus
from upgrade_orchestrator.domain.plan.steps import Step, StepKind
from upgrade_orchestrator.service.runner.outcome import Ending
from upgrade_orchestrator.service.steps.work import complete_step
from upgrade_orchestrator.service.upgrade.commands import cancel_upgrade, pause_upgrade, promote_canary, resume_upgrade

S = ExecutionStatus


async def test_canary_monitor_polls_at_its_interval_and_records_each_poll(make_lab: MakeLab) -> None:
    lab, execution_id = await deployed(make_lab)
    monitor = asyncio.create_task(monitored(lab, execution_id, None))
    await until_polls(lab, execution_id, 3)
    await promote_canary(lab.world.ports, execution_id, False, None, OLGA)
    assert (await monitor).ending is Ending.DONE
    times = [each.time for each in await lab.events(execution_id) if each.what is EventType.CANARY_POLLED]
    gaps = [(later - earlier).total_seconds() for earlier, later in zip(times, times[1:], strict=False)]
    assert all(0.9 < gap < 2 for gap in gaps), gaps


async def test_promotion_wakes_a_waiting_canary_monitor_at_once(make_lab: MakeLab) -> None:
    lab, execution_id = await deployed(make_lab, health_check_interval_seconds=3600)
    monitor = asyncio.create_task(monitored(lab, execution_id, None))
    await until_polls(lab, execution_id, 1)
    await promote_canary(lab.world.ports, execution_id, False, None, OLGA)
    assert (await asyncio.wait_for(monitor, 2)).ending is Ending.DONE


async def test_unhealthy_canaries_roll_back_at_the_threshold(make_lab: MakeLab) -> None:
    lab, execution_id = await deployed(make_lab, auto_rollback_enabled=True, failure_threshold=2)
    lab.fault("unhealthy", 2)
    assert (await monitored(lab, execution_id, None)).ending is Ending.STOPPED
    execution = await lab.execution(execution_id)
    assert (execution.status, execution.current_failures) == (S.ROLLING_BACK, 2)
    assert lab.name(2) in (execution.rollback.reason or "")
    lab.heal()
    assert (await lab.roll_back(execution_id)).status is S.ROLLED_BACK
    assert lab.versions() == {"3.6.0": 5}


async def test_unhealthy_canaries_wait_for_the_operator_without_auto_rollback(make_lab: MakeLab) -> None:
    lab, execution_id = await deployed(make_lab, failure_threshold=1)
    lab.fault("unhealthy", 2)
    monitor = asyncio.create_task(monitored(lab, execution_id, None))
    await until_polls(lab, execution_id, 2)
    execution = await lab.execution(execution_id)
    assert (execution.status, execution.canary.healthy) == (S.CANARY_MONITORING, False)
    with pytest.raises(CanaryUnhealthy, match=lab.name(2)):
        await promote_canary(lab.world.ports, execution_id, False, None, OLGA)
    assert (await lab.execution(execution_id)).status is S.CANARY_MONITORING
    await promote_canary(lab.world.ports, execution_id, True, "known, harmless", OLGA)
    assert (await monitor).ending is Ending.DONE


async def test_promotion_is_refused_when_the_canaries_cannot_be_polled(make_lab: MakeLab) -> None:
    lab, execution_id = await deployed(make_lab)
    lab.fault("agent-503")
    with pytest.raises(CanaryUnhealthy, match="could not be reached"):
        await promote_canary(lab.world.ports, execution_id, False, None, OLGA)


async def test_failed_canary_poll_is_no_failure(make_lab: MakeLab) -> None:
    lab, execution_id = await deployed(make_lab, auto_rollback_enabled=True, failure_threshold=1)
    lab.fault("agent-503")
    assert (await monitored(lab, execution_id)).ending is Ending.UNFINISHED
    execution = await lab.execution(execution_id)
    assert (execution.status, execution.current_failures, execution.canary.polls) == (S.CANARY_MONITORING, 0, 0)
    assert (await polls(lab, execution_id))[0]["healthy"] is None


async def test_canary_that_fails_to_start_is_left_to_the_canary_monitor(make_lab: MakeLab) -> None:
    lab = await make_lab(size=5)
    execution_id = await lab.admitted(**canary_fields(auto_rollback_enabled=True, failure_threshold=1))
    lab.fault("upgrade-fails", 2)
    assert (await lab.run(execution_id, 1)).ending is Ending.DONE
    assert (await lab.execution(execution_id)).status is S.CANARY_MONITORING
    assert (await monitored(lab, execution_id, None)).ending is Ending.STOPPED
    assert (await lab.execution(execution_id)).status is S.ROLLING_BACK
    lab.heal()
    assert (await lab.roll_back(execution_id)).status is S.ROLLED_BACK
    assert lab.versions() == {"3.6.0": 5}


async def test_failed_canaries_that_use_up_the_budget_are_monitored_and_a_forced_promotion_ends(
    make_lab: MakeLab,
) -> None:
    lab = await make_lab(size=5)
    execution_id = await lab.admitted(**canary_fields(max_unavailable_percentage=20, failure_threshold=9))
    lab.fault("upgrade-fails", 2, times=2)  # both tries: the budget of one is used up, the second canary has to wait
    assert (await lab.run(execution_id, 1)).ending is Ending.DONE
    assert (await lab.execution(execution_id)).status is S.CANARY_MONITORING
    assert (await lab.instances(execution_id))[lab.name(3)].status is InstanceStatus.PENDING
    await monitored(lab, execution_id)
    assert (await lab.execution(execution_id)).canary.healthy is False
    await promote_canary(lab.world.ports, execution_id, True, None, OLGA)
    later = complete_step(lab.world.ports, execution_id, Step(StepKind.BATCH, 2), None)
    assert (await asyncio.wait_for(later, FOREVER)).ending is Ending.STOPPED
    execution = await lab.execution(execution_id)
    assert execution.status is S.FAILED
    assert "no budget left" in execution.status_reason


async def test_batch_takes_over_untouched_instances_of_an_earlier_batch(make_lab: MakeLab) -> None:
    lab = await make_lab(size=4)
    execution_id = await lab.admitted(batch_size=2)
    assert (await lab.run(execution_id, 2)).ending is Ending.DONE  # a user marked the first batch's task successful
    assert lab.versions() == {"3.7.0": 4}
    assert (await lab.upgrade(execution_id)).status is S.COMPLETED
    assert len(lab.upgrades()) == 4


async def test_batch_after_the_canaries_waits_for_the_promotion_in_any_order_of_tasks(make_lab: MakeLab) -> None:
    lab = await make_lab(size=5)
    execution_id = await lab.admitted(**canary_fields())
    later = asyncio.create_task(complete_step(lab.world.ports, execution_id, Step(StepKind.BATCH, 2), None))
    await until_polls(lab, execution_id, 1)
    assert lab.versions() == {"3.7.0": 2, "3.6.0": 3}
    await promote_canary(lab.world.ports, execution_id, False, None, OLGA)
    assert (await asyncio.wait_for(later, FOREVER)).ending is Ending.DONE
    assert lab.versions()["3.7.0"] > 2


async def test_repeated_task_of_completed_canaries_is_done_without_another_upgrade(make_lab: MakeLab) -> None:
    lab, execution_id = await deployed(make_lab)
    assert (await lab.run(execution_id, 1)).ending is Ending.DONE
    await promote_canary(lab.world.ports, execution_id, False, None, OLGA)
    assert (await lab.run(execution_id, 1)).ending is Ending.DONE
    assert len(lab.upgrades()) == 2


async def test_resume_of_paused_canaries_continues_them_and_the_canary_monitor_follows(make_lab: MakeLab) -> None:
    lab = await make_lab(size=5, upgrade_seconds=0.4)
    execution_id = await lab.admitted(**canary_fields(max_unavailable_percentage=20))
    running = lab.running(execution_id, 1)
    await until(lab.upgrades, "a canary under way")
    await pause_upgrade(lab.world.ports, execution_id, None, OLGA)
    await until(lambda: lab.statuses() == {"RUNNING": 5}, "nothing to be in flight")
    assert len(lab.upgrades()) == 1
    assert (await resume_upgrade(lab.world.ports, execution_id, None, OLGA)).status is S.CANARY_RUNNING
    assert (await running).ending is Ending.DONE
    assert (await lab.execution(execution_id)).status is S.CANARY_MONITORING


async def test_cancel_ends_the_canary_monitor_and_keeps_the_canaries_at_their_version(make_lab: MakeLab) -> None:
    lab, execution_id = await deployed(make_lab, health_check_interval_seconds=3600)
    monitor = asyncio.create_task(monitored(lab, execution_id, None))
    await until_polls(lab, execution_id, 1)
    cancelled = await cancel_upgrade(lab.world.ports, execution_id, None, OLGA)
    assert "2 on 3.7.0" in cancelled.status_reason
    assert (await asyncio.wait_for(monitor, 2)).ending is Ending.STOPPED
    assert (await lab.end(execution_id)).settled_at is not None
    assert lab.versions() == {"3.7.0": 2, "3.6.0": 3}
