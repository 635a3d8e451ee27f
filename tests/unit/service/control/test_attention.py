"""The control loops note why nobody works on an execution, and take it back; Airflow is scripted."""

import asyncio
import logging
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any

import pytest

from tests.labs.crash_after import Crashed, CrashPoint, crashing
from tests.labs.fleet.edited import EditedFleets, silent
from tests.labs.lab import OLGA, abandoned, until
from tests.labs.memory.lab import MakeLab, MemoryLab
from upgrade_orchestrator.domain.airflow.stuck import AirflowSight, Component, RunSight, TaskSight
from upgrade_orchestrator.domain.execution.attention import Attention
from upgrade_orchestrator.domain.execution.events import EventType
from upgrade_orchestrator.domain.execution.execution import dag_id_of
from upgrade_orchestrator.service.control.attention import LOOKS, AttentionWatch
from upgrade_orchestrator.service.control.loops import ATTENTION_SECONDS, LOOPS
from upgrade_orchestrator.service.ports.fleet import WrongConnection
from upgrade_orchestrator.service.runner.attention import AttentionKeeper
from upgrade_orchestrator.service.upgrade.commands import cancel_upgrade, pause_upgrade

UP, DOWN = Component(3, 30), Component(40, 30)
DEFERRED = TaskSight("batch_001", "deferred")


def sight(execution_id: str, tasks: Sequence[TaskSight] = (DEFERRED,), triggerer: Component = DOWN) -> AirflowSight:
    """Airflow with one run, by default of a task that its dead triggerer should work on."""
    runs = {dag_id_of(execution_id): RunSight("running", tasks=tasks)}
    return AirflowSight(scheduler=UP, triggerer=triggerer, dag_processor=UP, runs=runs)


class Looks:
    """The looks of one process at a lab's executions, each after the gap of the loop."""

    def __init__(self, lab: MemoryLab) -> None:
        self.lab, self.watch = lab, AttentionWatch()

    async def see(self, what: AirflowSight, times: int = 1, gap: float = ATTENTION_SECONDS) -> Attention | None:
        """What the newest execution's row says after so many looks."""
        self.lab.world.airflow.sight = what
        for _ in range(times):
            await asyncio.sleep(gap)
            await self.watch.look(self.lab.world.ports)
        return self.lab.attention()


async def noted_in_events(lab: MemoryLab, execution_id: str) -> list[Any]:
    """The attention in the progress events, in their order."""
    events = [each for each in await lab.events(execution_id) if each.what is EventType.PROGRESS]
    return [each.data["attention"] for each in events]


async def test_problem_is_noted_at_the_third_look_and_taken_back_at_the_first_without_it(make_lab: MakeLab) -> None:
    lab = await make_lab(size=2)
    execution_id, looks = await lab.admitted(), Looks(lab)
    assert await looks.see(sight(execution_id), LOOKS - 1) is None
    noted = await looks.see(sight(execution_id))
    assert noted is not None
    assert (noted.code, noted.tries) == ("TRIGGERER_DOWN", LOOKS)
    assert "no heartbeat for 40 s" in noted.message
    assert await looks.see(sight(execution_id, triggerer=UP)) is None


async def test_since_is_when_the_problem_began(make_lab: MakeLab) -> None:
    lab = await make_lab(size=2)
    execution_id, looks = await lab.admitted(), Looks(lab)
    noted = await looks.see(sight(execution_id), LOOKS)
    assert noted is not None
    assert (lab.world.database.now() - noted.since).total_seconds() == pytest.approx(40, abs=1)


async def test_problem_that_is_gone_in_between_is_not_noted(make_lab: MakeLab) -> None:
    lab = await make_lab(size=2)
    execution_id, looks = await lab.admitted(), Looks(lab)
    for _ in range(4):
        assert await looks.see(sight(execution_id), LOOKS - 1) is None
        assert await looks.see(sight(execution_id, triggerer=UP)) is None


