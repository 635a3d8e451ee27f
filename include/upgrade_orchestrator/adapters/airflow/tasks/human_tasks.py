"""Human-in-the-loop tasks in Airflow's own database, and who may respond to them (API server only)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from upgrade_orchestrator.adapters.airflow.auth.users import AirflowUser
from upgrade_orchestrator.adapters.airflow.database import Session, ask_airflow
from upgrade_orchestrator.domain.airflow.stage_tasks import APPROVE_OPTION, REJECT_OPTION, answer_given
from upgrade_orchestrator.domain.approval.approval import Answer
from upgrade_orchestrator.domain.execution.execution import DAG_PREFIX
from upgrade_orchestrator.domain.operations.permissions import Permission
from upgrade_orchestrator.service.ports.airflow import HumanTask


class AirflowHumanTasks:
    """Port ``HumanTasks``: responds to a task exactly as Airflow's own API does."""

    async def may_approve(self, user_id: str, user_name: str) -> bool:
        """Decided as for a call of that user; an unknown user may do nothing."""
        return await ask_airflow(lambda _: _may_approve(user_id, user_name))

    async def waiting(self, dag_id: str | None = None) -> Sequence[HumanTask]:
        """Uses the index of the task states: few tasks wait for people at any time."""
        return await ask_airflow(lambda session: _waiting(session, dag_id))

    async def answers(self, tasks: Sequence[HumanTask]) -> Mapping[HumanTask, Answer]:
        """Whatever state the tasks are in."""
        return await ask_airflow(lambda session: _responses(session, tasks))

    async def ask_again(self, task: HumanTask, body: str) -> None:
        """Airflow keeps the row of a question, with text and response, through the retries of its task: reset it."""
        await ask_airflow(lambda session: _ask_again(session, task, body))

    async def release(self, task: HumanTask, approved: bool, by: str | None) -> bool:
        """Takes the locks that Airflow takes for a person's response, in the same order."""
        return await ask_airflow(lambda session: _release(session, task, approved, by))


def _may_approve(user_id: str, user_name: str) -> bool:
    user = _user(user_id)
    return user is not None and AirflowUser(user_name, user).may(Permission.APPROVE)


def _user(user_id: str) -> Any:
    from airflow.api_fastapi.app import get_auth_manager
    from airflow.api_fastapi.auth.managers.simple.simple_auth_manager import SimpleAuthManager

    manager: Any = get_auth_manager()
    if isinstance(manager, SimpleAuthManager):
        return next((each for each in _simple_users(manager) if each.get_id() == user_id), None)
    try:
        return manager.deserialize_user({"sub": user_id})
    except (KeyError, ValueError):  # no such user, or one whose rights are only in the user's own token
        return None


def _simple_users(manager: Any) -> Sequence[Any]:
    from airflow.api_fastapi.auth.managers.simple.user import SimpleAuthManagerUser
    from airflow.configuration import conf

    if conf.getboolean("core", "simple_auth_manager_all_admins"):
        return [SimpleAuthManagerUser(username="Anonymous", role="ADMIN")]
    return list(manager.get_users())


def _waiting(session: Session, dag_id: str | None) -> list[HumanTask]:
    from airflow.models.taskinstance import TaskInstance as Task
    from airflow.utils.state import TaskInstanceState
    from sqlalchemy import select

    of_dag = Task.dag_id.startswith(DAG_PREFIX, autoescape=True) if dag_id is None else Task.dag_id == dag_id
    query = select(Task.dag_id, Task.task_id).where(Task.state == TaskInstanceState.AWAITING_INPUT, of_dag)
    return [HumanTask(row.dag_id, row.task_id) for row in session.execute(query.distinct())]


def _responses(session: Session, tasks: Sequence[HumanTask]) -> dict[HumanTask, Answer]:
    from airflow.models.hitl import HITLDetail
    from airflow.models.taskinstance import TaskInstance as Task
    from sqlalchemy import select

    given = (HITLDetail.responded_by, HITLDetail.responded_at, HITLDetail.chosen_options, HITLDetail.params_input)
    query = select(Task.dag_id, Task.task_id, *given).join(Task, HITLDetail.ti_id == Task.id)
    query = query.where(Task.dag_id.in_({each.dag_id for each in tasks}), HITLDetail.responded_at.is_not(None))
    found = {HumanTask(row[0], row[1]): answer_given(*row[2:]) for row in session.execute(query)}
    return {task: answer for task, answer in found.items() if answer is not None and task in tasks}


def _ask_again(session: Session, task: HumanTask, body: str) -> None:
    from airflow.models.hitl import HITLDetail
    from airflow.models.taskinstance import TaskInstance as Task
    from sqlalchemy import select, update

    of_task = select(Task.id).where(Task.dag_id == task.dag_id, Task.task_id == task.task_id)
    unanswered: dict[str, Any] = {
        "responded_by": None,
        "responded_at": None,
        "chosen_options": None,
        "params_input": {},
    }
    session.execute(update(HITLDetail).where(HITLDetail.ti_id.in_(of_task)).values(body=body, **unanswered))


def _release(session: Session, task: HumanTask, approved: bool, by: str | None) -> bool:
    from airflow.models.taskinstance import TaskInstance as Task
    from airflow.utils.state import TaskInstanceState
    from sqlalchemy import select

    named = (Task.dag_id == task.dag_id, Task.task_id == task.task_id)
    waiting = select(Task.id).where(*named, Task.state == TaskInstanceState.AWAITING_INPUT)
    found = list(session.scalars(waiting))  # of any run: a DAG that a person triggered asks as well
    released = [_respond(session, each, approved, by) for each in found]
    return any(released)


def _respond(session: Session, task_id: Any, approved: bool, by: str | None) -> bool:
    from airflow.models.hitl import HITLDetail, HITLUser
    from airflow.models.taskinstance import TaskInstance as Task
    from airflow.models.trigger import handle_event_submit
    from airflow.triggers.base import TriggerEvent
    from airflow.utils import timezone
    from airflow.utils.state import TaskInstanceState
    from sqlalchemy import select

    waiting = session.get(Task, task_id, with_for_update={"of": Task}, populate_existing=True)
    details = select(HITLDetail).where(HITLDetail.ti_id == task_id).with_for_update(of=HITLDetail)
    detail = session.scalar(details.execution_options(populate_existing=True))
    if waiting is None or waiting.state != TaskInstanceState.AWAITING_INPUT:
        return False
    if detail is None or detail.response_received:
        return False
    detail.responded_by = HITLUser(id=by, name=by) if by else None  # None, as when Airflow itself responds
    detail.responded_at = timezone.utcnow()
    detail.chosen_options = [APPROVE_OPTION if approved else REJECT_OPTION]
    detail.params_input = {}
    handle_event_submit(TriggerEvent(detail.as_resume_event_payload()), task_instance=waiting, session=session)
    return True
