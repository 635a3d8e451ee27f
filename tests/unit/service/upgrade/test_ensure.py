"""A DAG run's request is carried out once, however often its tasks run; and every started execution gets its DAG."""

import asyncio
from typing import Any

import pytest

from tests.labs.lab import OLGA, Lab
from tests.labs.memory.lab import MakeLab
from tests.labs.seed import COMPONENT, NEW, OLD, TENANT
from upgrade_orchestrator.domain.airflow.task_states import RunView
from upgrade_orchestrator.domain.errors import ActiveUpgradeExists, NotFound, UpgradeBlocked
from upgrade_orchestrator.domain.execution.commands import Actor, Source
from upgrade_orchestrator.domain.execution.execution import Execution, UpgradeRequest
from upgrade_orchestrator.domain.execution.states import ExecutionStatus
from upgrade_orchestrator.service.control.dag_requests import request_dags
from upgrade_orchestrator.service.runner.outcome import Ending
from upgrade_orchestrator.service.upgrade.commands import cancel_upgrade
from upgrade_orchestrator.service.upgrade.ensure import create_once, start_once, wait_for_end

S = ExecutionStatus
DORA = Actor("dora", Source.DAG)
ID, OTHER = "0199c0de-0000-7000-8000-000000000001", "0199c0de-0000-7000-8000-000000000002"


async def create(lab: Lab, execution_id: str = ID, **fields: Any) -> Execution:
    what: dict[str, Any] = {"component_id": COMPONENT, "from_version_id": OLD, "to_version_id": NEW} | fields
    return await create_once(lab.world.ports, execution_id, TENANT, UpgradeRequest(**what), DORA)


async def test_create_stores_the_execution_under_the_given_id(make_lab: MakeLab) -> None:
    execution = await create(await make_lab(size=2))
    assert (execution.id, execution.status, execution.created_by) == (ID, S.PENDING, "dora")


async def test_repeated_create_makes_no_second_execution(make_lab: MakeLab) -> None:
    lab = await make_lab(size=2)
    first = await create(lab)
    assert await create(lab) == first
    await start_once(lab.world.ports, ID, DORA)
    assert (await create(lab)).status is S.VALIDATING
    assert lab.world.rows("execution") == 1


async def test_repeated_create_of_an_ended_execution_starts_nothing(make_lab: MakeLab) -> None:
    lab = await make_lab(size=2)
    await create(lab)
    await cancel_upgrade(lab.world.ports, ID, None, OLGA)
    await lab.end(ID)
    assert (await create(lab)).status is S.CANCELLED
    assert lab.world.rows("execution") == 1


async def test_create_of_another_id_is_refused_while_one_is_active(make_lab: MakeLab) -> None:
    lab = await make_lab(size=2)
    await create(lab)
    with pytest.raises(ActiveUpgradeExists, match=ID):
        await create(lab, OTHER)


async def test_create_is_refused_with_every_blocker(make_lab: MakeLab) -> None:
    lab = await make_lab(size=2)
    with pytest.raises(UpgradeBlocked):
        await create(lab, total_instances=3)
    assert lab.world.rows("execution") == 0


async def test_repeated_start_starts_the_execution_once(make_lab: MakeLab) -> None:
    lab = await make_lab(size=2)
    await create(lab)
    for _ in range(2):
        assert (await start_once(lab.world.ports, ID, DORA)).status is S.VALIDATING
    assert [(each.command, each.actor, each.source) for each in lab.commands()] == [("start", "dora", "DAG")]


async def test_start_does_not_change_a_cancelled_execution(make_lab: MakeLab) -> None:
    lab = await make_lab(size=2)
    await create(lab)
    await cancel_upgrade(lab.world.ports, ID, None, OLGA)
    assert (await start_once(lab.world.ports, ID, DORA)).status is S.CANCELLED


async def test_start_of_an_unknown_execution_is_refused(make_lab: MakeLab) -> None:
    lab = await make_lab(size=2)
    with pytest.raises(NotFound):
        await start_once(lab.world.ports, ID, DORA)


async def test_follow_ends_as_soon_as_the_execution_is_terminal(make_lab: MakeLab) -> None:
    lab = await make_lab(size=2)
    await create(lab)
    following = asyncio.create_task(wait_for_end(lab.world.ports, ID, None))
    await start_once(lab.world.ports, ID, DORA)
    await lab.check(ID)
    assert not following.done()
    await lab.run(ID, 1)
    await cancel_upgrade(lab.world.ports, ID, None, OLGA)
    outcome = await asyncio.wait_for(following, 5)  # by its signal: the slow poll takes 15 s
    assert (outcome.ending, outcome.reason) == (Ending.DONE, (await lab.execution(ID)).status_reason)


async def test_follow_of_an_ended_execution_ends_at_once(make_lab: MakeLab) -> None:
    lab = await make_lab(size=2)
    await create(lab)
    await cancel_upgrade(lab.world.ports, ID, None, OLGA)
    assert (await wait_for_end(lab.world.ports, ID, 0)).ending is Ending.DONE


async def test_wait_for_the_end_returns_unfinished_after_its_seconds(make_lab: MakeLab) -> None:
    lab = await make_lab(size=2)
    await create(lab)
    assert (await wait_for_end(lab.world.ports, ID, 0.1)).ending is Ending.UNFINISHED


async def test_parse_is_requested_until_airflow_knows_the_dag(make_lab: MakeLab) -> None:
    lab = await make_lab(size=2)
    execution = await lab.validating()
    lab.world.parses.asked.clear()  # the request of the start is lost
    for times in (1, 2):
        await request_dags(lab.world.ports)
        assert lab.world.parses.asked == [execution.id] * times
    for known in (RunView(), RunView("7", "running")):
        lab.world.airflow.show(execution.id, known)
        await request_dags(lab.world.ports)
    assert lab.world.parses.asked == [execution.id] * 2


async def test_parse_is_requested_for_a_dag_that_airflow_marked_stale(make_lab: MakeLab) -> None:
    lab = await make_lab(size=2)
    execution = await lab.validating()
    lab.world.parses.asked.clear()
    lab.world.airflow.show(execution.id, RunView(known=False))
    await request_dags(lab.world.ports)
    assert lab.world.parses.asked == [execution.id]


async def test_parse_is_not_requested_before_the_start_or_after_the_checks(make_lab: MakeLab) -> None:
    lab = await make_lab(size=2)
    execution = await lab.created()
    await request_dags(lab.world.ports)
    assert lab.world.parses.asked == []
    await start_once(lab.world.ports, execution.id, OLGA)
    await lab.check(execution.id)
    lab.world.parses.asked.clear()
    await request_dags(lab.world.ports)
    assert lab.world.parses.asked == []
