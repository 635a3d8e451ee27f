"""One look decides nothing bad: verification, soak, relapse, promotion (specification section 4)."""

import asyncio
from collections.abc import Callable

import pytest

from tests.labs.fleet.edited import EditedFleets, as_it_is, empty, silent, without_ids
from tests.labs.lab import OLGA, abandoned, until
from tests.labs.memory.lab import MakeLab
from tests.labs.seed import NEW_VERSION, OLD_VERSION
from tests.labs.steps.canaries import deployed, monitored
from upgrade_orchestrator.domain.errors import CanaryUnhealthy
from upgrade_orchestrator.domain.execution.states import ExecutionStatus
from upgrade_orchestrator.domain.instance.instance import InstanceStatus
from upgrade_orchestrator.service.ports.fleet import Unreachable
from upgrade_orchestrator.service.rollout.batch import run_batch
from upgrade_orchestrator.service.rollout.verification import verify
from upgrade_orchestrator.service.upgrade.commands import pause_upgrade, promote_canary, resume_upgrade

S, I = ExecutionStatus, InstanceStatus  # noqa: E741


# fault 21
@pytest.mark.parametrize("trouble", ["ill", "empty", "silent"])
async def test_verification_looks_again_within_the_time_out(make_lab: MakeLab, trouble: str) -> None:
    lab = await make_lab(size=2)
    fleets = EditedFleets(lab.world.ports.fleets)
    lab = lab.with_ports(fleets=fleets)
    execution_id = await lab.admitted(auto_rollback_enabled=True, failure_threshold=1)
    await lab.run_batches(execution_id)
    match trouble:
        case "ill":
            lab.fault("unhealthy", 2)
        case "empty":
            fleets.edit = empty
        case "silent":
            fleets.before = silent
    task = asyncio.create_task(verify(lab.world.ports, await lab.context(execution_id), None))
    await asyncio.sleep(2)
    assert not task.done()
    lab.heal()
    fleets.edit, fleets.before = as_it_is, lambda *_: None
    await task
    execution = await lab.execution(execution_id)
    assert (execution.status, execution.current_failures) == (S.COMPLETED, 0)


# fault 21: the negative twin
async def test_instance_that_stays_ill_at_the_end_counts_as_any_failure(make_lab: MakeLab) -> None:
    lab = await make_lab(size=2)
    execution_id = await lab.admitted(auto_rollback_enabled=True, failure_threshold=1)
    await lab.run_batches(execution_id)
    lab.fault("unhealthy", 2)
    await verify(lab.world.ports, await lab.context(execution_id), None)
    execution = await lab.execution(execution_id)
    assert (execution.status, execution.current_failures) == (S.ROLLING_BACK, 1)
    lab.heal()
    assert (await lab.roll_back(execution_id)).status is S.ROLLED_BACK
    assert lab.versions() == {OLD_VERSION: 2}


@pytest.mark.parametrize("verifications", [1, 2])
async def test_second_try_of_an_instance_that_fell_ill_at_the_end_is_taken_up_again(
    make_lab: MakeLab, verifications: int
) -> None:
    lab = await make_lab(size=2, upgrade_seconds=5)
    execution_id = await lab.admitted(health_check_timeout_seconds=20, failure_threshold=3)
    await lab.run_batches(execution_id)
    lab.fault("unhealthy", 2)
    context, both = await lab.context(execution_id), range(verifications)
    tasks = [asyncio.create_task(verify(lab.world.ports, context, None)) for _ in both]
    await until(lambda: lab.statuses()["UPGRADING"], "it is tried again", 60)
    lab.heal()
    if verifications == 1:
        await abandoned(tasks.pop())
        tasks = [asyncio.create_task(verify(lab.world.ports, context, None))]
    await asyncio.gather(*tasks)
    execution = await lab.execution(execution_id)
    assert (execution.status, execution.current_failures) == (S.COMPLETED, 1), execution.status_reason