async def test_looks_before_a_time_in_which_another_process_led_do_not_count(make_lab: MakeLab) -> None:
    lab = await make_lab(size=2)
    execution_id, looks = await lab.admitted(), Looks(lab)
    assert await looks.see(sight(execution_id), LOOKS - 1) is None
    assert await looks.see(sight(execution_id), gap=60) is None


async def test_next_leader_takes_back_what_the_last_one_has_noted(make_lab: MakeLab) -> None:
    lab = await make_lab(size=2)
    execution_id = await lab.admitted()
    assert await Looks(lab).see(sight(execution_id), LOOKS)
    assert await Looks(lab).see(sight(execution_id)), "it lasts: the next one's first look changes nothing"
    assert await Looks(lab).see(sight(execution_id, triggerer=UP)) is None


async def test_change_of_the_attention_is_an_event_and_a_repetition_is_none(make_lab: MakeLab) -> None:
    lab = await make_lab(size=2)
    execution_id, looks = await lab.admitted(), Looks(lab)
    await looks.see(sight(execution_id), LOOKS + 20)
    await looks.see(sight(execution_id, [TaskSight("batch_001", "queued", 30)]), LOOKS)
    await looks.see(sight(execution_id, triggerer=UP))
    found = await noted_in_events(lab, execution_id)
    assert [each and each["code"] for each in found] == ["TRIGGERER_DOWN", "NO_WORKER", None]
    assert lab.violations() == []


async def test_tries_are_counted_on_while_the_problem_lasts(make_lab: MakeLab) -> None:
    lab = await make_lab(size=2)
    execution_id, looks = await lab.admitted(), Looks(lab)
    first = await looks.see(sight(execution_id), LOOKS)
    later = await looks.see(sight(execution_id), 12)
    assert first is not None
    assert later is not None
    assert (later.tries > first.tries, later.since) == (True, first.since)


