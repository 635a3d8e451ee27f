"""A DAG that is unpaused in the Airflow UI resumes its execution by the rule of the command (section 3)."""

import asyncio
from typing import Any

import pytest

from tests.labs.lab import OLGA, Lab
from tests.labs.memory.lab import MakeLab, MemoryLab
from tests.labs.seed import NEW
from upgrade_orchestrator.domain.airflow.task_states import RunView
from upgrade_orchestrator.domain.errors import Unavailable
from upgrade_orchestrator.domain.execution.events import EventType
from upgrade_orchestrator.domain.execution.states import ExecutionStatus
from upgrade_orchestrator.domain.registry.entries import VersionStatus
from upgrade_orchestrator.service.control import unpaused
from upgrade_orchestrator.service.control.loops import LOOPS
from upgrade_orchestrator.service.control.reconcile import reconcile
from upgrade_orchestrator.service.control.unpaused import FLEET_SECONDS, resume_unpaused
from upgrade_orchestrator.service.upgrade.commands import resume_upgrade

S = ExecutionStatus
RUNNING, PAUSED = RunView("7", "running"), RunView("7", "running", paused=True)
FOLLOWS_WITHIN = 15.0
"Seconds (section 3)."


async def unpaused_in_airflow(make_lab: MakeLab) -> tuple[MemoryLab, str]:
    """An execution that was paused with its DAG, which has just been unpaused."""
    lab = await make_lab(size=2)
    execution_id = await lab.admitted(batch_size=1)
    for run in (RUNNING, PAUSED):
        lab.world.airflow.show(execution_id, run)
        await reconcile(lab.world.ports)
    assert (await lab.execution(execution_id)).status is S.PAUSED
    lab.world.airflow.show(execution_id, RUNNING)
    return lab, execution_id


async def commands(lab: Lab, execution_id: str) -> list[Any]:
    found = [each.data for each in await lab.events(execution_id) if each.what is EventType.COMMAND_RECEIVED]
    return [(each["command"], each["source"], each["reason"]) for each in found if each["command"] == "resume"]


# fault 48
async def test_unpaused_dag_resumes_with_a_warning_when_the_target_is_deprecated(make_lab: MakeLab) -> None:
    lab, execution_id = await unpaused_in_airflow(make_lab)
    await lab.change_version(NEW, status=VersionStatus.DEPRECATED)
    await resume_unpaused(lab.world.ports)
    execution = await lab.execution(execution_id)
    assert (execution.status, lab.world.airflow.paused) == (S.IN_PROGRESS, [])
    assert "is DEPRECATED" in execution.warnings[-1]
    assert await commands(lab, execution_id) == [("resume", "UI", "the DAG was unpaused in Airflow")]


# fault 48
async def test_unpaused_dag_is_paused_again_with_the_reason_when_the_upgrade_cannot_go_on(make_lab: MakeLab) -> None:
    lab, execution_id = await unpaused_in_airflow(make_lab)
    lab.change_paths(blockers=("closed for now",))
    await resume_unpaused(lab.world.ports)
    execution = await lab.execution(execution_id)
    assert (execution.status, execution.dag_paused) == (S.PAUSED, True)
    assert lab.world.airflow.paused == [f"upgrade__{execution_id}"]
    said = "the DAG was unpaused in Airflow, but the upgrade stays paused: "
    said += "the path 3.6.0 to 3.7.0 is closed: closed for now"
    assert execution.status_reason == said
    assert await commands(lab, execution_id) == [("resume", "UI", f"refused: {said}")]
    lab.change_paths(blockers=())
    lab.world.airflow.show(execution_id, RUNNING)
    await resume_unpaused(lab.world.ports)
    assert (await lab.execution(execution_id)).status is S.IN_PROGRESS


async def test_refusal_is_kept_once_when_the_dag_cannot_be_paused_again_at_first(
    make_lab: MakeLab, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As when the process dies between keeping the reason and pausing the DAG: the next round finds the same again."""
    lab, execution_id = await unpaused_in_airflow(make_lab)
    lab.change_paths(blockers=("closed for now",))

    async def away(_: str) -> None:
        raise Unavailable("no Airflow at the moment")

    with monkeypatch.context() as patched:
        patched.setattr(lab.world.airflow, "pause", away)
        await resume_unpaused(lab.world.ports)
    assert "closed for now" in (await lab.execution(execution_id)).status_reason
    await resume_unpaused(lab.world.ports)
    assert (len(await commands(lab, execution_id)), len(lab.world.airflow.paused)) == (1, 1)


async def test_fleet_that_is_away_keeps_the_execution_paused(make_lab: MakeLab) -> None:
    lab, execution_id = await unpaused_in_airflow(make_lab)
    lab.fault("agent-503")
    await resume_unpaused(lab.world.ports)
    execution = await lab.execution(execution_id)
    assert (execution.status, "the fleet does not answer" in execution.status_reason) == (S.PAUSED, True)
    assert lab.world.airflow.paused == [f"upgrade__{execution_id}"]


async def test_fleet_that_takes_too_long_keeps_the_execution_paused(
    make_lab: MakeLab, monkeypatch: pytest.MonkeyPatch
) -> None:
    lab, execution_id = await unpaused_in_airflow(make_lab)
    monkeypatch.setattr(unpaused, "FLEET_SECONDS", 0)
    await resume_unpaused(lab.world.ports)
    assert "the fleet did not answer within 0 s" in (await lab.execution(execution_id)).status_reason


async def test_fleet_that_never_responds_delays_neither_the_reconciler_nor_another_resumption(
    make_lab: MakeLab, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The fleet is asked with no lock held: meanwhile others read, lock and change the execution."""
    lab, execution_id = await unpaused_in_airflow(make_lab)
    asked, release = asyncio.Event(), asyncio.Event()

    async def hang(*_: Any, **__: Any) -> tuple[str, ...]:
        asked.set()
        await release.wait()
        return ()

    monkeypatch.setattr(unpaused, "require_runnable", hang)
    round_of_it = asyncio.create_task(resume_unpaused(lab.world.ports))
    await asked.wait()
    await reconcile(lab.world.ports)
    assert (await resume_upgrade(lab.world.ports, execution_id, None, OLGA)).status is S.IN_PROGRESS
    release.set()
    await round_of_it
    assert [each[1] for each in await commands(lab, execution_id)] == ["API"]


def test_unpaused_dag_is_followed_within_the_promised_time_when_its_fleet_never_responds() -> None:
    (loop,) = [each for each in LOOPS if each.use_case is resume_unpaused]
    assert loop.seconds + FLEET_SECONDS < FOLLOWS_WITHIN


async def test_dag_that_stays_paused_resumes_nothing(make_lab: MakeLab) -> None:
    lab, execution_id = await unpaused_in_airflow(make_lab)
    lab.world.airflow.show(execution_id, PAUSED)
    await resume_unpaused(lab.world.ports)
    assert (await lab.execution(execution_id)).status is S.PAUSED
    assert await commands(lab, execution_id) == []


async def test_round_takes_a_bounded_number_of_executions(make_lab: MakeLab, monkeypatch: pytest.MonkeyPatch) -> None:
    lab, execution_id = await unpaused_in_airflow(make_lab)
    monkeypatch.setattr(unpaused, "MAX_IN_ROUND", 0)
    await resume_unpaused(lab.world.ports)
    assert (await lab.execution(execution_id)).status is S.PAUSED
