"""Changes in the Airflow UI are applied to the execution; Airflow is simulated, store and fleet are real."""

from collections import Counter
from typing import Any

import pytest

from tests.labs.lab import OLGA, Lab, seconds_between, until
from tests.labs.memory.lab import MakeLab
from tests.labs.seed import NEW_VERSION
from upgrade_orchestrator.domain.airflow.task_states import RunView
from upgrade_orchestrator.domain.errors import Unavailable
from upgrade_orchestrator.domain.execution.events import EventType
from upgrade_orchestrator.domain.execution.execution import Strategy
from upgrade_orchestrator.domain.execution.states import ExecutionStatus
from upgrade_orchestrator.service.control.reconcile import reconcile
from upgrade_orchestrator.service.control.unpaused import resume_unpaused
from upgrade_orchestrator.service.runner.outcome import Ending
from upgrade_orchestrator.service.upgrade.commands import (
    cancel_upgrade,
    pause_upgrade,
    resume_upgrade,
    roll_back_upgrade,
)

S = ExecutionStatus
RUNNING, PAUSED = RunView("7", "running"), RunView("7", "running", paused=True)


async def seen(lab: Lab, execution_id: str, run: RunView | None = RUNNING) -> ExecutionStatus:
    """The status after one round of the reconciler and of resumptions that see `run` in Airflow (None: no such DAG)."""
    if run is not None:
        lab.world.airflow.show(execution_id, run)
    else:
        lab.world.airflow.runs.clear()
    await reconcile(lab.world.ports)
    await resume_unpaused(lab.world.ports)
    return (await lab.execution(execution_id)).status


async def brought_to(lab: Lab, status: ExecutionStatus) -> str:
    """A new execution in `status` with its run seen; nothing is in flight."""
    if status is S.VALIDATING:
        execution_id = (await lab.validating()).id
    elif status in (S.CANARY_RUNNING, S.CANARY_MONITORING):
        execution_id = await lab.admitted(strategy=Strategy.CANARY)
        if status is S.CANARY_MONITORING:
            await lab.run(execution_id, 1)
    else:
        execution_id = await lab.admitted(batch_size=1)
        await lab.run(execution_id, 1)
    if status is S.PAUSED:
        await pause_upgrade(lab.world.ports, execution_id, None, OLGA)
    if status is S.ROLLING_BACK:
        await roll_back_upgrade(lab.world.ports, execution_id, None, OLGA)
    assert await seen(lab, execution_id) is status
    return execution_id


async def data_of(lab: Lab, execution_id: str, what: EventType) -> list[Any]:
    return [each.data for each in await lab.events(execution_id) if each.what is what]


ACTIVE = [S.VALIDATING, S.IN_PROGRESS, S.CANARY_RUNNING, S.CANARY_MONITORING, S.PAUSED, S.ROLLING_BACK]


async def test_paused_dag_pauses_and_unpaused_dag_resumes_in_the_same_status(make_lab: MakeLab) -> None:
    lab = await make_lab(size=4, upgrade_seconds=0.3)
    execution_id = await lab.admitted()
    assert await seen(lab, execution_id) is S.IN_PROGRESS
    task = lab.running(execution_id, 1)
    await until(lab.upgrades, "an upgrade under way")
    assert await seen(lab, execution_id, PAUSED) is S.PAUSED
    begun = lab.upgrades()
    await until(lambda: not lab.lease()[2], "nothing is in flight any more")
    assert (lab.upgrades(), task.done()) == (begun, False)
    assert await seen(lab, execution_id) is S.IN_PROGRESS
    assert (await task).ending is Ending.DONE
    assert Counter(lab.upgrades()) == Counter({lab.name(each): 1 for each in range(1, 5)})
    commands = await data_of(lab, execution_id, EventType.COMMAND_RECEIVED)
    assert [(each["command"], each["actor"], each["source"]) for each in commands[1:]] == [
        ("pause", "airflow", "UI"),
        ("resume", "airflow", "UI"),
    ]
    assert lab.world.rows("command") == 3


