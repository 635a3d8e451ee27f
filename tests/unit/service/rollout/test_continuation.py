"""A task does its step, and then what is due before the next task could begin."""

import asyncio
from asyncio import get_running_loop
from typing import Any

import pytest

from local.fleet.agent.orders import Orders
from tests.labs.lab import OLGA, Lab, until
from tests.labs.memory.lab import MakeLab
from tests.labs.seed import NEW_VERSION, OLD_VERSION
from tests.labs.steps.canaries import deployed
from tests.labs.steps.first_step import MAX_DELAY, after_first_step, first_step, step
from tests.labs.steps.pools import blue_green, traffic
from tests.labs.steps.stages import approve, first_stage_done
from upgrade_orchestrator.domain.execution.execution import Strategy
from upgrade_orchestrator.domain.execution.states import ExecutionStatus
from upgrade_orchestrator.domain.plan.steps import TASK_START_SECONDS, Step, StepKind
from upgrade_orchestrator.service.approvals.decide import request_approval
from upgrade_orchestrator.service.runner.outcome import Ending
from upgrade_orchestrator.service.steps.work import run_following_steps
from upgrade_orchestrator.service.upgrade.commands import cancel_upgrade, promote_canary, roll_back_upgrade

S = ExecutionStatus
ONE_BY_ONE: dict[str, Any] = {"batch_size": 1, "max_unavailable_percentage": 50}


async def ending(lab: Lab, execution_id: str, work: StepKind, batch: int = 1, last: int = 0) -> Ending:
    return (await step(lab, execution_id, work, batch, last)).ending


# -- the batches that are one piece of work -------------------------------------------------------------------------


async def test_task_does_all_batches_that_run_as_one_and_the_following_steps(make_lab: MakeLab) -> None:
    lab = await make_lab()
    execution_id = await lab.admitted(**ONE_BY_ONE, batch_delay_seconds=3)
    began = get_running_loop().time()
    assert await ending(lab, execution_id, StepKind.BATCH, 1, 4) is Ending.DONE
    assert (await lab.execution(execution_id)).status is S.COMPLETED
    assert 9 <= get_running_loop().time() - began < 15  # three delays


async def test_task_ends_where_the_upgrade_stops(make_lab: MakeLab) -> None:
    lab = await make_lab()
    lab.fault("upgrade-fails", 3)
    execution_id = await lab.admitted(**ONE_BY_ONE, failure_threshold=1)
    assert await ending(lab, execution_id, StepKind.BATCH, 1, 4) is Ending.STOPPED
    assert (await lab.execution(execution_id)).status is S.FAILED
    assert len(lab.upgrades()) == 2


@pytest.mark.parametrize("last", [1, 4])
async def test_task_whose_batches_another_process_has_done_is_done_in_a_completed_upgrade(
    make_lab: MakeLab, last: int
) -> None:
    lab = await make_lab()
    execution = await lab.validating(**ONE_BY_ONE)
    assert (await after_first_step(lab, execution.id)).status is S.COMPLETED
    assert await ending(lab, execution.id, StepKind.BATCH, 1, last) is Ending.DONE


@pytest.mark.parametrize(("batch", "found"), [(1, Ending.DONE), (2, Ending.STOPPED)])
async def test_task_of_a_cancelled_upgrade_is_done_only_if_its_batch_is(
    make_lab: MakeLab, batch: int, found: Ending
) -> None:
    lab = await make_lab()
    execution_id = await lab.admitted(**ONE_BY_ONE)
    await lab.run(execution_id, 1)
    await cancel_upgrade(lab.world.ports, execution_id, None, OLGA)
    assert await ending(lab, execution_id, StepKind.BATCH, batch) is found
    assert len(lab.upgrades()) == 1


async def test_task_is_done_when_another_process_completes_the_upgrade_meanwhile(make_lab: MakeLab) -> None:
    lab = await make_lab(upgrade_seconds=0.5)
    execution_id = await lab.admitted(**ONE_BY_ONE)
    tasks = (step(lab, execution_id, StepKind.BATCH, 1, 4) for _ in range(3))
    assert {each.ending for each in await asyncio.gather(*tasks)} == {Ending.DONE}
    assert len(lab.upgrades()) == len(set(lab.upgrades())) == 4


# -- what follows ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("delay", "begun"), [(0, 2), (int(TASK_START_SECONDS) - 1, 2), (int(TASK_START_SECONDS) + 1, 1)]
)
async def test_next_batch_is_begun_if_it_is_due_before_its_task_could_start(
    make_lab: MakeLab, delay: int, begun: int
) -> None:
    lab = await make_lab(size=2)
    execution_id = await lab.admitted(**ONE_BY_ONE, batch_delay_seconds=delay)
    assert await ending(lab, execution_id, StepKind.BATCH) is Ending.DONE
    assert len(lab.upgrades()) == begun
    assert (await lab.execution(execution_id)).status is (S.COMPLETED if begun == 2 else S.IN_PROGRESS)