async def test_time_of_the_second_try_is_not_the_time_of_a_problem(make_lab: MakeLab) -> None:
    lab = await make_lab(size=2, upgrade_seconds=18, drain_seconds=5)
    fleets = EditedFleets(lab.world.ports.fleets)
    lab = lab.with_ports(fleets=fleets)
    execution_id = await lab.admitted(health_check_timeout_seconds=20, failure_threshold=3)
    await lab.run_batches(execution_id)
    lab.fault("unhealthy", 2)
    task = asyncio.create_task(verify(lab.world.ports, await lab.context(execution_id), None))
    await until(lambda: lab.statuses()["UPGRADING"], "it is tried again", 60)
    lab.heal()
    await until(lambda: lab.statuses()["RUNNING"] == 2, "it serves again", 60)
    fleets.edit = without_ids("lab-01")
    await asyncio.sleep(3)
    fleets.edit = as_it_is
    await task
    execution = await lab.execution(execution_id)
    assert (execution.status, "gone" in execution.status_reason) == (S.COMPLETED, False), execution.status_reason


async def test_time_in_which_the_process_was_suspended_is_not_the_time_of_a_problem(
    make_lab: MakeLab, monkeypatch: pytest.MonkeyPatch
) -> None:
    lab = await make_lab(size=2)
    fleets = EditedFleets(lab.world.ports.fleets)
    lab = lab.with_ports(fleets=fleets)
    execution_id = await lab.admitted(health_check_timeout_seconds=20)
    await lab.run_batches(execution_id)
    fleets.edit = without_ids("lab-01")
    look = asyncio.create_task(verify(lab.world.ports, await lab.context(execution_id), None))
    await asyncio.sleep(0.5)
    loop = asyncio.get_running_loop()
    monkeypatch.setattr(loop, "time", lambda clock=loop.time: clock() + 1000)
    await asyncio.sleep(0.5)
    assert not any(each.gone for each in (await lab.instances(execution_id)).values())
    monkeypatch.undo()
    await abandoned(look)


async def test_instance_that_is_absent_whenever_the_fleet_answers_does_not_keep_the_verification(
    make_lab: MakeLab,
) -> None:
    lab = await make_lab(size=2)
    fleets = EditedFleets(lab.world.ports.fleets)
    lab = lab.with_ports(fleets=fleets)
    execution_id = await lab.admitted(health_check_timeout_seconds=10)
    await lab.run_batches(execution_id)

    def every_other(name: str, target: str) -> None:
        if fleets.calls["fleet"] % 2:
            silent(name, target)

    fleets.before, fleets.edit = every_other, without_ids("lab-01")
    await verify(lab.world.ports, await lab.context(execution_id), 60)
    execution = await lab.execution(execution_id)
    assert (execution.status, "gone from the fleet: lab-01" in execution.status_reason) == (S.COMPLETED, True)


async def test_verification_of_a_fleet_that_never_answers_fails_naming_it(make_lab: MakeLab) -> None:
    lab = await make_lab(size=2)
    fleets = EditedFleets(lab.world.ports.fleets)
    lab = lab.with_ports(fleets=fleets)
    execution_id = await lab.admitted()
    await lab.run_batches(execution_id)
    fleets.before = silent
    await verify(lab.world.ports, await lab.context(execution_id), None)
    execution = await lab.execution(execution_id)
    assert (execution.status, "the fleet does not answer" in execution.status_reason) == (S.FAILED, True)


# fault 22
async def test_soak_that_nobody_could_watch_starts_again(make_lab: MakeLab) -> None:
    lab = await make_lab(size=1)
    fleets = EditedFleets(lab.world.ports.fleets)
    lab = lab.with_ports(fleets=fleets)
    execution_id = await lab.admitted(soak_seconds=3600, health_check_timeout_seconds=300)
    task = asyncio.create_task(run_batch(lab.world.ports, await lab.context(execution_id), 1, None))
    await until(lambda: fleets.calls["health"] > 2, "it is healthy")
    fleets.before = silent
    await asyncio.sleep(3500)
    fleets.before = lambda *_: None
    began = asyncio.get_running_loop().time()
    await task
    assert asyncio.get_running_loop().time() - began >= 3600
    assert [row.status for row in (await lab.instances(execution_id)).values()] == [I.COMPLETED]


