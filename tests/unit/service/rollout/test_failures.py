"""Failures and their effects: the second try, the threshold, the budget, time-outs that always end."""

from asyncio import get_running_loop
from collections import Counter
from collections.abc import Iterable

import pytest

from tests.labs.lab import OLGA, until
from tests.labs.memory.lab import MakeLab
from tests.labs.seed import NEW, NEW_VERSION, OLD
from upgrade_orchestrator.domain.execution.states import ExecutionStatus
from upgrade_orchestrator.domain.instance.fleet import Health
from upgrade_orchestrator.domain.instance.instance import InstanceStatus
from upgrade_orchestrator.service.runner.fleet_client import FleetClient
from upgrade_orchestrator.service.upgrade.start import start_upgrade


@pytest.mark.parametrize("fault", ["upgrade-fails", "comes-up-unhealthy"])
async def test_instance_that_fails_once_succeeds_at_its_second_try(make_lab: MakeLab, fault: str) -> None:
    lab = await make_lab(size=4)
    lab.fault(fault, 2, times=1)
    execution_id = await lab.admitted(health_check_timeout_seconds=1)
    execution = await lab.upgrade(execution_id)
    assert (execution.status, execution.current_failures) == (ExecutionStatus.COMPLETED, 1)
    assert Counter(lab.upgrades())[lab.name(2)] == 2
    assert {each.attempts for each in (await lab.instances(execution_id)).values()} == {1, 2}


async def test_second_try_is_polled_at_once_and_often_again_when_the_fleet_lists_its_instance_as_healthy(
    make_lab: MakeLab, monkeypatch: pytest.MonkeyPatch
) -> None:
    lab, polls = await make_lab(size=1), list[float]()
    execution_id = await lab.admitted(health_check_timeout_seconds=8, health_check_interval_seconds=5)
    began, healthy_after = get_running_loop().time(), 13.0

    async def poll(_: FleetClient, instance_ids: Iterable[str], __: float) -> dict[str, Health | None]:
        polls.append(get_running_loop().time() - began)
        return {each: Health(polls[-1] > healthy_after, NEW_VERSION) for each in instance_ids}

    monkeypatch.setattr(FleetClient, "poll", poll)
    assert (await lab.run_batches(execution_id)).status is ExecutionStatus.IN_PROGRESS
    assert (await lab.instances(execution_id))[lab.name(1)].attempts == 2
    assert polls[-1] < healthy_after + 1


@pytest.mark.parametrize("fault", ["upgrade-fails", "comes-up-unhealthy"])
async def test_instance_that_fails_twice_fails_the_execution_and_is_named(make_lab: MakeLab, fault: str) -> None:
    lab = await make_lab(size=4)
    lab.fault(fault, 2)
    execution = await lab.upgrade(await lab.admitted(health_check_timeout_seconds=1, max_unavailable_percentage=50))
    assert (execution.status, execution.current_failures) == (ExecutionStatus.FAILED, 1)
    assert lab.name(2) in execution.status_reason
    assert lab.name(3) not in execution.status_reason
    assert Counter(lab.upgrades()) == {lab.name(number): 2 if number == 2 else 1 for number in range(1, 5)}
    assert lab.most_unavailable() == 2


async def test_instances_left_on_two_versions_mark_the_deployment_mixed(make_lab: MakeLab) -> None:
    lab = await make_lab(size=4)
    lab.fault("upgrade-fails", 2)
    execution = await lab.upgrade(await lab.admitted(max_unavailable_percentage=50))
    assert execution.settled_at is not None
    assert await lab.deployment() == (OLD, {NEW_VERSION: 3, "3.6.0": 1})
    assert (await lab.deployment())[1] == dict(lab.versions())


async def test_failures_at_the_threshold_end_the_execution_and_no_further_instance_is_started(
    make_lab: MakeLab,
) -> None:
    lab = await make_lab(size=10)
    lab.fault("upgrade-fails")
    execution_id = await lab.admitted(failure_threshold=2, max_unavailable_percentage=20)
    execution = await lab.upgrade(execution_id)
    assert (execution.status, execution.current_failures) == (ExecutionStatus.FAILED, 2)
    assert "failureThreshold is 2" in execution.status_reason
    assert len(lab.upgrades()) == 2
    rows = Counter(each.status for each in (await lab.instances(execution_id)).values())
    assert rows == {InstanceStatus.FAILED: 2, InstanceStatus.PENDING: 8}