async def test_next_batch_that_exceeds_the_remaining_time_is_left_to_its_task(make_lab: MakeLab) -> None:
    lab = await make_lab(size=2, upgrade_seconds=6)
    execution_id, began = await lab.admitted(**ONE_BY_ONE, health_check_timeout_seconds=60), get_running_loop().time()
    assert await ending(lab, execution_id, StepKind.BATCH) is Ending.DONE
    assert get_running_loop().time() - began < 6 + TASK_START_SECONDS + 2
    assert (len(lab.upgrades()), lab.versions()[OLD_VERSION], lab.lease()[2]) == (2, 1, False)
    assert await ending(lab, execution_id, StepKind.BATCH, 2) is Ending.DONE
    assert len(lab.upgrades()) == 2


@pytest.mark.parametrize("approved", [True, False])
async def test_next_stage_is_begun_if_it_is_approved(make_lab: MakeLab, approved: bool) -> None:
    lab, execution_id = await first_stage_done(make_lab)
    await request_approval(lab.world.ports, execution_id, 2)
    if approved:
        await approve(lab, execution_id)
    assert await ending(lab, execution_id, StepKind.BATCH) is Ending.DONE
    assert lab.versions()[NEW_VERSION] == (4 if approved else 2)


@pytest.mark.parametrize("promoted", [True, False])
async def test_batches_after_the_canaries_are_begun_if_the_canaries_are_promoted(
    make_lab: MakeLab, promoted: bool
) -> None:
    lab, execution_id = await deployed(make_lab)
    monitor = asyncio.create_task(step(lab, execution_id, StepKind.MONITOR))
    await asyncio.sleep(120)
    assert not monitor.done()
    if promoted:
        await promote_canary(lab.world.ports, execution_id, True, "seen", OLGA)
    else:
        await cancel_upgrade(lab.world.ports, execution_id, None, OLGA)
    assert (await monitor).ending is (Ending.DONE if promoted else Ending.STOPPED)
    execution = await lab.execution(execution_id)
    assert (execution.status, lab.versions()[NEW_VERSION]) == ((S.COMPLETED, 5) if promoted else (S.CANCELLED, 2))


async def test_soak_task_continues_with_all_remaining_steps(make_lab: MakeLab) -> None:
    lab = await make_lab()
    execution_id = await lab.admitted(**blue_green(soak_seconds=30))
    assert await ending(lab, execution_id, StepKind.BATCH) is Ending.DONE
    assert (traffic(lab), len(lab.fleet())) == ("green", 8)
    began = get_running_loop().time()
    assert await ending(lab, execution_id, StepKind.SOAK) is Ending.DONE
    assert get_running_loop().time() - began > 25
    assert ((await lab.execution(execution_id)).status, lab.versions()) == (S.COMPLETED, {NEW_VERSION: 4})
    for work in (StepKind.CHECK_GREEN, StepKind.SWITCH_TRAFFIC, StepKind.RETIRE_BLUE):
        assert await ending(lab, execution_id, work) is Ending.DONE


# -- the way out -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("strategy", [Strategy.ROLLING, Strategy.BLUE_GREEN])
async def test_rollback_begins_before_its_own_task(make_lab: MakeLab, strategy: Strategy) -> None:
    lab = await make_lab(upgrade_seconds=0.5)
    execution_id = await lab.admitted(strategy=strategy, max_unavailable_percentage=100)
    task = asyncio.create_task(step(lab, execution_id, StepKind.BATCH))
    await until(lab.upgrades, "an upgrade under way")
    await roll_back_upgrade(lab.world.ports, execution_id, None, OLGA)
    assert (await task).ending is Ending.STOPPED
    assert ((await lab.execution(execution_id)).status, lab.versions()) == (S.ROLLED_BACK, {OLD_VERSION: 4})


