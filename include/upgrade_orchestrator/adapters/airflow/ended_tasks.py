"""Tasks of ours whose work is done in the triggerer, ended in Airflow's own database (API server only)."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from uuid import UUID

from upgrade_orchestrator.adapters.airflow.database import Session, ask_airflow
from upgrade_orchestrator.domain.execution.execution import DAG_PREFIX

FROZEN_SECONDS = 3.0
"After which a process that holds the tasks' rows and says nothing more loses them: its machine may be gone."


async def end_well(task_ids: Iterable[str]) -> None:
    """Mark as succeeded those of our tasks that still are in the triggerer; whoever is at them now is left alone.

    :raises Unavailable: Airflow's database does not answer.
    """
    known = [found for each in task_ids if (found := _uuid(each))]
    await ask_airflow(lambda session: _end_well(session, known))


def _uuid(text: str) -> UUID | None:
    with suppress(ValueError):
        return UUID(text)
    return None


def _end_well(session: Session, task_ids: list[UUID]) -> None:
    from airflow.models.taskinstance import TaskInstance as Task
    from airflow.utils.state import TaskInstanceState
    from sqlalchemy import select

    ours = Task.dag_id.startswith(DAG_PREFIX, autoescape=True)
    query = select(Task).where(Task.id.in_(task_ids), Task.state == TaskInstanceState.DEFERRED, ours)
    _let_go_when_frozen(session)
    for each in session.scalars(query.with_for_update(of=Task, skip_locked=True)):
        each.trigger_id = None  # the triggerer then lets go of it
        each.end_date = None  # of its last try, where it was cleared
        each.set_state(TaskInstanceState.SUCCESS, session=session)


def _let_go_when_frozen(session: Session) -> None:
    """The triggerer waits for these rows when it ends the tasks itself, and with it every trigger of Airflow's."""
    from sqlalchemy import text

    if session.get_bind().dialect.name == "postgresql":
        session.execute(text(f"SET LOCAL idle_in_transaction_session_timeout = '{FROZEN_SECONDS:g}s'"))
