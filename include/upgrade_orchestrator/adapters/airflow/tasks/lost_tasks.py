"""Retries tasks that were lost with the worker that had just taken them (Airflow's database, API server only).

A worker that dies after taking a task and before reporting it as running leaves the task ``queued``. If the executor
can revoke a task, Airflow does so after ``[scheduler] task_queued_timeout``. LocalExecutor cannot: there the task
would stay queued, and its upgrade would wait, until the scheduler is restarted.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from upgrade_orchestrator.adapters.airflow.database import Session, ask_airflow
from upgrade_orchestrator.domain.execution.execution import DAG_PREFIX, REQUEST_DAG


async def retry_lost_tasks(seconds: float) -> Sequence[str]:
    """Clear each of our tasks that has been queued for longer than ``seconds``; return their names.

    A worker that was only slow is refused when it starts the task, because its try is over.

    :raises Unavailable: Airflow's database does not answer.
    """
    return await ask_airflow(lambda session: [] if _executor_can_revoke() else _begin_again(session, seconds))


def _executor_can_revoke() -> bool:
    """Whether the executor lets Airflow revoke a task that was queued and never started."""
    from airflow.executors.base_executor import BaseExecutor
    from airflow.executors.executor_loader import ExecutorLoader

    executor, _ = ExecutorLoader.import_default_executor_cls()
    return executor.revoke_task is not BaseExecutor.revoke_task


def _begin_again(session: Session, seconds: float) -> list[str]:
    from airflow.models.taskinstance import TaskInstance as Task
    from airflow.models.taskinstance import clear_task_instances
    from airflow.utils.state import TaskInstanceState
    from sqlalchemy import func, or_, select

    ours = or_(Task.dag_id.startswith(DAG_PREFIX, autoescape=True), Task.dag_id == REQUEST_DAG)
    late = Task.queued_dttm < func.now() - timedelta(seconds=seconds)
    query = select(Task).where(Task.state == TaskInstanceState.QUEUED, ours, late)
    # A worker needs this lock to report the task as running: a task that is locked is not lost.
    lost = list(session.scalars(query.with_for_update(of=Task, skip_locked=True)))
    names = [f"{each.dag_id}.{each.task_id}" for each in lost]
    if lost:
        clear_task_instances(lost, session, dag_run_state=False)
    return names