async def test_begin_and_end_are_a_line_of_the_log_each(make_lab: MakeLab, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    lab = await make_lab(size=2)
    execution_id, looks = await lab.admitted(), Looks(lab)
    caplog.clear()
    await looks.see(sight(execution_id), LOOKS + 20)
    await looks.see(sight(execution_id, triggerer=UP), 3)
    said = [each.getMessage() for each in caplog.records if "attention" in each.name]
    assert len(said) == 2, said
    assert "needs attention: TRIGGERER_DOWN" in said[0]
    assert "goes on: TRIGGERER_DOWN is over" in said[1]


async def test_paused_execution_loses_it_and_gets_none(make_lab: MakeLab) -> None:
    lab = await make_lab(size=2)
    execution_id, looks = await lab.admitted(), Looks(lab)
    assert await looks.see(sight(execution_id), LOOKS)
    await pause_upgrade(lab.world.ports, execution_id, None, OLGA)
    assert await looks.see(sight(execution_id)) is None
    assert await looks.see(sight(execution_id), LOOKS + 1) is None


async def test_cancelled_execution_keeps_it_only_until_it_is_settled(make_lab: MakeLab) -> None:
    lab = await make_lab(size=2, upgrade_seconds=100)
    execution_id, looks = await lab.admitted(), Looks(lab)
    task = lab.running(execution_id, 1)
    await until(lambda: lab.statuses()["UPGRADING"] == 1, "the first one is upgraded")
    await abandoned(task)
    await cancel_upgrade(lab.world.ports, execution_id, None, OLGA)
    assert await looks.see(sight(execution_id), LOOKS), "its instance is in flight, and nobody finishes it"
    assert (await lab.end(execution_id)).attention is None
    assert await looks.see(sight(execution_id), LOOKS + 1) is None


async def test_runner_takes_back_only_its_own_and_the_loop_only_its_own(make_lab: MakeLab) -> None:
    lab = await make_lab(size=2)
    fleets = EditedFleets(lab.world.ports.fleets)
    lab = lab.with_ports(fleets=fleets)
    execution_id, looks = await lab.admitted(health_check_timeout_seconds=60), Looks(lab)
    fleets.before = silent
    task = lab.running(execution_id, 1)
    await until(lambda: lab.attention() is not None, "the runner names its fleet")
    noted = await looks.see(sight(execution_id, triggerer=UP), LOOKS)
    assert noted is not None
    assert noted.code == "FLEET_UNREACHABLE", "a runner is at work, so the loop has nothing to say"
    await abandoned(task)
    noted = await looks.see(sight(execution_id), LOOKS)
    assert noted is not None
    assert noted.code == "TRIGGERER_DOWN", "nobody is at work any more, so the runner cannot take its own back"
    fleets.before = lambda *_: None
    assert (await lab.run(execution_id, 1)).reason == ""
    assert lab.attention() == noted, "the loop's is not the runner's to take back"
    assert await looks.see(sight(execution_id, triggerer=UP)) is None


async def test_runner_replaces_what_the_loop_has_noted_by_what_it_meets(make_lab: MakeLab) -> None:
    lab = await make_lab(size=2)
    fleets = EditedFleets(lab.world.ports.fleets)
    lab = lab.with_ports(fleets=fleets)
    execution_id, looks = await lab.admitted(health_check_timeout_seconds=60), Looks(lab)
    await looks.see(sight(execution_id), LOOKS)
    fleets.before = silent
    task = lab.running(execution_id, 1)
    await until(
        lambda: (lab.attention() or Attention("", lab.world.database.now(), "", 0)).code[:5] == "FLEET", "its own"
    )
    fleets.before = lambda *_: None
    await task
    assert lab.attention() is None


async def test_word_of_the_runner_stays_while_its_task_fails_for_that_and_not_when_it_fails_for_another_reason(
    make_lab: MakeLab,
) -> None:
    lab = await make_lab(size=2)
    execution_id, looks = await lab.admitted(), Looks(lab)
    said = "the Airflow connection fleet is not defined"
    await AttentionKeeper(lab.world.ports, execution_id).stuck(WrongConnection(said), None)
    failing = TaskSight("verify", "up_for_retry", tries=3, reason=f"WrongConnection: {said}")
    for task in (failing, replace(failing, state="running", ran=1.0, tries=4), failing):
        noted = await looks.see(sight(execution_id, [task], UP), LOOKS)
        assert noted is not None
        assert noted.code == "FLEET_CONNECTION"
    assert len(await noted_in_events(lab, execution_id)) == 1
    noted = await looks.see(sight(execution_id, [replace(failing, reason="Unavailable: no database")], UP), LOOKS)
    assert noted is not None
    assert noted.code == "TASK_FAILING"


async def test_airflow_is_not_asked_while_nothing_runs(make_lab: MakeLab) -> None:
    lab = await make_lab(size=2)
    await lab.created()
    await AttentionWatch().look(lab.world.ports)
    assert lab.world.airflow.looks == 0


async def test_airflow_is_asked_once_for_all_executions(make_lab: MakeLab) -> None:
    lab = await make_lab(size=2)
    await lab.admitted()
    watch = AttentionWatch()
    for _ in range(3):
        await watch.look(lab.world.ports)
    assert lab.world.airflow.looks == 3


def test_loop_is_among_the_control_loops() -> None:
    (found,) = [each for each in LOOPS if each.name == "note-attention"]
    assert found.seconds == ATTENTION_SECONDS
    assert LOOKS * ATTENTION_SECONDS <= 10


@pytest.mark.parametrize("moments", [0, 1], ids=["before its commit", "after its commit"])
async def test_process_that_dies_while_it_writes_is_followed_by_one_that_tells_it_once(
    make_lab: MakeLab, moments: int
) -> None:
    lab = await make_lab(size=2)
    execution_id, looks = await lab.admitted(), Looks(lab)
    await looks.see(sight(execution_id), LOOKS - 1)
    await asyncio.sleep(ATTENTION_SECONDS)
    with suppress(Crashed):
        await looks.watch.look(crashing(lab, CrashPoint(moments)).world.ports)
    assert (lab.attention() is not None) is (moments > 0)
    assert await Looks(lab).see(sight(execution_id), LOOKS)
    assert [each["code"] for each in await noted_in_events(lab, execution_id)] == ["TRIGGERER_DOWN"]