async def test_paused_dag_pauses_a_canary_upgrade_which_resumes_in_its_canary_status(make_lab: MakeLab) -> None:
    lab = await make_lab(size=4)
    execution_id = await brought_to(lab, S.CANARY_RUNNING)
    assert await seen(lab, execution_id, PAUSED) is S.PAUSED
    assert await seen(lab, execution_id) is S.CANARY_RUNNING


async def test_pause_of_the_dag_delays_the_next_batch_by_its_length(make_lab: MakeLab) -> None:
    lab = await make_lab(size=2)
    execution_id = await lab.admitted(batch_size=1, batch_delay_seconds=3600)
    await lab.run(execution_id, 1)
    due = (await lab.batches(execution_id))[1].due_at
    await seen(lab, execution_id, PAUSED)
    await seen(lab, execution_id)
    pushed = seconds_between(due, (await lab.batches(execution_id))[1].due_at)
    assert pushed == pytest.approx((await lab.execution(execution_id)).paused_seconds, abs=0.01)
    assert pushed > 0


@pytest.mark.parametrize("status", [S.VALIDATING, S.CANARY_MONITORING])
async def test_paused_dag_waits_for_a_status_that_has_a_pause(make_lab: MakeLab, status: ExecutionStatus) -> None:
    lab = await make_lab(size=4)
    execution_id = await brought_to(lab, status)
    assert await seen(lab, execution_id, PAUSED) is status
    await lab.go(execution_id, S.IN_PROGRESS)
    assert await seen(lab, execution_id, PAUSED) is S.PAUSED


async def test_pause_over_rest_is_not_resumed_by_the_dag(make_lab: MakeLab) -> None:
    lab = await make_lab(size=2)
    execution_id = await brought_to(lab, S.PAUSED)
    for run in (RUNNING, PAUSED, RUNNING):
        assert await seen(lab, execution_id, run) is S.PAUSED


async def test_resume_over_rest_unpauses_the_dag_and_stays_resumed(make_lab: MakeLab) -> None:
    lab = await make_lab(size=2)
    execution_id = await brought_to(lab, S.IN_PROGRESS)
    await seen(lab, execution_id, PAUSED)
    await resume_upgrade(lab.world.ports, execution_id, None, OLGA)
    assert lab.world.airflow.unpaused == [f"upgrade__{execution_id}"]
    await reconcile(lab.world.ports)
    assert (await lab.execution(execution_id)).status is S.IN_PROGRESS


@pytest.mark.parametrize(("command", "status"), [(cancel_upgrade, S.CANCELLED), (roll_back_upgrade, S.ROLLING_BACK)])
@pytest.mark.parametrize("away", [False, True], ids=["airflow reachable", "airflow unreachable"])
async def test_cancel_and_rollback_unpause_a_paused_dag(
    make_lab: MakeLab, command: Any, status: ExecutionStatus, away: bool
) -> None:
    lab = await make_lab(size=2)
    execution_id = await brought_to(lab, S.IN_PROGRESS)
    await seen(lab, execution_id, PAUSED)
    lab.world.airflow.away = away
    assert (await command(lab.world.ports, execution_id, None, OLGA)).status is status
    lab.world.airflow.away = False
    await reconcile(lab.world.ports)
    assert lab.world.airflow.unpaused == [f"upgrade__{execution_id}"]
    assert (await lab.execution(execution_id)).status is status


@pytest.mark.parametrize("status", [S.ROLLING_BACK, S.CANCELLED])
async def test_dag_is_unpaused_in_a_status_that_cannot_be_paused(make_lab: MakeLab, status: ExecutionStatus) -> None:
    lab = await make_lab(size=2)
    execution_id = await brought_to(lab, S.IN_PROGRESS)
    await lab.go(execution_id, status)
    assert await seen(lab, execution_id, PAUSED) is status
    assert lab.world.airflow.unpaused == [f"upgrade__{execution_id}"]


