"""The ordinary way: rolling upgrades that come to their end, with the budget kept by the fleet's own log."""

from collections import Counter

from tests.labs.lab import seconds_between
from tests.labs.memory.lab import MakeLab
from tests.labs.seed import COMPONENT, NEW, NEW_VERSION, OLD_VERSION, TENANT
from upgrade_orchestrator.domain.execution.states import ExecutionStatus
from upgrade_orchestrator.service.runner.outcome import Ending


async def test_completion_frees_the_active_slot_and_sets_the_version_of_the_deployment(make_lab: MakeLab) -> None:
    lab = await make_lab(size=2)
    execution_id = await lab.admitted()
    assert (await lab.upgrade(execution_id)).settled_at is not None
    async with lab.world.ports.work() as work:
        deployment = await work.registry.deployment(TENANT, COMPONENT)
        assert deployment is not None
        assert (deployment.current_version_id, deployment.mixed) == (NEW, None)
        assert await work.executions.active(TENANT, COMPONENT) is None


async def test_instance_that_is_unhealthy_before_the_start_comes_first_and_uses_the_budget(make_lab: MakeLab) -> None:
    lab = await make_lab(size=8, upgrade_seconds=0.2)
    lab.kill(6)
    execution_id = await lab.admitted()  # 25 % of 8: two at once, the dead one included
    assert (await lab.upgrade(execution_id)).status is ExecutionStatus.COMPLETED
    assert lab.upgrades()[0] == lab.name(6)
    assert lab.most_unavailable() == 2


async def test_only_unhealthy_instances_are_upgraded_while_the_budget_is_used_up(make_lab: MakeLab) -> None:
    lab = await make_lab(size=4)
    for number in (3, 4):
        lab.kill(number)
    execution_id = await lab.admitted()  # 25 % of 4: one
    assert (await lab.upgrade(execution_id)).status is ExecutionStatus.COMPLETED
    assert lab.upgrades()[:2] == [lab.name(3), lab.name(4)]
    assert lab.most_unavailable() == 2


async def test_next_batch_is_due_after_the_delay_and_waiting_holds_no_lease(make_lab: MakeLab) -> None:
    lab = await make_lab(size=4)
    execution_id = await lab.admitted(batch_size=2, max_unavailable_percentage=50, batch_delay_seconds=3600)
    assert (await lab.run(execution_id, 1)).ending is Ending.DONE
    first, second = await lab.batches(execution_id)
    assert first.completed_at is not None
    assert seconds_between(first.completed_at, second.due_at) == 3600
    assert (await lab.run(execution_id, 2, seconds=0.3)).ending is Ending.UNFINISHED
    assert lab.lease()[2] is False
    assert lab.versions() == {NEW_VERSION: 2, OLD_VERSION: 2}


async def test_batch_without_time_left_returns_the_lease_and_continues_later(make_lab: MakeLab) -> None:
    lab = await make_lab(size=2, upgrade_seconds=1.0)
    execution_id = await lab.admitted(max_unavailable_percentage=100)
    assert (await lab.run(execution_id, 1, seconds=0.4)).ending is Ending.UNFINISHED
    assert lab.lease()[2] is False
    assert (await lab.run(execution_id, 1)).ending is Ending.DONE
    assert Counter(lab.upgrades()) == {lab.name(1): 1, lab.name(2): 1}


async def test_repeated_task_of_a_completed_batch_does_nothing(make_lab: MakeLab) -> None:
    lab = await make_lab(size=2)
    execution_id = await lab.admitted(max_unavailable_percentage=100)
    assert (await lab.run(execution_id, 1)).ending is Ending.DONE
    events, orders = len(await lab.events(execution_id)), len(lab.tokens())
    assert (await lab.run(execution_id, 1)).ending is Ending.DONE
    assert (len(await lab.events(execution_id)), len(lab.tokens())) == (events, orders)
