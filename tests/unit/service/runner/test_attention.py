"""What keeps an upgrade from going on is noted, and no longer than it lasts (specification section 6)."""

import asyncio
import logging
from itertools import groupby

import pytest

from tests.labs.fleet.edited import EditedFleets, silent
from tests.labs.lab import OLGA, abandoned, until
from tests.labs.memory.lab import MakeLab
from tests.labs.steps.canaries import deployed, monitored
from tests.unit.service.rollout.test_one_look import failing_once
from upgrade_orchestrator.domain.checks.checks import StoredObject
from upgrade_orchestrator.domain.execution.attention import Attention
from upgrade_orchestrator.domain.execution.events import EventType
from upgrade_orchestrator.domain.execution.states import ExecutionStatus
from upgrade_orchestrator.service.runner.attention import AttentionKeeper
from upgrade_orchestrator.service.upgrade.commands import cancel_upgrade, pause_upgrade

S = ExecutionStatus


async def test_attention_names_what_keeps_the_upgrade_from_going_on_and_is_cleared(make_lab: MakeLab) -> None:
    lab = await make_lab(size=2)
    fleets = EditedFleets(lab.world.ports.fleets)
    lab = lab.with_ports(fleets=fleets)
    execution_id = await lab.admitted(health_check_timeout_seconds=60)
    fleets.before = silent
    task = lab.running(execution_id, 1)
    began = asyncio.get_running_loop().time()
    await until(lambda: lab.attention() is not None, "it needs attention")
    assert asyncio.get_running_loop().time() - began < 10
    found = lab.attention()
    assert found is not None
    assert (found.code, found.message, found.tries) == ("FLEET_UNREACHABLE", "the agent does not answer", 2)
    fleets.before = lambda *_: None
    await task
    assert lab.attention() is None


@pytest.mark.parametrize("status", [S.VALIDATING, S.CANARY_MONITORING])
async def test_attention_names_a_silent_fleet_in_the_checks_and_in_the_monitor(
    make_lab: MakeLab, status: ExecutionStatus
) -> None:
    if status is S.VALIDATING:
        lab = await make_lab(size=2)
        execution_id = (await lab.validating()).id
    else:
        lab, execution_id = await deployed(make_lab)
    lab = lab.with_ports(fleets=EditedFleets(lab.world.ports.fleets, before=silent))
    working = lab.check(execution_id) if status is S.VALIDATING else monitored(lab, execution_id, None)
    task = asyncio.create_task(working)
    await until(lambda: lab.attention() is not None, "it needs attention", 10)
    assert (await lab.execution(execution_id)).status is status
    await abandoned(task)


async def test_attention_of_checks_whose_process_died_ends_with_the_checks(make_lab: MakeLab) -> None:
    lab = await make_lab(size=2)
    fleets = EditedFleets(lab.world.ports.fleets)
    lab = lab.with_ports(fleets=fleets)
    execution_id = (await lab.validating()).id
    fleets.before = silent
    task = asyncio.create_task(lab.check(execution_id))
    await until(lambda: lab.attention() is not None, "it needs attention", 10)
    await abandoned(task)
    fleets.before = lambda *_: None
    await lab.check(execution_id)
    assert (await lab.execution(execution_id)).status is S.IN_PROGRESS
    assert lab.attention() is None
    noted = [each.data["attention"] for each in await lab.events(execution_id) if each.what is EventType.PROGRESS]
    assert noted[-1] is None


async def test_attention_is_not_asked_for_by_one_failed_look(make_lab: MakeLab) -> None:
    lab = await make_lab(size=2)
    noted: list[object] = []
    fleets = EditedFleets(lab.world.ports.fleets)
    lab = lab.with_ports(fleets=fleets)
    execution_id = await lab.admitted()
    fleets.before = failing_once()
    task = lab.running(execution_id, 1)
    while not task.done():
        noted.append(lab.attention())
        await asyncio.sleep(0.05)
    assert set(noted) == {None}


async def test_attention_of_a_cancelled_upgrade_ends_with_it(make_lab: MakeLab) -> None:
    lab = await make_lab(size=2, upgrade_seconds=100)
    fleets = EditedFleets(lab.world.ports.fleets)
    lab = lab.with_ports(fleets=fleets)
    execution_id = await lab.admitted(health_check_timeout_seconds=10)
    task = lab.running(execution_id, 1)
    await until(lambda: lab.statuses()["UPGRADING"] == 1, "the first one is upgraded")
    fleets.before = silent
    await cancel_upgrade(lab.world.ports, execution_id, None, OLGA)
    await task
    assert lab.attention() is not None
    execution = await lab.end(execution_id)
    assert (execution.settled_at is not None, execution.attention) == (True, None)
    async with lab.world.ports.work() as work:  # a runner that has not noticed the end yet
        await work.executions.note_attention(execution_id, Attention("FLEET_UNREACHABLE", await work.now(), "late", 2))
        await work.commit()
    assert lab.attention() is None