@pytest.mark.parametrize("status", ACTIVE)
@pytest.mark.parametrize(
    ("run", "why"),
    [
        (RunView("7", "failed"), "the DAG run was marked failed in Airflow before the upgrade had ended"),
        (RunView("7", "success"), "the DAG run was marked success in Airflow before the upgrade had ended"),
        (RunView("8", "running"), "the DAG run was deleted in Airflow"),
        (None, "the DAG run was deleted in Airflow"),
    ],
    ids=["failed", "success", "replaced", "deleted"],
)
async def test_execution_fails_when_no_task_carries_it_out(
    make_lab: MakeLab, status: ExecutionStatus, run: RunView | None, why: str
) -> None:
    lab = await make_lab(size=4)
    execution_id = await brought_to(lab, status)
    assert await seen(lab, execution_id, run) is S.FAILED
    execution = await lab.execution(execution_id)
    assert (execution.status_reason, execution.completed_at is not None) == (why, True)
    assert execution.failure_phase == ("ROLLBACK" if status is S.ROLLING_BACK else None)
    last = (await data_of(lab, execution_id, EventType.STATUS_CHANGED))[-1]
    assert (last["to"], last["actor"], last["source"]) == ("FAILED", "airflow", "UI")


async def test_run_that_airflow_has_not_created_yet_is_no_drift(make_lab: MakeLab) -> None:
    lab = await make_lab(size=2)
    execution_id = (await lab.validating()).id
    assert await seen(lab, execution_id, None) is S.VALIDATING
    assert await seen(lab, execution_id, RunView()) is S.VALIDATING  # the DAG is there, its run is not


async def test_run_is_stored_when_it_is_first_seen(make_lab: MakeLab) -> None:
    lab = await make_lab(size=2)
    execution_id = (await lab.validating()).id
    await seen(lab, execution_id)
    first = await lab.execution(execution_id)
    await seen(lab, execution_id)
    assert (first.run_ref, await lab.execution(execution_id)) == ("7", first)


async def test_unreachable_airflow_changes_no_execution(make_lab: MakeLab) -> None:
    lab = await make_lab(size=2)
    execution_id = await brought_to(lab, S.IN_PROGRESS)
    lab.world.airflow.away = True
    with pytest.raises(Unavailable):
        await reconcile(lab.world.ports)
    assert (await lab.execution(execution_id)).status is S.IN_PROGRESS


async def test_outdated_view_of_a_run_changes_no_execution(make_lab: MakeLab, monkeypatch: pytest.MonkeyPatch) -> None:
    lab = await make_lab(size=2)
    execution_id = await brought_to(lab, S.IN_PROGRESS)
    airflow, pictures = lab.world.airflow, [RunView("7", "failed"), RUNNING]
    read = airflow.read

    async def changing(dag_ids: Any, with_tasks: bool = False) -> dict[str, RunView]:
        airflow.show(execution_id, pictures.pop(0))
        return await read(dag_ids, with_tasks)

    monkeypatch.setattr(airflow, "read", changing)
    await reconcile(lab.world.ports)
    assert (await lab.execution(execution_id)).status is S.IN_PROGRESS
    assert pictures == []


async def test_completed_upgrade_is_not_changed_by_the_reconciler(make_lab: MakeLab) -> None:
    lab = await make_lab(size=2)
    execution_id = await brought_to(lab, S.IN_PROGRESS)
    assert (await lab.upgrade(execution_id)).status is S.COMPLETED
    for run in (RunView("7", "success"), RunView("7", "failed"), PAUSED, None):
        assert await seen(lab, execution_id, run) is S.COMPLETED
    assert lab.world.airflow.unpaused == []
    assert lab.versions() == {NEW_VERSION: 2}
