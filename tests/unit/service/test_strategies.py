"""Every strategy with all its outcomes, in memory; a few of these also run on Airflow: `e2e/crowd`."""

import asyncio
from typing import Any

import pytest

from tests.labs.dag_walk import MONITOR, DagWalk, run_task
from tests.labs.lab import OLGA, until
from tests.labs.memory.lab import MakeLab, MemoryLab
from tests.labs.seed import NEW, NEW_VERSION, OLD, OLD_VERSION
from tests.labs.steps.stages import approve
from upgrade_orchestrator.domain.execution.execution import Execution, Strategy
from upgrade_orchestrator.domain.execution.states import ExecutionStatus
from upgrade_orchestrator.service.upgrade.commands import (
    cancel_upgrade,
    pause_upgrade,
    promote_canary,
    resume_upgrade,
    roll_back_upgrade,
)

S = ExecutionStatus
SIZE = 4
FIELDS: dict[Strategy, dict[str, Any]] = {
    Strategy.ROLLING: {"batch_size": 2},
    Strategy.CANARY: {"batch_size": 2, "canary_percentage": 50},
    Strategy.BLUE_GREEN: {"soak_seconds": 1},
    Strategy.RECREATE: {},
    Strategy.STAGED: {"batch_size": 2, "stage_percentages": (50, 100)},
}

pytestmark = pytest.mark.parametrize("strategy", FIELDS)


@pytest.fixture
async def lab(make_lab: MakeLab) -> MemoryLab:
    return await make_lab(size=SIZE, upgrade_seconds=0.5)


async def begin(lab: MemoryLab, strategy: Strategy, **fields: Any) -> str:
    """Started, half of the instances at once at the most."""
    half = {"strategy": strategy, "max_unavailable_percentage": 50}
    return (await lab.validating(**(half | FIELDS[strategy] | fields))).id


async def run_dag(lab: MemoryLab, execution_id: str) -> Execution:
    """Every task as Airflow calls it, a second at a time; people promote and approve what waits for them."""
    ports, walk = lab.world.ports, DagWalk(execution_id, await lab.batches(execution_id))
    while task := walk.next_task:
        await walk.note(ports, task, await run_task(ports, execution_id, task, 1.0))
        await asyncio.sleep(1.0)  # without the wait, a task that is repeated at once would starve the others
        execution = await lab.execution(execution_id)
        if task == MONITOR and execution.status is S.CANARY_MONITORING and execution.canary.healthy:
            await promote_canary(ports, execution_id, False, None, OLGA)
        if task == walk.next_task == "approve 2" and execution.status is S.IN_PROGRESS:
            await approve(lab, execution_id)
    return await lab.execution(execution_id)


async def under_way(lab: MemoryLab, strategy: Strategy) -> tuple[str, "asyncio.Task[Execution]"]:
    """An upgrade that the DAG runs beside the test; the first instance is being upgraded."""
    execution_id = await begin(lab, strategy)
    task = asyncio.create_task(run_dag(lab, execution_id))
    await until(lab.upgrades, "an upgrade under way")
    return execution_id, task


async def test_upgrade_by_every_strategy_completes(lab: MemoryLab, strategy: Strategy) -> None:
    execution_id = await begin(lab, strategy)
    assert (await run_dag(lab, execution_id)).status is S.COMPLETED
    assert lab.versions() == {NEW_VERSION: SIZE}
    assert len(lab.upgrades()) == len(set(lab.upgrades())) == SIZE
    assert await lab.deployment() == (NEW, None)


async def test_failure_below_the_threshold_gets_its_second_try(lab: MemoryLab, strategy: Strategy) -> None:
    # the monitor judges an unhealthy canary: here one of the others fails
    lab.fault("upgrade-fails", SIZE if strategy is Strategy.CANARY else None, times=1)
    execution_id = await begin(lab, strategy, failure_threshold=3)
    execution = await run_dag(lab, execution_id)
    assert (execution.status, execution.current_failures) == (S.COMPLETED, 1)
    assert sorted(each.attempts for each in (await lab.instances(execution_id)).values()) == [1, 1, 1, 2]
    assert lab.versions() == {NEW_VERSION: SIZE}


