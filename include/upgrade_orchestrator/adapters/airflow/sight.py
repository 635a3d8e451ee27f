"""One look at Airflow for all executions: its components, our runs' unfinished tasks, and what these wait for.

Ages are by the clock of Airflow's database. API server only: no other component may open it.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from math import inf
from typing import Any

from upgrade_orchestrator.adapters.airflow.database import Session, ask_airflow
from upgrade_orchestrator.domain.airflow.stuck import SLOT_SECONDS, AirflowSight, Component, Pool, RunSight, TaskSight
from upgrade_orchestrator.domain.airflow.task_states import FINISHED_TASK
from upgrade_orchestrator.domain.instance.names import cut

COMPONENTS = {"SchedulerJob": "scheduler", "TriggererJob": "triggerer", "DagProcessorJob": "dag_processor"}
HEARD_SECONDS = 3600
"Heartbeats before that are not looked for: the table keeps a row of every process that ever ran."
MOST_REASON = 300
"Characters of an error in a message."


async def look(dag_ids: Sequence[str]) -> AirflowSight:
    """:raises Unavailable: Airflow's database does not answer."""
    return await ask_airflow(lambda session: _look(session, dag_ids))


def _look(session: Session, dag_ids: Sequence[str]) -> AirflowSight:
    runs = _runs(session, dag_ids)
    tasks = [each for run in runs.values() for each in run.tasks]
    missing = any(dag_id not in runs or not runs[dag_id].known for dag_id in dag_ids)
    waits = any(each.state == "scheduled" and each.seconds > SLOT_SECONDS for each in tasks)
    return AirflowSight(
        **_components(session),
        heartbeat=_heartbeat_seconds(),
        runs=runs,
        pools=_pools(session, {each.pool for each in tasks}) if waits else {},
        import_errors=_import_errors(session) if missing else {},
    )


def _components(session: Session) -> dict[str, Component]:
    from airflow.jobs.job import Job, health_check_threshold
    from sqlalchemy import func, select, text

    heard = Job.latest_heartbeat > func.now() - text(f"interval '{HEARD_SECONDS} seconds'")
    query = select(Job.job_type, _age(func.max(Job.latest_heartbeat)).label("silent"))
    found = session.execute(query.where(Job.job_type.in_(COMPONENTS), heard).group_by(Job.job_type))
    silent = {row.job_type: float(row.silent) for row in found}
    return {
        name: Component(silent.get(kind, inf), float(health_check_threshold(kind, 5)))
        for kind, name in COMPONENTS.items()
    }


def _age(column: Any) -> Any:
    from sqlalchemy import func

    return func.extract("epoch", func.clock_timestamp() - column)


def _heartbeat_seconds() -> float:
    from airflow.configuration import conf

    return max(5.0, conf.getfloat("workers", "min_heartbeat_interval", fallback=5.0))


def _runs(session: Session, dag_ids: Sequence[str]) -> dict[str, RunSight]:
    """The first run of each DAG that Airflow knows, as in ``AirflowRuns.read``."""
    from airflow.models.dag import DagModel
    from airflow.models.dagrun import DagRun
    from sqlalchemy import select

    query = (
        select(DagModel.dag_id, DagModel.is_paused, DagModel.is_stale, DagRun.id, DagRun.state)
        .add_columns(_age(DagRun.queued_at).label("queued"))
        .join(DagRun, DagRun.dag_id == DagModel.dag_id, isouter=True)
        .where(DagModel.dag_id.in_(dag_ids))
        .order_by(DagRun.id.desc())
    )
    found = {row.dag_id: row for row in session.execute(query)}
    tasks = _tasks(session, [row.id for row in found.values() if row.id is not None])
    return {dag_id: _run(row, tasks.get(row.id, ())) for dag_id, row in found.items()}


def _run(row: Any, tasks: Sequence[Any]) -> RunSight:
    state = None if row.state is None else str(row.state)
    idle = min((float(each.ended) for each in tasks if each.ended is not None), default=float(row.queued or 0.0))
    unfinished = [_task(each) for each in tasks if each.state not in FINISHED_TASK]
    return RunSight(state, not row.is_stale, bool(row.is_paused), idle, unfinished)


def _tasks(session: Session, run_ids: Sequence[int]) -> Mapping[int, list[Any]]:
    from airflow.models.dagrun import DagRun
    from airflow.models.taskinstance import TaskInstance as Task
    from sqlalchemy import and_, case, func, select

    began = case(
        (Task.state == "running", func.coalesce(Task.last_heartbeat_at, Task.start_date)),
        (Task.state == "queued", Task.queued_dttm),
        (Task.state == "scheduled", Task.scheduled_dttm),
        else_=Task.updated_at,
    )
    query = (
        select(DagRun.id, Task.task_id, Task.state, Task.try_number, Task.pool, Task.retry_reason)
        .add_columns(
            _age(began).label("seconds"), _age(Task.start_date).label("ran"), _age(Task.end_date).label("ended")
        )
        .join(Task, and_(Task.dag_id == DagRun.dag_id, Task.run_id == DagRun.run_id))
        .where(DagRun.id.in_(run_ids))
    )
    found = defaultdict[int, list[Any]](list)
    for row in session.execute(query) if run_ids else ():
        found[row.id].append(row)
    return found


def _task(row: Any) -> TaskSight:
    state = None if row.state is None else str(row.state)
    reason = cut(row.retry_reason, MOST_REASON) if row.retry_reason else None
    ran = float(row.ran or 0.0)
    return TaskSight(row.task_id, state, float(row.seconds or 0.0), ran, row.try_number, row.pool, reason)


def _pools(session: Session, names: Collection[str]) -> dict[str, Pool]:
    from airflow.models.pool import Pool as Table

    stats = Table.slots_stats(session=session)
    return {
        name: Pool(float(each["total"]), int(each["total"] - each["open"]) if each["total"] != inf else 0)
        for name, each in stats.items()
        if name in names
    }


def _import_errors(session: Session) -> dict[str, str]:
    """The errors of the upgrades' DAG files, without what they may tell of the deployment."""
    from airflow.models.errors import ParseImportError
    from sqlalchemy import select

    query = select(ParseImportError.filename, ParseImportError.stacktrace)
    found = session.execute(query.where(ParseImportError.filename.like(_FILES)))
    return {row.filename: said_by(row.stacktrace or "") for row in found}


_FILES = "%shard\\_%.py"
_ERROR = re.compile(r"^([A-Za-z_][\w.]*(?:Error|Exception|Unavailable)): (.*)$", re.MULTILINE)
_PLAIN = re.compile(r"^(upgrade_orchestrator\.|(Import|ModuleNotFound|Syntax|Name|Attribute)Error$)")


def said_by(stacktrace: str) -> str:
    """The last error in a stack trace; of an error that is not ours only its name: its text may hold addresses."""
    errors = _ERROR.findall(stacktrace)
    if not errors:
        return "see Airflow's import errors"
    name, text = errors[-1]
    return cut(f"{name.rsplit('.', 1)[-1]}: {text}", MOST_REASON) if _PLAIN.match(name) else name.rsplit(".", 1)[-1]
