"""Tasks that were lost with the worker that had just taken them, in Airflow's own database (API server only).

A worker that dies between taking a task and telling Airflow that it runs leaves the task ``queued``. Where the executor
can take a task back, Airflow does that after ``[scheduler] task_queued_timeout``. LocalExecutor cannot: there the task
would stay queued until the scheduler is started anew, and its upgrade would wait for it.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from upgrade_orchestrator.adapters.airflow.database import Session, ask_airflow
from upgrade_orchestrator.domain.execution.execution import DAG_PREFIX, REQUEST_DAG


async def begin_lost_again(seconds: float) -> Sequence[str]:
    """Give a new try to each of our tasks that is queued for longer than ``seconds``; the names of those.

    A worker that was only slow is refused when it comes: the try that it has taken is over.

    :raises Unavailable: Airflow's database does not answer.
    """
    return await ask_airflow(lambda session: [] if _airflow_does_it() else _begin_again(session, seconds))


def _airflow_does_it() -> bool:
    """Whether the executor lets Airflow take back what was queued and never begun."""
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
    # under the lock that a worker needs to tell that it runs; one that just does so is not lost
    lost = list(session.scalars(query.with_for_update(of=Task, skip_locked=True)))
    names = [f"{each.dag_id}.{each.task_id}" for each in lost]
    if lost:
        clear_task_instances(lost, session, dag_run_state=False)
    return names