async def test_rollback_that_exceeds_the_remaining_time_is_left_to_its_task(make_lab: MakeLab) -> None:
    lab = await make_lab(upgrade_seconds=6)
    execution_id = await lab.admitted(batch_size=2, max_unavailable_percentage=50, health_check_timeout_seconds=60)
    await lab.run(execution_id, 1)
    await roll_back_upgrade(lab.world.ports, execution_id, None, OLGA)
    began = get_running_loop().time()
    assert await ending(lab, execution_id, StepKind.BATCH, 2) is Ending.STOPPED
    assert get_running_loop().time() - began < TASK_START_SECONDS + 2
    assert (await lab.execution(execution_id)).status is S.ROLLING_BACK
    assert await ending(lab, execution_id, StepKind.REVERT, 0) is Ending.DONE
    assert await ending(lab, execution_id, StepKind.CONFIRM, 0) is Ending.DONE
    assert (await lab.execution(execution_id)).status is S.ROLLED_BACK


# -- what is away ----------------------------------------------------------------------------------------------------


async def test_following_step_is_left_to_the_next_task_when_the_fleet_is_unreachable(make_lab: MakeLab) -> None:
    lab = await make_lab()
    execution_id = await lab.admitted()
    await lab.run(execution_id, 1)
    lab.fault("agent-503")
    assert await ending(lab, execution_id, StepKind.BATCH) is Ending.DONE
    assert (await lab.execution(execution_id)).status is S.IN_PROGRESS
    task = asyncio.create_task(step(lab, execution_id, StepKind.VERIFY))
    await until(lambda: lab.attention() is not None, "it says what it waits for")
    lab.heal()
    assert (await task).ending is Ending.DONE
    assert (await lab.execution(execution_id)).status is S.COMPLETED


@pytest.mark.parametrize(("batch", "expected"), [(1, Ending.DONE), (2, Ending.STOPPED)])
async def test_refused_fencing_token_ends_the_upgrade_at_the_next_order(
    make_lab: MakeLab, batch: int, expected: Ending
) -> None:
    lab = await make_lab()
    execution_id = await lab.admitted(**ONE_BY_ONE)
    await lab.run(execution_id, 1)
    lab.order(Orders.undrain, lab.name(1), fence=1000)
    assert await ending(lab, execution_id, StepKind.BATCH, batch) is expected
    assert ((await lab.execution(execution_id)).status, len(lab.upgrades())) == (S.FAILED, 1)


# fault 30
async def test_stopped_upgrade_with_nothing_in_flight_is_settled_at_once_when_the_fleet_is_unreachable(
    make_lab: MakeLab,
) -> None:
    lab = await make_lab()
    execution_id = await lab.admitted(**ONE_BY_ONE)
    await lab.run(execution_id, 1)
    await cancel_upgrade(lab.world.ports, execution_id, None, OLGA)
    lab.fault("agent-503")
    assert await ending(lab, execution_id, StepKind.BATCH, 2) is Ending.STOPPED
    assert (await lab.execution(execution_id)).settled_at is not None


async def test_no_following_step_is_begun_without_time_left(make_lab: MakeLab) -> None:
    lab = await make_lab()
    execution_id = await lab.admitted()
    for seconds in (0.0, -1.0):
        await run_following_steps(
            lab.world.ports, await lab.context(execution_id), Step(StepKind.BATCH, 1), TASK_START_SECONDS, seconds
        )
    assert (await lab.execution(execution_id)).status is S.IN_PROGRESS


@pytest.mark.parametrize("over", [True, False])
async def test_no_following_step_is_begun_in_a_terminal_execution(make_lab: MakeLab, over: bool) -> None:
    lab = await make_lab(size=2)
    execution_id = await lab.admitted(**ONE_BY_ONE, batch_delay_seconds=6)
    await lab.run(execution_id, 1)
    if over:
        await cancel_upgrade(lab.world.ports, execution_id, None, OLGA)
        await lab.end(execution_id)
    before, began = (await lab.execution(execution_id), lab.log()), get_running_loop().time()
    await run_following_steps(lab.world.ports, await lab.context(execution_id), Step(StepKind.BATCH, 1), 10.0, 60.0)
    assert ((await lab.execution(execution_id), lab.log()) == before) is over
    assert (get_running_loop().time() - began < 0.1) is over
    assert len(lab.upgrades()) == (1 if over else 2)


@pytest.mark.parametrize(("where", "begun"), [("worker", 1), ("triggerer", 2)])
async def test_worker_waits_for_less_than_the_triggerer_does(make_lab: MakeLab, where: str, begun: int) -> None:
    lab = await make_lab(size=2)
    execution_id = await lab.admitted(**ONE_BY_ONE, batch_delay_seconds=int(TASK_START_SECONDS))
    began = get_running_loop().time()
    done = first_step(lab, execution_id) if where == "worker" else step(lab, execution_id, StepKind.BATCH)
    assert (await done).ending is Ending.DONE
    assert (len(lab.upgrades()), get_running_loop().time() - began < MAX_DELAY + 1) == (begun, where == "worker")
