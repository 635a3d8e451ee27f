"""Drains of others, drains that never end, orders whose answer never came (specification section 4)."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from local.fleet.agent.orders import Orders
from tests.labs.fleet.edited import EditedFleets, as_it_is, shown_as
from tests.labs.lab import OLGA, abandoned, until
from tests.labs.memory.lab import MakeLab
from tests.labs.seed import NEW_VERSION, OLD_VERSION
from upgrade_orchestrator.domain.execution.execution import Execution
from upgrade_orchestrator.domain.execution.states import ExecutionStatus
from upgrade_orchestrator.domain.instance.instance import InstanceStatus
from upgrade_orchestrator.service.ports.fleet import Unreachable
from upgrade_orchestrator.service.upgrade.commands import cancel_upgrade, roll_back_upgrade

S, I = ExecutionStatus, InstanceStatus  # noqa: E741


# fault 13
async def test_instance_whose_drain_never_ended_returns_to_service_at_once(make_lab: MakeLab) -> None:
    lab = await make_lab(size=8, drain_seconds=3600)
    execution_id = await lab.admitted(batch_size=1, batch_delay_seconds=600, health_check_timeout_seconds=2)
    task = asyncio.create_task(lab.run_batches(execution_id))
    await until(lambda: lab.statuses()["DRAINING"] == 1, "it is drained")
    await until(lambda: lab.statuses()["RUNNING"] == 8, "it serves again", 4)
    await abandoned(task)


# fault 14
@pytest.mark.parametrize(("undrain_foreign", "status"), [(False, "DRAINED"), (True, "RUNNING")])
async def test_instance_that_others_had_drained_is_left_as_it_was_found(
    make_lab: MakeLab, undrain_foreign: bool, status: str
) -> None:
    lab = await make_lab(size=4)
    lab.order(Orders.drain, "lab-03", fence=0)
    await until(lambda: lab.fleet()["lab-03"]["status"] == "DRAINED", "a person has drained it")
    execution_id = await lab.admitted(undrain_foreign=undrain_foreign, max_unavailable_percentage=50)
    warnings = (await lab.execution(execution_id)).warnings
    assert any("drained by others before the upgrade: lab-03" in each for each in warnings)
    execution = await lab.upgrade(execution_id)
    assert execution.status is S.COMPLETED
    assert lab.versions() == {NEW_VERSION: 4}
    await until(lambda: lab.fleet()["lab-03"]["status"] == status, f"it is {status}")


# fault 14
@pytest.mark.parametrize("command", [cancel_upgrade, roll_back_upgrade])
async def test_instance_that_others_had_drained_stays_drained_when_the_upgrade_ends_early(
    make_lab: MakeLab, command: Callable[..., Awaitable[Execution]]
) -> None:
    lab = await make_lab(size=4, drain_seconds=5)
    lab.order(Orders.drain, "lab-03", fence=0)
    await until(lambda: lab.fleet()["lab-03"]["status"] == "DRAINED", "a person has drained it")
    execution_id = await lab.admitted(max_unavailable_percentage=75)
    task = asyncio.create_task(lab.upgrade(execution_id))
    await until(lambda: lab.statuses()["DRAINING"] > 0, "the first ones are drained")
    await command(lab.world.ports, execution_id, None, OLGA)
    execution = await task
    assert execution.settled_at is not None
    await until(lambda: lab.statuses()["RUNNING"] == 3, "the others serve")
    await until(lambda: lab.fleet()["lab-03"]["status"] == "DRAINED", "it is drained, as before", 10)


# fault 32
async def test_drain_whose_answer_never_came_is_refused_after_its_withdrawal(make_lab: MakeLab) -> None:
    lab = await make_lab(size=2)
    late: list[tuple[str, int]] = []
    fleets = EditedFleets(lab.world.ports.fleets)
    lab = lab.with_ports(fleets=fleets)
    execution_id = await lab.admitted(batch_size=1)

    def before(name: str, target: str) -> None:
        if name == "drain":
            late.append((target, lab.lease()[1]))
            raise Unreachable("the agent does not answer (TimeoutError)", in_doubt=True)

    fleets.before = before
    task = lab.running(execution_id, 1)
    await until(lambda: late, "a drain is queued")
    await cancel_upgrade(lab.world.ports, execution_id, None, OLGA)
    await task
    (target, token) = late[-1]
    with pytest.raises(Exception, match="fencing"):
        lab.order(Orders.drain, target, fence=token)
    await lab.end(execution_id)
    assert lab.statuses() == {"RUNNING": 2}
    assert lab.versions() == {OLD_VERSION: 2}


# fault 52
async def test_rollback_looks_at_the_fleet_at_most_once_a_gap(make_lab: MakeLab) -> None:
    lab = await make_lab(size=4, drain_seconds=1)
    fleets = EditedFleets(lab.world.ports.fleets)
    lab = lab.with_ports(fleets=fleets)
    execution_id = await lab.admitted(batch_size=2, max_unavailable_percentage=50, health_check_timeout_seconds=60)
    await lab.run(execution_id, 1)
    task = lab.running(execution_id, 2)
    await until(lambda: lab.statuses()["DRAINING"] > 0, "the second batch is drained")
    slow = [name for name, each in lab.fleet().items() if each["status"] == "DRAINING"]
    fleets.edit = shown_as("DRAINING", *slow)
    await roll_back_upgrade(lab.world.ports, execution_id, None, OLGA)
    back = asyncio.create_task(lab.roll_back(execution_id))
    await asyncio.sleep(5)
    fleets.calls.clear()
    await asyncio.sleep(10)
    assert fleets.calls["fleet"] <= 2 * 10 / 2.0 + 2
    fleets.edit = as_it_is
    await asyncio.gather(task, back)
