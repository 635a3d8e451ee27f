"""The executions' DAGs and their runs in Airflow's own database (API server only: no other component may open it)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from upgrade_orchestrator.adapters.airflow.database import Session, ask_airflow
from upgrade_orchestrator.adapters.airflow.tasks.ended_tasks import mark_succeeded
from upgrade_orchestrator.adapters.airflow.tasks.lost_tasks import retry_lost_tasks
from upgrade_orchestrator.domain.airflow.task_states import RunView

if TYPE_CHECKING:
    from upgrade_orchestrator.domain.airflow.stuck import AirflowSight

Tasks = dict[int, dict[str, str | None]]


class AirflowRuns:
    """Port ``AirflowRuns``. Selects columns, not ORM objects: a thousand runs may be read every few seconds."""

    async def read(self, dag_ids: Sequence[str], with_tasks: bool = False) -> Mapping[str, RunView]:
        """One query, and a second one for the tasks."""
        return await ask_airflow(lambda session: _read(session, dag_ids, with_tasks))

    async def look(self, dag_ids: Sequence[str]) -> AirflowSight:
        """Three statements however many DAGs there are, and one more when a DAG or a slot is missing."""
        from upgrade_orchestrator.adapters.airflow.sight import look  # a task imports this module without it

        return await look(dag_ids)

    async def retry_lost_tasks(self, seconds: float) -> Sequence[str]:
        """As if a person cleared them in the UI."""
        return await retry_lost_tasks(seconds)

    async def mark_succeeded(self, task_ids: Collection[str]) -> None:
        """As when a trigger ends its task, but without callbacks."""
        await mark_succeeded(task_ids)

    async def pause(self, dag_id: str) -> None:
        """As if a person switched the DAG off in the UI."""
        await ask_airflow(lambda session: _set_paused(session, dag_id, True))

    async def unpause(self, dag_id: str) -> None:
        """As if a person switched the DAG on in the UI."""
        await ask_airflow(lambda session: _set_paused(session, dag_id, False))


def _read(session: Session, dag_ids: Sequence[str], with_tasks: bool) -> dict[str, RunView]:
    from airflow.models.dag import DagModel
    from airflow.models.dagrun import DagRun
    from sqlalchemy import select

    # A person may trigger the DAG a second time: the first run is the upgrade's.
    query = (
        select(DagModel.dag_id, DagModel.is_paused, DagModel.is_stale, DagRun.id, DagRun.run_id, DagRun.state)
        .join(DagRun, DagRun.dag_id == DagModel.dag_id, isouter=True)
        .where(DagModel.dag_id.in_(dag_ids))
        .order_by(DagRun.id.desc())
    )
    rows = {row.dag_id: row for row in session.execute(query)}
    tasks = _tasks(session, [row.id for row in rows.values() if row.id is not None]) if with_tasks else {}
    return {dag_id: _view(row, tasks) for dag_id, row in rows.items()}


def _view(row: Any, tasks: Tasks) -> RunView:
    ref = None if row.id is None else str(row.id)
    return RunView(
        ref, _text(row.state), bool(row.is_paused), tasks.get(row.id, {}), known=not row.is_stale, name=row.run_id
    )


def _tasks(session: Session, run_ids: Sequence[int]) -> Tasks:
    from airflow.models.dagrun import DagRun
    from airflow.models.taskinstance import TaskInstance as Task
    from sqlalchemy import and_, select

    of_run = and_(Task.dag_id == DagRun.dag_id, Task.run_id == DagRun.run_id)
    query = select(DagRun.id, Task.task_id, Task.state).join(Task, of_run).where(DagRun.id.in_(run_ids))
    found: Tasks = defaultdict(dict)
    for row in session.execute(query):
        found[row.id][row.task_id] = _text(row.state)
    return found


def _text(state: Any) -> str | None:
    return None if state is None else str(state)


def _set_paused(session: Session, dag_id: str, paused: bool) -> None:
    from airflow.models.dag import DagModel
    from sqlalchemy import update

    other = (DagModel.dag_id == dag_id, DagModel.is_paused.is_(not paused))
    session.execute(update(DagModel).where(*other).values(is_paused=paused))
