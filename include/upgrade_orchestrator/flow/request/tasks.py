"""The tasks of a DAG run that asks for an upgrade; the run's own name leads to its execution, so each may run again."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import timedelta
from functools import partial
from typing import Any

from airflow.sdk.bases.operator import BaseOperator
from airflow.sdk.exceptions import AirflowFailException

from upgrade_orchestrator.adapters.ids import id_for
from upgrade_orchestrator.domain.errors import Unavailable, UpgradeError
from upgrade_orchestrator.domain.execution.commands import Actor, Source
from upgrade_orchestrator.domain.execution.execution import Execution
from upgrade_orchestrator.domain.execution.states import ExecutionStatus
from upgrade_orchestrator.domain.plan.steps import Work
from upgrade_orchestrator.schemas.request_form import TENANT, request_from
from upgrade_orchestrator.service.ports.unit_of_work import Ports
from upgrade_orchestrator.service.runner.context import find_execution
from upgrade_orchestrator.service.upgrade.ensure import create_once, start_once

API = "/api/v1/registry/upgrades"
"Where the API shows an execution, below Airflow's own address."
NOBODY = "airflow"
"Who asked, where Airflow does not say it."

Result = dict[str, Any]


def requested_id(run: Any) -> str:
    """The id of the execution that the DAG run asks for: always the same, and another one for a run made anew."""
    return id_for(f"{run.dag_id} {run.run_id}", run.run_after)


class RequestOperator(BaseOperator):
    """A task of such a run; what it returns says which execution it is, where it stands and where to look."""

    ui_color = "#e8f1fb"

    def execute(self, context: Any) -> Result:
        """Take the step, unless it was taken."""
        run = context["dag_run"]
        actor = Actor(run.triggering_user_name or NOBODY, Source.DAG)
        execution = self.step(requested_id(run), actor, context["params"])
        self.log.info("execution %s is %s: %s", execution.id, execution.status.value, _where(execution))
        return _result(execution)

    def step(self, execution_id: str, actor: Actor, params: dict[str, Any]) -> Execution:
        """The execution afterwards."""
        raise NotImplementedError


class CreateOperator(RequestOperator):
    """Creates the execution; a refusal fails the task for good, only what is away for the moment is tried again."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(retries=10, retry_delay=timedelta(seconds=2), max_retry_delay=timedelta(seconds=30), **kwargs)

    def step(self, execution_id: str, actor: Actor, params: dict[str, Any]) -> Execution:
        """As POST /tenants/{tenantId}/upgrades does it."""
        try:
            request = request_from({name: value for name, value in params.items() if name != TENANT.name})
            create = partial(create_once, execution_id=execution_id, tenant_id=params[TENANT.name], request=request)
            return _run(partial(create, actor=actor))
        except Unavailable:
            raise
        except UpgradeError as refusal:
            raise AirflowFailException(explain(refusal)) from refusal


class StartOperator(RequestOperator):
    """Starts it."""

    def step(self, execution_id: str, actor: Actor, params: dict[str, Any]) -> Execution:
        """As POST /upgrades/{executionId}/start does it."""
        return _run(partial(start_once, execution_id=execution_id, actor=actor))


class FollowOperator(RequestOperator):
    """Waits in the triggerer for the end; succeeds if that is COMPLETED, and says why if it is not."""

    def step(self, execution_id: str, actor: Actor, params: dict[str, Any]) -> Execution:
        """Defer at once: a wait of hours, so it never stays in the worker."""
        execution = _run(partial(find_execution, execution_id=execution_id))
        if not execution.is_terminal:
            from upgrade_orchestrator.flow.upgrade.triggers import WorkTrigger

            self.log.info("following execution %s: %s", execution.id, _where(execution))
            trigger = WorkTrigger(execution_id, Work.FOLLOW.value, 0)
            self.defer(trigger=trigger, method_name="resume_after_trigger")
        if execution.status is not ExecutionStatus.COMPLETED:
            status, reason = execution.status.value, execution.status_reason
            raise AirflowFailException(f"the upgrade is {status}: {reason} ({_where(execution)})")
        return execution

    def resume_after_trigger(self, context: Any, event: dict[str, str]) -> Result:
        """The triggerer has seen the end."""
        return self.execute(context)


def _run(use_case: Callable[[Ports], Awaitable[Execution]]) -> Execution:
    """Import the clients of databases and fleets only in a task: they are most of what a parse would take."""
    from upgrade_orchestrator import bootstrap

    return bootstrap.run(use_case)


def explain(refusal: UpgradeError) -> str:
    """The refusal with its code and every offending field, as the API would tell it."""
    errors: Any = refusal.extra.get("errors", [])
    fields = "".join(f"; {each['field']} {each['message']}" for each in errors)
    return f"{refusal.code}: {refusal.detail}{fields}"


def _result(execution: Execution) -> Result:
    links = {"self": f"{API}/{execution.id}", "airflow": f"/dags/{execution.dag_id}"}
    reason = execution.status_reason
    return {"executionId": execution.id, "status": execution.status.value, "statusReason": reason, "links": links}


def _where(execution: Execution) -> str:
    return f"GET {API}/{execution.id}, its tasks: /dags/{execution.dag_id}"