async def test_budget_used_up_by_failures_ends_the_execution_after_their_second_try(make_lab: MakeLab) -> None:
    lab = await make_lab(size=8)
    lab.fault("upgrade-fails")
    execution_id = await lab.admitted(failure_threshold=100)
    execution = await lab.upgrade(execution_id)
    assert execution.status is ExecutionStatus.FAILED
    assert "no budget left" in execution.status_reason
    assert sorted(Counter(lab.upgrades()).values()) == [2, 2]
    assert lab.most_unavailable() == 2


async def test_unhealthy_instance_fails_after_the_health_time_out_however_long_the_soak(make_lab: MakeLab) -> None:
    lab = await make_lab(size=2)
    lab.fault("comes-up-unhealthy", 1)
    fields = {"health_check_timeout_seconds": 1, "failure_threshold": 1, "max_unavailable_percentage": 100}
    execution_id = await lab.admitted(soak_seconds=3600, **fields)
    execution = await lab.run_batches(execution_id)
    row = (await lab.instances(execution_id))[lab.name(1)]
    assert execution.status is ExecutionStatus.FAILED
    assert row.error is not None
    assert "not healthy at 3.7.0 within 1 s" in row.error


async def test_instance_that_turns_unhealthy_during_its_soak_is_not_completed_before_it_recovers(
    make_lab: MakeLab,
) -> None:
    lab = await make_lab(size=1)
    execution_id = await lab.admitted(soak_seconds=1, health_check_timeout_seconds=10)
    task = lab.running(execution_id, 1)
    await until(lambda: lab.versions()[NEW_VERSION] == 1, "upgraded")
    lab.fault("unhealthy", 1)
    began = await until(lambda: next((e for e in lab.log() if e["kind"] == "health" and not e["healthy"]), None), "ill")
    lab.heal()
    await task
    row = (await lab.instances(execution_id))[lab.name(1)]
    assert (row.status, row.attempts) == (InstanceStatus.COMPLETED, 1)
    assert row.completed_at is not None
    assert row.completed_at.isoformat() > began["time"]
    assert len(lab.upgrades()) == 1


async def test_instance_that_stays_unhealthy_during_its_soak_fails(make_lab: MakeLab) -> None:
    lab = await make_lab(size=1)
    execution_id = await lab.admitted(soak_seconds=2, health_check_timeout_seconds=1, failure_threshold=1)
    task = lab.running(execution_id, 1)
    await until(lambda: lab.versions()[NEW_VERSION] == 1, "upgraded")
    lab.fault("unhealthy", 1)
    await task
    row = (await lab.instances(execution_id))[lab.name(1)]
    assert row.status is InstanceStatus.FAILED
    assert "not healthy" in (row.error or "")


@pytest.mark.parametrize(
    ("fault", "more"), [("agent-503", {"times": 2}), ("agent-hangs", {"seconds": 0.3, "times": 4})]
)
async def test_agent_that_is_unreachable_for_a_while_is_no_failure(
    make_lab: MakeLab, fault: str, more: dict[str, float]
) -> None:
    lab = await make_lab(size=4)
    execution_id = await lab.admitted(max_unavailable_percentage=50)
    task = lab.running(execution_id, 1)
    await until(lab.upgrades, "an upgrade under way")
    for instance in (None, 1, 2, 3, 4):
        lab.fault(fault, instance, **more)
    await task
    execution = await lab.upgrade(execution_id)
    assert (execution.status, execution.current_failures) == (ExecutionStatus.COMPLETED, 0)
    assert {each.attempts for each in (await lab.instances(execution_id)).values()} == {1}
    assert set(Counter(lab.upgrades()).values()) == {1}


async def test_instance_whose_orders_the_agent_always_refuses_fails(make_lab: MakeLab) -> None:
    lab = await make_lab(size=2)
    lab.fault("agent-503", 2)
    execution_id = await lab.admitted_unchecked(health_check_timeout_seconds=1, failure_threshold=1)
    execution = await lab.run_batches(execution_id)
    row = (await lab.instances(execution_id))[lab.name(2)]
    assert execution.status is ExecutionStatus.FAILED
    assert row.status is InstanceStatus.FAILED
    assert "after 1 s of DRAINING" in (row.error or "")


async def test_agent_that_stays_unreachable_before_the_first_instance_ends_the_execution(make_lab: MakeLab) -> None:
    lab = await make_lab(size=2)
    execution_id = await lab.admitted(health_check_timeout_seconds=1)
    lab.fault("agent-503")
    execution = await lab.run_batches(execution_id)
    assert execution.status is ExecutionStatus.FAILED
    assert "the fleet did not answer for 1 s" in execution.status_reason
    assert lab.upgrades() == []


