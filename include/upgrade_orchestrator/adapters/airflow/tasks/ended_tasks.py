"""Ends our deferred tasks whose work is done, in Airflow's own database (API server only)."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from uuid import UUID

from upgrade_orchestrator.adapters.airflow.database import Session, ask_airflow
from upgrade_orchestrator.domain.execution.execution import DAG_PREFIX

IDLE_LOCK_TIMEOUT_SECONDS = 3.0
"A process that holds the tasks' row locks and is idle for this long loses them: its machine may have failed."


async def mark_succeeded(task_ids: Iterable[str]) -> None:
    """Mark as succeeded those of our tasks that are still deferred. Rows that another process has locked are skipped.

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
    _limit_idle_time(session)
    for each in session.scalars(query.with_for_update(of=Task, skip_locked=True)):
        each.trigger_id = None  # the triggerer then stops the trigger
        each.end_date = None  # the end of an earlier try, if the task was cleared
        each.set_state(TaskInstanceState.SUCCESS, session=session)


def _limit_idle_time(session: Session) -> None:
    """The triggerer needs these rows to end the tasks itself; while it waits for them, all triggers wait."""
    from sqlalchemy import text

    if session.get_bind().dialect.name == "postgresql":
        session.execute(text(f"SET LOCAL idle_in_transaction_session_timeout = '{IDLE_LOCK_TIMEOUT_SECONDS:g}s'"))
