"""One look at Airflow's own tables: components, runs, unfinished tasks with the age of their state, pools, errors."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from math import inf
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import delete, event, insert, text
from sqlalchemy.engine import Engine

from tests.integration.adapters.conftest import OURS, Sessions
from upgrade_orchestrator.adapters.airflow.runs import AirflowRuns
from upgrade_orchestrator.adapters.airflow.sight import said_by
from upgrade_orchestrator.domain.airflow.stuck import AirflowSight, Pool

Put = Callable[..., None]


def ago(seconds: float) -> datetime:
    return datetime.now(UTC) - timedelta(seconds=seconds)


@pytest.fixture
def put(sessions: Sessions) -> Iterator[Put]:
    """Stores a row of Airflow's; all of them are removed at the end."""
    from airflow.models.base import Base

    tables = Base.metadata.tables
    used = list[str]()

    def add(name: str, **values: Any) -> None:
        used.append(name)
        with sessions() as session:
            session.execute(text("SET LOCAL session_replication_role = replica"))  # no rows that these refer to
            session.execute(insert(tables[name]).values(**values))

    dag = {"bundle_name": "dags", "is_paused": False, "is_stale": False, "max_active_tasks": 1, "max_active_runs": 1}
    dag |= {"max_consecutive_failed_dag_runs": 0, "has_task_concurrency_limits": False, "has_import_errors": False}
    add("dag", dag_id=OURS, **dag)
    yield add
    with sessions() as session:
        session.execute(text("SET LOCAL session_replication_role = replica"))
        for name in dict.fromkeys(used):
            session.execute(delete(tables[name]))


@pytest.fixture
def task(put: Put) -> Put:
    """Stores a task instance of our run."""

    def add(state: str | None, **fields: Any) -> None:
        values = {"id": uuid4(), "dag_id": OURS, "task_id": f"t-{state}", "run_id": "run", "state": state}
        values |= {"map_index": -1, "pool": "default_pool", "pool_slots": 1, "try_number": 1, "max_tries": 200}
        put("task_instance", **values | {"updated_at": ago(5), **fields})

    return add


async def look(*dag_ids: str) -> AirflowSight:
    return await AirflowRuns().look(dag_ids or (OURS,))


async def test_component_is_as_silent_as_the_newest_heartbeat_of_its_processes(put: Put) -> None:
    for kind, state, seconds in (
        ("SchedulerJob", "running", 400),
        ("SchedulerJob", "running", 7),
        ("TriggererJob", "success", 50),
        ("DagProcessorJob", "running", 99_999),
    ):
        put("job", job_type=kind, state=state, latest_heartbeat=ago(seconds))
    seen = await look()
    assert seen.scheduler.silent == pytest.approx(7, abs=2)
    assert seen.triggerer.silent == pytest.approx(50, abs=2), "one that has ended was alive until then"
    assert seen.dag_processor.silent == inf
    assert (seen.scheduler.limit, seen.triggerer.limit, seen.dag_processor.limit) == (30, 30, 30)
    assert [seen.scheduler.is_down, seen.triggerer.is_down, seen.dag_processor.is_down] == [False, True, True]


async def test_unfinished_tasks_have_the_age_of_their_state(task: Put) -> None:
    task("running", last_heartbeat_at=ago(10), start_date=ago(100), updated_at=ago(1))
    task("queued", queued_dttm=ago(20), scheduled_dttm=ago(30), updated_at=ago(1))
    task("scheduled", scheduled_dttm=ago(30), updated_at=ago(1))
    task("deferred", updated_at=ago(40))
    task("up_for_retry", end_date=ago(50), try_number=3, retry_reason="KeyError: 'x'")
    task("success", end_date=ago(60))
    task(None)
    run = (await look()).runs[OURS]
    ages = {each.state: each.seconds for each in run.tasks}
    assert ages.keys() == {"running", "queued", "scheduled", "deferred", "up_for_retry", None}
    for state, seconds in (("running", 10), ("queued", 20), ("scheduled", 30), ("deferred", 40)):
        assert ages[state] == pytest.approx(seconds, abs=2), state
    found = {each.state: each for each in run.tasks}
    assert found["running"].ran == pytest.approx(100, abs=2)
    assert (found["up_for_retry"].tries, found["up_for_retry"].reason) == (3, "KeyError: 'x'")
    assert run.idle == pytest.approx(50, abs=2)
    assert (run.state, run.known, run.paused) == ("running", True, False)


async def test_running_task_without_a_heartbeat_yet_is_as_old_as_its_start(task: Put) -> None:
    task("running", start_date=ago(3), last_heartbeat_at=None)
    (found,) = (await look()).runs[OURS].tasks
    assert found.seconds == pytest.approx(3, abs=2)


async def test_full_pool_is_counted_when_a_task_waits_long_for_its_slot(put: Put, task: Put) -> None:
    put("slot_pool", pool="upgrades", slots=2, include_deferred=False)
    task("scheduled", pool="upgrades", scheduled_dttm=ago(30))
    for each in ("running", "queued"):
        task(each, dag_id="another", pool="upgrades")
    assert (await look()).pools == {"upgrades": Pool(2, 2)}


async def test_pools_are_not_counted_while_nothing_waits_long(put: Put, task: Put) -> None:
    put("slot_pool", pool="upgrades", slots=2, include_deferred=False)
    task("scheduled", pool="upgrades", scheduled_dttm=ago(2))
    assert (await look()).pools == {}


async def test_import_errors_are_read_when_a_dag_is_missing(put: Put) -> None:
    trace = "Traceback …\nupgrade_orchestrator.domain.errors.Unavailable: the database does not answer\n"
    put("import_error", filename="upgrade_executions/shard_3.py", bundle_name="b", stacktrace=trace)
    put("import_error", filename="other.py", bundle_name="b", stacktrace=trace)
    expected = {"upgrade_executions/shard_3.py": "Unavailable: the database does not answer"}
    assert (await look("upgrade__missing")).import_errors == expected
    assert (await look(OURS)).import_errors == {}


@pytest.mark.parametrize(
    ("trace", "said"),
    [
        ("x\nModuleNotFoundError: No module named 'httpx'", "ModuleNotFoundError: No module named 'httpx'"),
        (
            "ImportError: a\n\nsqlalchemy.exc.OperationalError: (psycopg) user x at 10.0.0.1\n(Background on …)",
            "OperationalError",
        ),
        ("nothing", "see Airflow's import errors"),
    ],
)
def test_error_of_another_library_is_only_named_as_its_text_may_hold_addresses(trace: str, said: str) -> None:
    assert said_by(trace) == said


async def test_number_of_statements_does_not_grow_with_the_executions(put: Put, task: Put) -> None:
    task("running", start_date=ago(1))
    sent = list[str]()

    def count(*args: Any) -> None:
        sent.append(args[2])

    event.listen(Engine, "before_cursor_execute", count)
    try:
        await look(OURS)
        one = len(sent)
        await look(*(f"upgrade__{number}" for number in range(500)), OURS)
    finally:
        event.remove(Engine, "before_cursor_execute", count)
    assert one == 3
    assert len(sent) - one == 4, "one more for the import errors, as DAGs are missing"