async def test_agent_that_stays_unreachable_in_mid_upgrade_ends_the_execution(make_lab: MakeLab) -> None:
    lab = await make_lab(size=2, upgrade_seconds=0.5)
    execution_id = await lab.admitted(health_check_timeout_seconds=1, failure_threshold=1)
    task = lab.running(execution_id, 1)
    await until(lab.upgrades, "an upgrade under way")
    lab.fault("agent-503")
    lab.fault("agent-503", 1)
    lab.fault("agent-503", 2)
    await task
    assert (await lab.execution(execution_id)).status is ExecutionStatus.FAILED
    failed = [each for each in (await lab.instances(execution_id)).values() if each.status is InstanceStatus.FAILED]
    assert ["did not answer within 1 s" in (each.error or "") for each in failed] == [True]


async def test_budget_used_up_by_other_unavailable_instances_is_waited_for_until_the_time_out(
    make_lab: MakeLab,
) -> None:
    lab = await make_lab(size=4)
    execution_id = await lab.admitted(health_check_timeout_seconds=1, total_instances=3)
    lab.kill(1)  # the leader, last in the order: not part of this upgrade
    execution = await lab.run_batches(execution_id)
    assert execution.status is ExecutionStatus.FAILED
    assert f"no budget left: unavailable are {lab.name(1)}" in execution.status_reason
    assert lab.upgrades() == []


# fault 21, fault 24
async def test_verification_gives_an_instance_that_died_after_its_upgrade_its_second_try(make_lab: MakeLab) -> None:
    lab = await make_lab(size=2)
    execution_id = await lab.admitted()
    await lab.run_batches(execution_id)
    lab.kill(2)
    execution = await lab.upgrade(execution_id)
    assert execution.status is ExecutionStatus.COMPLETED
    assert execution.current_failures == 1
    assert {name: row.attempts for name, row in (await lab.instances(execution_id)).items()} == {
        lab.name(1): 1,
        lab.name(2): 2,
    }


async def test_verification_fails_naming_an_instance_that_died_and_cannot_be_upgraded_again(
    make_lab: MakeLab,
) -> None:
    lab = await make_lab(size=2)
    execution_id = await lab.admitted()
    await lab.run_batches(execution_id)
    lab.kill(2)
    lab.fault("upgrade-fails", 2)
    execution = await lab.upgrade(execution_id)
    assert execution.status is ExecutionStatus.FAILED
    assert f"{lab.name(2)} FAILED: the upgrade to {NEW_VERSION} failed" in execution.status_reason
    assert lab.name(1) not in execution.status_reason
    assert await lab.deployment() == (OLD, {NEW_VERSION: 2})


async def test_deployment_is_not_changed_when_no_instance_was_touched(make_lab: MakeLab) -> None:
    lab = await make_lab(size=2)
    execution_id = await lab.admitted()
    await lab.go(execution_id, ExecutionStatus.FAILED)
    execution = await lab.end(execution_id)
    assert execution.settled_at is not None
    assert await lab.deployment() == (OLD, None)


async def test_second_upgrade_of_a_mixed_deployment_touches_only_instances_at_the_old_version(
    make_lab: MakeLab,
) -> None:
    lab = await make_lab(size=4)
    lab.fault("upgrade-fails", 2)
    await lab.upgrade(await lab.admitted(max_unavailable_percentage=50))
    lab.world.admin.clear_faults(lab.world.fleet)
    before = Counter(lab.upgrades())
    execution = await lab.upgrade(await lab.admitted_unchecked())
    assert execution.status is ExecutionStatus.COMPLETED
    assert Counter(lab.upgrades()) - before == {lab.name(2): 1}
    assert lab.versions() == {NEW_VERSION: 4}


async def test_upgrade_of_a_part_marks_the_deployment_mixed_and_the_rest_may_be_upgraded_later(
    make_lab: MakeLab,
) -> None:
    lab = await make_lab(size=4)
    execution = await lab.upgrade(await lab.admitted(total_instances=3))
    assert execution.status is ExecutionStatus.COMPLETED
    assert execution.status_reason.endswith("the fleet is mixed: 1 on 3.6.0, 3 on 3.7.0")
    assert await lab.deployment() == (NEW, {NEW_VERSION: 3, "3.6.0": 1})
    rest = await lab.created()
    assert any("not all instances run 3.6.0: also found 3 on 3.7.0" in each for each in rest.warnings)
    rows = (await lab.instances(rest.id)).values()
    assert Counter(each.from_version for each in rows) == {NEW_VERSION: 3, "3.6.0": 1}
    await start_upgrade(lab.world.ports, rest.id, OLGA)
    await lab.check(rest.id)
    assert (await lab.upgrade(rest.id)).status_reason == "all instances upgraded; in the end 4 on 3.7.0"
    assert await lab.deployment() == (NEW, None)
    assert set(Counter(lab.upgrades()).values()) == {1}