# fault 23
async def test_failures_that_a_promotion_accepted_do_not_count_after_a_resume(make_lab: MakeLab) -> None:
    lab, execution_id = await deployed(make_lab, failure_threshold=2)
    lab.fault("unhealthy", 1)
    lab.fault("unhealthy", 2)
    await monitored(lab, execution_id, 3)
    assert (await lab.execution(execution_id)).current_failures >= 2
    lab.heal()
    await promote_canary(lab.world.ports, execution_id, False, None, OLGA)
    await pause_upgrade(lab.world.ports, execution_id, None, OLGA)
    resumed = await resume_upgrade(lab.world.ports, execution_id, None, OLGA)
    assert resumed.status is S.IN_PROGRESS
    assert (await lab.upgrade(execution_id)).status is S.COMPLETED


# fault 23: the negative twin
async def test_failures_after_the_promotion_count_at_the_resume(make_lab: MakeLab) -> None:
    lab, execution_id = await deployed(make_lab, failure_threshold=1, batch_size=1)
    await promote_canary(lab.world.ports, execution_id, True, None, OLGA)
    lab.fault("upgrade-fails")
    execution = await lab.run_batches(execution_id)
    assert (execution.status, execution.current_failures) == (S.FAILED, 1)


# fault 24
async def test_completed_instance_that_falls_ill_within_the_upgrade_gets_its_second_try(make_lab: MakeLab) -> None:
    lab = await make_lab(size=4, upgrade_seconds=2)
    execution_id = await lab.admitted(batch_size=1)
    await lab.run(execution_id, 1)
    (done,) = (name for name, row in (await lab.instances(execution_id)).items() if row.status is I.COMPLETED)
    lab.kill(int(done[-2:]))
    execution = await lab.upgrade(execution_id)
    assert (execution.status, execution.current_failures) == (S.COMPLETED, 1)
    assert (await lab.instances(execution_id))[done].attempts == 2
    assert lab.versions() == {NEW_VERSION: 4}


async def test_completed_instance_that_is_ill_for_a_moment_is_not_tried_again(make_lab: MakeLab) -> None:
    lab = await make_lab(size=4, upgrade_seconds=2)
    execution_id = await lab.admitted(batch_size=1)
    await lab.run(execution_id, 1)
    (done,) = (name for name, row in (await lab.instances(execution_id)).items() if row.status is I.COMPLETED)
    lab.fault("unhealthy", int(done[-2:]))
    task = asyncio.create_task(lab.upgrade(execution_id))
    await asyncio.sleep(1)
    lab.heal()
    execution = await task
    assert (execution.status, execution.current_failures) == (S.COMPLETED, 0)
    assert {row.attempts for row in (await lab.instances(execution_id)).values()} == {1}


# one look decides no promotion either
async def test_promotion_asks_canaries_that_do_not_respond_again(make_lab: MakeLab) -> None:
    lab, execution_id = await deployed(make_lab)
    fleets = EditedFleets(lab.world.ports.fleets, before=failing_once("health"))
    lab = lab.with_ports(fleets=fleets)
    promoted = await promote_canary(lab.world.ports, execution_id, False, None, OLGA)
    assert promoted.status is S.IN_PROGRESS


async def test_promotion_of_canaries_that_never_respond_is_refused_in_time(make_lab: MakeLab) -> None:
    lab, execution_id = await deployed(make_lab)
    lab = lab.with_ports(fleets=EditedFleets(lab.world.ports.fleets, before=silent))
    began = asyncio.get_running_loop().time()
    with pytest.raises(CanaryUnhealthy, match="could not be reached"):
        await promote_canary(lab.world.ports, execution_id, False, None, OLGA)
    assert asyncio.get_running_loop().time() - began <= 15


def failing_once(call: str = "") -> Callable[[str, str], None]:
    """The next call of that name, or of any, is not answered."""
    left = [1]

    def before(name: str, _: str) -> None:
        if left and call in ("", name):
            left.pop()
            raise Unreachable("the agent does not answer")

    return before
