"""An upgrade with random faults, whose runner crashes now and then: it always ends within the rules."""

import asyncio
from collections.abc import Awaitable, Callable
from random import Random

from tests.labs.lab import Lab
from tests.labs.seed import NEW_VERSION
from upgrade_orchestrator.domain.execution.execution import Execution
from upgrade_orchestrator.domain.execution.states import ExecutionStatus

FAULTS = ("upgrade-fails", "comes-up-unhealthy", "slow", "agent-503", "agent-hangs")


def _break(lab: Lab, random: Random) -> None:
    """Up to three faults, each of which ends after a while."""
    for _ in range(random.randint(0, 3)):
        kind, number = random.choice(FAULTS), random.choice([None, 1, 2, 3, 4, 5, 6])
        seconds = 0.3 if kind in ("slow", "agent-hangs") else None
        lab.fault(kind, number, seconds=seconds, times=random.randint(1, 3))


async def _run_with_crashes(lab: Lab, execution_id: str, random: Random) -> None:
    """Run the upgrade from its stored rows; the runner dies at random moments, and is started again."""
    for _ in range(random.randint(1, 3)):
        task = asyncio.create_task(lab.upgrade(execution_id))
        await asyncio.wait([task], timeout=random.uniform(0.02, 0.6))
        if task.done():
            task.result()
            return
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    await lab.upgrade(execution_id)


async def upgrade_with_crashes(make_lab: Callable[..., Awaitable[Lab]], random: Random) -> None:
    """On six instances, with a random request, random faults and random moments of death."""
    lab = await make_lab(size=6, lease_seconds=0.5, upgrade_seconds=random.choice([0.01, 0.1]))
    back = random.random() < 0.5
    execution_id = await lab.admitted(
        batch_size=random.choice([2, 3]),
        max_unavailable_percentage=random.choice([25, 50]),
        failure_threshold=random.choice([1, 2, 10]),
        auto_rollback_enabled=back,
        health_check_timeout_seconds=2,
    )
    _break(lab, random)
    await _run_with_crashes(lab, execution_id, random)
    _check_fleet(lab, await lab.execution(execution_id))
    await _check_rows(lab, execution_id)


def _check_fleet(lab: Lab, execution: Execution) -> None:
    assert execution.is_terminal
    assert execution.settled_at is not None
    assert lab.most_unavailable() <= max(1, 6 * (execution.request.max_unavailable_percentage) // 100)
    assert lab.tokens() == sorted(lab.tokens())
    if execution.status is ExecutionStatus.COMPLETED:
        assert lab.versions() == {NEW_VERSION: 6}
    else:
        assert execution.status in (ExecutionStatus.FAILED, ExecutionStatus.ROLLED_BACK)


async def _check_rows(lab: Lab, execution_id: str) -> None:
    rows = (await lab.instances(execution_id)).values()
    assert not any(each.in_flight for each in rows)
    assert max(each.attempts for each in rows) <= 2
    async with lab.world.ports.work() as work:
        reverts = await work.executions.rollback_instances(execution_id)
    assert max([each.attempts for each in reverts], default=0) <= 2
    sequences = [each.sequence for each in await lab.events(execution_id)]
    assert sequences == list(range(1, len(sequences) + 1))