async def test_failures_at_the_threshold_roll_back_automatically(lab: MemoryLab, strategy: Strategy) -> None:
    lab.fault("upgrade-fails", times=2)
    execution_id = await begin(lab, strategy, failure_threshold=2, auto_rollback_enabled=True)
    execution = await run_dag(lab, execution_id)
    assert (execution.status, execution.rollback.initiated_by) == (S.ROLLED_BACK, "system")
    assert lab.versions() == {OLD_VERSION: SIZE}
    assert await lab.deployment() == (OLD, None)


async def test_failures_at_the_threshold_fail_the_upgrade_without_auto_rollback(
    lab: MemoryLab, strategy: Strategy
) -> None:
    lab.fault("upgrade-fails", times=2)
    execution_id = await begin(lab, strategy, failure_threshold=2)
    task = asyncio.create_task(run_dag(lab, execution_id))
    if strategy is Strategy.CANARY:  # the operator decides
        await _until_canaries_are_ill(lab, execution_id)
        await roll_back_upgrade(lab.world.ports, execution_id, "they do not come up", OLGA)
        assert ((await task).status, lab.versions()) == (S.ROLLED_BACK, {OLD_VERSION: SIZE})
        return
    execution = await task
    assert (execution.status, execution.rollback.initiated_at) == (S.FAILED, None)
    assert "failureThreshold is 2" in execution.status_reason
    assert (await lab.deployment())[0] == OLD


async def _until_canaries_are_ill(lab: MemoryLab, execution_id: str) -> None:
    for _ in range(100):
        if (await lab.execution(execution_id)).canary.healthy is False:
            return
        await asyncio.sleep(0.1)
    raise AssertionError("no unhealthy poll")


async def test_paused_upgrade_begins_no_instance_and_completes_after_the_resume(
    lab: MemoryLab, strategy: Strategy
) -> None:
    execution_id, task = await under_way(lab, strategy)
    await pause_upgrade(lab.world.ports, execution_id, None, OLGA)
    begun = lab.upgrades()
    await asyncio.sleep(60)
    assert lab.upgrades() == begun
    assert not any(each.in_flight for each in (await lab.instances(execution_id)).values())
    await resume_upgrade(lab.world.ports, execution_id, None, OLGA)
    assert (await task).status is S.COMPLETED
    assert len(lab.upgrades()) == len(set(lab.upgrades())) == SIZE
    assert lab.versions() == {NEW_VERSION: SIZE}


async def test_cancel_keeps_upgraded_instances_and_touches_no_other(lab: MemoryLab, strategy: Strategy) -> None:
    execution_id, task = await under_way(lab, strategy)
    begun = lab.upgrades()
    await cancel_upgrade(lab.world.ports, execution_id, "wrong night", OLGA)
    assert (await task).status is S.CANCELLED
    assert lab.upgrades() == begun
    if strategy is Strategy.BLUE_GREEN:  # its new pool never had the traffic: it is gone again
        assert lab.versions() == {OLD_VERSION: SIZE}
    else:
        assert lab.versions()[NEW_VERSION] == len(begun)
    assert set(lab.statuses()) == {"RUNNING"}
    assert (await lab.deployment())[0] == OLD


async def test_rollback_command_reverts_every_touched_instance(lab: MemoryLab, strategy: Strategy) -> None:
    execution_id, task = await under_way(lab, strategy)
    await roll_back_upgrade(lab.world.ports, execution_id, "changed my mind", OLGA)
    execution = await task
    assert (execution.status, execution.rollback.initiated_by) == (S.ROLLED_BACK, "olga")
    assert lab.versions() == {OLD_VERSION: SIZE}
    assert await lab.deployment() == (OLD, None)
