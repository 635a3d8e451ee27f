"""Finished tasks are marked as succeeded in Airflow's own tables if they are ours, deferred and not locked."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import insert, select, text

from tests.integration.adapters.conftest import OTHERS, OURS, Sessions
from upgrade_orchestrator.adapters.airflow.tasks import ended_tasks
from upgrade_orchestrator.adapters.airflow.tasks.ended_tasks import mark_succeeded
from upgrade_orchestrator.domain.errors import Unavailable

Add = Callable[..., str]


@pytest.fixture
def task(sessions: Sessions) -> Add:
    """Stores a task instance and returns its id."""
    from airflow.models.taskinstance import TaskInstance

    def add(**fields: Any) -> str:
        values = {"id": uuid4(), "dag_id": OURS, "task_id": f"task-{uuid4()}", "run_id": "run", "state": "deferred"}
        values |= {"map_index": -1, "pool": "default_pool", "pool_slots": 1, "try_number": 1, "max_tries": 200}
        values |= {"start_date": datetime.now(UTC) - timedelta(seconds=5), "trigger_id": 7, **fields}
        with sessions() as session:
            session.execute(text("SET LOCAL session_replication_role = replica"))  # there is no trigger 7
            session.execute(insert(TaskInstance.__table__).values(**values))
        return str(values["id"])

    return add


@pytest.fixture
def row(sessions: Sessions) -> Callable[[str], Any]:
    """A task instance's columns."""
    from airflow.models.taskinstance import TaskInstance

    def read(task_id: str) -> Any:
        table = TaskInstance.__table__
        with sessions() as session:
            return session.execute(select(table).where(table.c.id == UUID(task_id))).mappings().one()

    return read


async def test_finished_task_is_marked_as_succeeded_and_its_trigger_is_released(task: Add, row: Any) -> None:
    ids = [task(), task()]
    await mark_succeeded(ids)
    found = [row(each) for each in ids]
    assert [(each["state"], each["trigger_id"]) for each in found] == [("success", None)] * 2
    assert all(each["duration"] >= 5 for each in found)


async def test_cleared_task_has_its_duration_from_its_new_start(task: Add, row: Any) -> None:
    cleared = task(end_date=datetime.now(UTC) - timedelta(hours=1))
    await mark_succeeded([cleared])
    assert row(cleared)["duration"] >= 5


@pytest.mark.parametrize("state", ["success", "failed", "skipped", "running", "queued", None])
async def test_task_that_is_not_deferred_is_not_changed(task: Add, row: Any, state: str | None) -> None:
    other = task(state=state)
    before = row(other)
    await mark_succeeded([other])
    assert row(other) == before


async def test_task_of_another_dag_is_not_changed(task: Add, row: Any) -> None:
    other = task(dag_id=OTHERS)
    await mark_succeeded([other])
    assert row(other)["state"] == "deferred"


async def test_missing_task_and_invalid_id_are_ignored(task: Add, row: Any) -> None:
    known = task()
    await mark_succeeded([str(uuid4()), "no id", "", known])
    assert row(known)["state"] == "success"


async def test_task_whose_row_is_locked_is_left_to_its_trigger(task: Add, row: Any, sessions: Sessions) -> None:
    taken, free = task(), task()
    with sessions() as session:
        session.execute(text("SELECT 1 FROM task_instance WHERE id = :id FOR UPDATE"), {"id": taken})
        await mark_succeeded([taken, free])
    assert (row(taken)["state"], row(free)["state"]) == ("deferred", "success")


async def test_frozen_process_loses_the_lock_of_its_tasks(
    task: Add, row: Any, sessions: Sessions, monkeypatch: pytest.MonkeyPatch
) -> None:
    held = task()
    monkeypatch.setattr(ended_tasks, "IDLE_LOCK_TIMEOUT_SECONDS", 0.2)
    with sessions() as session:
        ended_tasks._end_well(session, [UUID(held)])
        with sessions() as other:  # waits until PostgreSQL has ended the frozen one's transaction
            other.execute(text("SET LOCAL lock_timeout = '30s'"))
            other.execute(text("SELECT 1 FROM task_instance WHERE id = :id FOR UPDATE"), {"id": held})
        session.invalidate()
    assert row(held)["state"] == "deferred"


async def test_database_that_refuses_connections_raises_unavailable(
    task: Add, sessions: Sessions, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ended_tasks, "IDLE_LOCK_TIMEOUT_SECONDS", -1.0)
    with pytest.raises(Unavailable):
        await mark_succeeded([task()])
