"""An end frees its place, whatever the fleet does, and says what runs where (specification section 4, letting go)."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from local.fleet.agent.orders import Orders
from local.fleet.refusal import Refusal
from tests.labs.lab import OLGA, abandoned, until
from tests.labs.memory.lab import MakeLab, MemoryLab
from tests.labs.seed import NEW, NEW_VERSION, OLD, OLD_VERSION
from tests.labs.steps.endings import failed_with_a_drain_that_does_not_end, marked_failed_while_upgrading
from tests.labs.steps.first_step import step
from upgrade_orchestrator.domain.execution.events import EventType
from upgrade_orchestrator.domain.execution.execution import Execution, Strategy
from upgrade_orchestrator.domain.execution.states import ExecutionStatus
from upgrade_orchestrator.domain.instance.instance import InstanceStatus
from upgrade_orchestrator.domain.plan.steps import StepKind
from upgrade_orchestrator.service.finalize.finalize import finalize_abandoned, finish_and_settle
from upgrade_orchestrator.service.ports.fleet import FleetDriver, FleetError
from upgrade_orchestrator.service.runner.outcome import Ending
from upgrade_orchestrator.service.upgrade.commands import cancel_upgrade, roll_back_upgrade

S, I = ExecutionStatus, InstanceStatus  # noqa: E741 - as in the domain
TIMEOUT = 5
"The lab's healthCheckTimeoutSeconds."
SLACK = 15
"The seconds in addition to the time-out after which the place is free at the latest."


class NoConnection:
    """Port ``Fleets`` after the Airflow connection was deleted."""

    @asynccontextmanager
    async def of(self, deployment: object) -> AsyncIterator[FleetDriver]:
        raise FleetError("the connection is not defined")
        yield


async def cancelled_in_flight(make_lab: MakeLab) -> tuple[MemoryLab, str]:
    """One instance is upgraded, one is being upgraded, one not touched; and then the agent goes for good."""
    lab = await make_lab(size=3, upgrade_seconds=3600)
    execution_id = await lab.admitted(batch_size=1, max_unavailable_percentage=34)
    task = lab.running(execution_id, 1)
    await until(lab.upgrades, "one upgrade under way")
    await abandoned(task)
    lab.fault("agent-503")
    await cancel_upgrade(lab.world.ports, execution_id, None, OLGA)
    return lab, execution_id


async def last_event(lab: MemoryLab, execution_id: str) -> dict[str, Any]:
    """The data of the last event, which must be that of the settlement."""
    *_, last = await lab.events(execution_id)
    assert last.what is EventType.SETTLED
    return dict(last.data)


async def loops(lab: MemoryLab, execution_id: str) -> Execution:
    """The control loop until the execution is settled."""
    while (await lab.execution(execution_id)).settled_at is None:
        await finalize_abandoned(lab.world.ports)
        await asyncio.sleep(2)
    return await lab.execution(execution_id)


# fault 30
@pytest.mark.parametrize("who", ["task", "control loop"])
@pytest.mark.parametrize("connection", [True, False])
async def test_place_is_free_after_the_time_out_although_the_fleet_never_answers_again(
    make_lab: MakeLab, who: str, connection: bool
) -> None:
    lab, execution_id = await cancelled_in_flight(make_lab)
    lost = lab if connection else lab.with_ports(fleets=NoConnection())
    began = asyncio.get_running_loop().time()
    if who == "control loop":
        execution = await loops(lost, execution_id)
    else:
        while (await lab.execution(execution_id)).settled_at is None:
            try:
                await finish_and_settle(lost.world.ports, await lab.context(execution_id), None)
            except FleetError:
                await asyncio.sleep(2)  # as the trigger does
        execution = await lab.execution(execution_id)
    assert asyncio.get_running_loop().time() - began < TIMEOUT + SLACK
    assert execution.status is S.CANCELLED
    assert await lab.deployment() == (OLD, {"unknown": 1, OLD_VERSION: 2})
    assert "the fleet was not seen" in execution.status_reason
    assert not [each for each in (await lab.instances(execution_id)).values() if each.in_flight]
    lab.heal()
    assert (await lab.created()).id != execution_id


# fault 30
async def test_drained_instance_is_named_when_the_fleet_does_not_answer_until_the_time_out(make_lab: MakeLab) -> None:
    lab, execution_id = await failed_with_a_drain_that_does_not_end(make_lab)
    (name,) = [each for each, found in lab.fleet().items() if found["status"] == "DRAINING"]
    lab.fault("agent-503")
    began = asyncio.get_running_loop().time()
    execution = await lab.end(execution_id)
    assert asyncio.get_running_loop().time() - began < SLACK
    assert f"perhaps out of service, because the fleet did not answer: {name}" in execution.status_reason
    assert await last_event(lab, execution_id) == {
        "status": "FAILED",
        "reason": execution.status_reason,
        "versions": {OLD_VERSION: 2, "unknown": 1},
        "fleetSeen": False,
        "settledBy": "system",
    }


async def test_place_is_kept_while_the_fleet_has_time_left_to_answer(make_lab: MakeLab) -> None:
    lab, execution_id = await failed_with_a_drain_that_does_not_end(make_lab)
    lab.change_request(health_check_timeout_seconds=600)
    lab.fault("agent-503")
    context = await lab.context(execution_id)
    assert (await finish_and_settle(lab.world.ports, context, 3.0)).ending is Ending.UNFINISHED
    assert (await lab.execution(execution_id)).settled_at is None
    lab.heal()
    execution = await lab.end(execution_id)
    assert (lab.statuses(), "perhaps" in execution.status_reason) == ({"RUNNING": 3}, False)


async def test_fleet_that_answers_at_the_second_look_is_counted(make_lab: MakeLab) -> None:
    lab = await make_lab(size=2)
    execution_id = await lab.admitted(batch_size=1, max_unavailable_percentage=50)
    await lab.run(execution_id, 1)
    await lab.go(execution_id, S.FAILED)
    lab.fault("agent-503", times=1)
    await lab.end(execution_id)
    end = await last_event(lab, execution_id)
    assert (end["fleetSeen"], end["versions"]) == (True, {OLD_VERSION: 1, NEW_VERSION: 1})


# fault 30
@pytest.mark.parametrize("status", [S.FAILED, S.CANCELLED])
async def test_blue_green_upgrade_frees_its_place_when_the_fleet_is_gone(
    make_lab: MakeLab, status: ExecutionStatus
) -> None:
    lab = await make_lab(size=2)
    execution_id = await lab.admitted(strategy=Strategy.BLUE_GREEN)
    await lab.run(execution_id, 1)
    lab.fault("agent-503")
    await lab.go(execution_id, status)
    began = asyncio.get_running_loop().time()
    await loops(lab, execution_id)
    assert asyncio.get_running_loop().time() - began < TIMEOUT + SLACK
    assert await lab.deployment() == (OLD, None)  # the traffic was never switched


# fault 30
async def test_task_of_a_batch_ends_when_the_upgrade_was_cancelled_and_its_connection_is_gone(
    make_lab: MakeLab,
) -> None:
    lab, execution_id = await cancelled_in_flight(make_lab)
    lost = lab.with_ports(fleets=NoConnection())
    assert (await step(lost, execution_id, StepKind.BATCH)).ending is Ending.STOPPED


async def test_task_of_a_batch_is_tried_again_when_the_upgrade_goes_on_and_its_connection_is_gone(
    make_lab: MakeLab,
) -> None:
    lab = await make_lab(size=2)
    execution_id = await lab.admitted()
    with pytest.raises(FleetError):
        await step(lab.with_ports(fleets=NoConnection()), execution_id, StepKind.BATCH)
    assert (attention := lab.attention()) is not None
    assert (attention.code, attention.message) == ("FLEET_ERROR", "the connection is not defined")
    await step(lab, execution_id, StepKind.BATCH)
    assert lab.attention() is None


# fault 32
async def test_drain_that_arrives_after_its_withdrawal_is_refused_once_the_upgrade_is_settled(
    make_lab: MakeLab,
) -> None:
    lab = await make_lab(size=3, drain_seconds=0.3)
    execution_id = await lab.admitted(batch_size=1, max_unavailable_percentage=34)
    task = lab.running(execution_id, 1)
    await until(lambda: lab.statuses()["DRAINING"], "one drains")
    (name,) = [each for each, found in lab.fleet().items() if found["status"] == "DRAINING"]
    sent_with = lab.tokens()[-1]
    await cancel_upgrade(lab.world.ports, execution_id, None, OLGA)
    await task
    late = lab.order(Orders.drain, name, fence=sent_with)
    assert late.status == 202  # nothing refuses it before the end
    assert (await lab.end(execution_id)).settled_at is not None
    assert lab.statuses() == {"RUNNING": 3}
    with pytest.raises(Refusal, match="stale"):
        lab.order(Orders.drain, name, fence=sent_with)
    assert lab.statuses() == {"RUNNING": 3}


# fault 32
async def test_upgrade_after_one_that_was_settled_by_its_rows_has_a_higher_token(make_lab: MakeLab) -> None:
    lab, execution_id = await cancelled_in_flight(make_lab)
    token = lab.lease()[1]
    await loops(lab, execution_id)
    lab.heal()
    await lab.run(await lab.admitted(total_instances=2, max_unavailable_percentage=100), 1, seconds=1.0)
    assert lab.lease()[1] > token + 1


@pytest.mark.parametrize("end", ["completed", "failed", "cancelled", "untouched", "rolled back", "nothing to revert"])
async def test_settled_is_the_last_event_of_every_end_and_has_the_final_count(make_lab: MakeLab, end: str) -> None:
    lab = await make_lab(size=2)
    execution_id = await lab.admitted(batch_size=1, max_unavailable_percentage=50)
    if end not in ("untouched", "nothing to revert"):
        await lab.run(execution_id, 1)
    match end:
        case "completed":
            await lab.upgrade(execution_id)
        case "failed":
            await lab.go(execution_id, S.FAILED)
            await lab.end(execution_id)
        case "cancelled" | "untouched":
            await cancel_upgrade(lab.world.ports, execution_id, None, OLGA)
            await lab.end(execution_id)
        case _:
            await roll_back_upgrade(lab.world.ports, execution_id, None, OLGA)
            await lab.roll_back(execution_id)
    execution, last = await lab.execution(execution_id), await last_event(lab, execution_id)
    assert sum(each.what is EventType.SETTLED for each in await lab.events(execution_id)) == 1
    assert last["versions"] == dict(lab.versions())
    assert (last["status"], last["reason"]) == (execution.status, execution.status_reason)
    for version, count in lab.versions().items():
        assert execution.status_reason.count(f"{count} on {version}") == 1
    assert await lab.deployment() == (
        (NEW, None) if end == "completed" else (OLD, None if len(lab.versions()) == 1 else last["versions"])
    )


async def test_abandoned_upgrade_has_no_settled_event_before_its_end(make_lab: MakeLab) -> None:
    lab = await make_lab(size=4, upgrade_seconds=0.3)
    execution_id = await marked_failed_while_upgrading(lab)
    assert EventType.SETTLED not in {each.what for each in await lab.events(execution_id)}
    await finalize_abandoned(lab.world.ports)
    assert (await last_event(lab, execution_id))["versions"] == {NEW_VERSION: 2, OLD_VERSION: 2}
