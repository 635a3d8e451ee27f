"""Each strategy from its checks to its end, on the real store and the real fleet."""

import asyncio
from collections import Counter

from tests.integration.store_lab import MakeLab
from tests.labs.lab import FOREVER, OLGA, until
from tests.labs.seed import NEW, NEW_VERSION, OLD_VERSION
from tests.labs.steps.canaries import deployed, monitored
from tests.labs.steps.pools import blue_green, pool_orders, pools, statuses, traffic, upgrade
from tests.labs.steps.stages import approve, first_stage_done, run_stage
from upgrade_orchestrator.domain.execution.events import EventType
from upgrade_orchestrator.domain.execution.states import ExecutionStatus
from upgrade_orchestrator.domain.instance.instance import InstanceStatus
from upgrade_orchestrator.domain.plan.batch import Phase
from upgrade_orchestrator.service.runner.outcome import Ending
from upgrade_orchestrator.service.upgrade.commands import promote_canary

S = ExecutionStatus


async def test_twenty_instances_are_upgraded_once_each_within_the_budget(make_lab: MakeLab) -> None:
    lab = await make_lab(size=20)
    execution_id = await lab.admitted()
    execution = await lab.upgrade(execution_id)
    assert execution.status is ExecutionStatus.COMPLETED
    assert lab.versions() == {NEW_VERSION: 20}
    assert Counter(lab.upgrades()) == {lab.name(number): 1 for number in range(1, 21)}
    assert 1 < lab.most_unavailable() <= 5
    rows = (await lab.instances(execution_id)).values()
    assert {(each.status, each.attempts, each.healthy) for each in rows} == {(InstanceStatus.COMPLETED, 1, True)}


async def test_events_record_the_upgrade_in_order_without_a_gap(make_lab: MakeLab) -> None:
    lab = await make_lab(size=4)
    execution_id = await lab.admitted(batch_size=2)
    await lab.upgrade(execution_id)
    events = await lab.events(execution_id)
    assert [each.sequence for each in events] == list(range(1, len(events) + 1))
    types = [each.what for each in events]
    assert types[0] is EventType.CREATED
    assert [each for each in types if "batch" in each.value] == [
        EventType.BATCH_STARTED,
        EventType.BATCH_COMPLETED,
        EventType.BATCH_STARTED,
        EventType.BATCH_COMPLETED,
    ]
    statuses = [each.data["to"] for each in events if each.what is EventType.STATUS_CHANGED]
    assert statuses == ["VALIDATING", "IN_PROGRESS", "COMPLETED"]
    progress = [each.data["percentage"] for each in events if each.what is EventType.PROGRESS]
    assert progress == sorted(progress, key=lambda each: int(str(each)))
    assert progress[-1] == 100


async def test_canaries_are_upgraded_first_and_the_rest_waits_for_the_promotion(make_lab: MakeLab) -> None:
    lab, execution_id = await deployed(make_lab)
    assert (await monitored(lab, execution_id)).ending is Ending.UNFINISHED
    assert lab.versions() == {"3.7.0": 2, "3.6.0": 3}
    execution = await lab.execution(execution_id)
    assert (execution.canary.healthy, execution.canary.polls) == (True, 1)
    promoted = await promote_canary(lab.world.ports, execution_id, False, None, OLGA)
    assert (promoted.status, promoted.canary.promoted_by) == (S.IN_PROGRESS, "olga")
    assert (await monitored(lab, execution_id, None)).ending is Ending.DONE
    assert (await lab.upgrade(execution_id)).status is S.COMPLETED
    assert lab.versions() == {"3.7.0": 5}


async def test_stages_wait_for_their_approvals_and_the_upgrade_completes(make_lab: MakeLab) -> None:
    lab, execution_id = await first_stage_done(make_lab)
    stage = asyncio.create_task(run_stage(lab, execution_id, 2))
    await until(lambda: lab.world.rows("approval"), "the runner to ask for the approval")
    assert lab.versions() == {NEW_VERSION: 2, OLD_VERSION: 2}
    await approve(lab, execution_id)
    assert (await asyncio.wait_for(stage, FOREVER)).ending is Ending.DONE
    assert (await lab.upgrade(execution_id)).status is S.COMPLETED
    assert lab.versions() == {NEW_VERSION: 4}


async def test_new_pool_is_made_and_gets_the_traffic_before_the_old_one_is_removed(make_lab: MakeLab) -> None:
    lab = await make_lab(size=3)
    execution_id = await lab.admitted(**blue_green(soak_seconds=1))
    execution = await upgrade(lab, execution_id)
    assert execution.status is S.COMPLETED, execution.status_reason
    assert pool_orders(lab) == ["green at 3.7.0", "traffic to green", "blue removed"]
    assert (pools(lab), traffic(lab)) == ({"green": {NEW_VERSION}}, "green")
    assert lab.most_unavailable() == 0
    (batch,) = await lab.batches(execution_id)
    assert (batch.phase, batch.soak_seconds >= 1) == (Phase.DONE, True)
    assert await statuses(lab, execution_id) == {InstanceStatus.COMPLETED}
    assert await lab.deployment() == (NEW, None)


async def test_failures_at_the_threshold_with_auto_rollback_revert_every_touched_instance(make_lab: MakeLab) -> None:
    lab = await make_lab(size=8)
    lab.fault("upgrade-fails", 5, times=1)
    execution_id = await lab.admitted(batch_size=2, failure_threshold=1, auto_rollback_enabled=True)
    execution = await lab.run_batches(execution_id)
    assert execution.status is ExecutionStatus.ROLLING_BACK
    before = lab.upgrades()
    execution = await lab.roll_back(execution_id)
    assert execution.status is ExecutionStatus.ROLLED_BACK, execution.status_reason
    assert lab.versions() == {OLD_VERSION: 8}
    assert lab.statuses() == {"RUNNING": 8}
    assert lab.most_unavailable() <= 2
    rows = (await lab.instances(execution_id)).values()
    touched = {each.instance_id for each in rows if each.status is InstanceStatus.ROLLED_BACK}
    assert touched == set(before)
    assert {each.status for each in rows} == {InstanceStatus.ROLLED_BACK, InstanceStatus.PENDING}