async def test_attention_names_a_storage_that_does_not_answer_while_the_backup_is_read(make_lab: MakeLab) -> None:
    lab = await make_lab(size=2)
    execution_id = (await lab.validating()).id

    async def hangs(location: str, *, whole: bool = True) -> StoredObject:
        await asyncio.sleep(3600)
        raise AssertionError

    task = asyncio.create_task(lab.with_ports(read_object=hangs).check(execution_id))
    began = asyncio.get_running_loop().time()
    await until(lambda: lab.attention() is not None, "it needs attention", 30)
    found = lab.attention()
    assert found is not None
    assert (found.code, "no answer within 4 s" in found.message) == ("STORE_UNREACHABLE", True)
    assert asyncio.get_running_loop().time() - began < 17, "the second failure comes 16 s after the begin"
    await task
    assert lab.attention() is None


async def test_attention_is_not_asked_for_by_a_backup_that_takes_long_to_read(make_lab: MakeLab) -> None:
    lab = await make_lab(size=2)
    execution_id, noted = (await lab.validating()).id, set[object]()

    async def is_slow(location: str, *, whole: bool = True) -> StoredObject:
        await asyncio.sleep(40 if whole else 1)
        return await lab.world.ports.read_object(location, whole=whole)

    task = asyncio.create_task(lab.with_ports(read_object=is_slow).check(execution_id))
    while not task.done():
        noted.add(lab.attention())
        await asyncio.sleep(0.5)
    assert noted == {None}
    assert (await lab.execution(execution_id)).status is S.IN_PROGRESS


async def test_attention_of_an_upgrade_ends_with_its_pause(make_lab: MakeLab) -> None:
    lab = await make_lab(size=2)
    fleets = EditedFleets(lab.world.ports.fleets)
    lab = lab.with_ports(fleets=fleets)
    execution_id = await lab.admitted(health_check_timeout_seconds=60)
    fleets.before = silent
    task = lab.running(execution_id, 1)
    await until(lambda: lab.attention() is not None, "it needs attention")
    await pause_upgrade(lab.world.ports, execution_id, None, OLGA)
    await until(lambda: lab.attention() is None, "nothing hinders what is paused")
    await abandoned(task)


async def test_attention_is_an_event_at_its_begin_and_its_end_and_by_a_line_of_the_log(
    make_lab: MakeLab, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    lab = await make_lab(size=2)
    fleets = EditedFleets(lab.world.ports.fleets)
    lab = lab.with_ports(fleets=fleets)
    execution_id = await lab.admitted(health_check_timeout_seconds=60)
    fleets.before = silent
    task = lab.running(execution_id, 1)
    await until(lambda: lab.attention() is not None, "it needs attention")
    await asyncio.sleep(40)
    fleets.before = lambda *_: None
    await task
    events = [each.data["attention"] for each in await lab.events(execution_id) if each.what is EventType.PROGRESS]
    codes = [each["code"] if isinstance(each, dict) else None for each in events]
    assert [code for code, _ in groupby(codes)] == ["FLEET_UNREACHABLE", None]
    assert lab.violations() == []
    said = [each.getMessage() for each in caplog.records if each.name.endswith("runner.attention")]
    assert ["needs attention: FLEET_UNREACHABLE" in said[0], "goes on" in said[1], len(said)] == [True, True, 2]


async def test_attention_counts_what_the_runner_before_has_met_in_the_same_process(make_lab: MakeLab) -> None:
    lab = await make_lab(size=2)
    execution_id = await lab.admitted()
    await AttentionKeeper(lab.world.ports, execution_id, goes_on=True).failed("FLEET_BUSY", "503")
    assert lab.attention() is None
    await AttentionKeeper(lab.world.ports, execution_id).failed("FLEET_BUSY", "503")
    assert lab.attention() is None, "a check that looks beside another one counts for itself"
    await AttentionKeeper(lab.world.ports, execution_id, goes_on=True).failed("FLEET_BUSY", "503")
    assert lab.attention() is not None
