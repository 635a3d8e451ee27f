"""The tasks of a DAG run that requests an upgrade. The run's name determines its execution, so each may run again."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import timedelta
from functools import partial
from typing import Any

from airflow.sdk.bases.operator import BaseOperator
from airflow.sdk.exceptions import AirflowFailException

from upgrade_orchestrator.adapters.airflow.requests import requested_id
from upgrade_orchestrator.domain.errors import Unavailable, UpgradeError
from upgrade_orchestrator.domain.execution.commands import Actor, Source
from upgrade_orchestrator.domain.execution.execution import Execution
from upgrade_orchestrator.domain.execution.states import ExecutionStatus
from upgrade_orchestrator.domain.plan.steps import StepKind
from upgrade_orchestrator.schemas.request_form import TENANT, request_from
from upgrade_orchestrator.service.ports.unit_of_work import Ports
from upgrade_orchestrator.service.runner.context import find_execution
from upgrade_orchestrator.service.upgrade.ensure import create_once, start_once

API = "/api/v1/registry/upgrades"
"The path of executions in the API, relative to Airflow's own address."
UNKNOWN_USER = "airflow"
"The actor when Airflow does not name the user who triggered the run."

Result = dict[str, Any]


class RequestOperator(BaseOperator):
    """A task of such a run; its result has the execution's id, status and links."""

    ui_color = "#e8f1fb"

    def execute(self, context: Any) -> Result:
        """Do the step, unless it is done already."""
        run = context["dag_run"]
        actor = Actor(run.triggering_user_name or UNKNOWN_USER, Source.DAG)
        execution = self.step(requested_id(run.dag_id, run.run_id, run.run_after), actor, context["params"])
        self.log.info("execution %s is %s: %s", execution.id, execution.status.value, _where(execution))
        return _result(execution)

    def step(self, execution_id: str, actor: Actor, params: dict[str, Any]) -> Execution:
        """Do the step and return the execution."""
        raise NotImplementedError


class CreateOperator(RequestOperator):
    """Creates the execution. A request that is not accepted fails the task without retry; only outages are retried."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(retries=10, retry_delay=timedelta(seconds=2), max_retry_delay=timedelta(seconds=30), **kwargs)

    def step(self, execution_id: str, actor: Actor, params: dict[str, Any]) -> Execution:
        """Like POST /tenants/{tenantId}/upgrades."""
        try:
            request = request_from({name: value for name, value in params.items() if name != TENANT.name})
            create = partial(create_once, execution_id=execution_id, tenant_id=params[TENANT.name], request=request)
            return _run(partial(create, actor=actor))
        except Unavailable:
            raise
        except UpgradeError as refusal:
            raise AirflowFailException(explain(refusal)) from refusal


class StartOperator(RequestOperator):
    """Starts the execution."""

    def step(self, execution_id: str, actor: Actor, params: dict[str, Any]) -> Execution:
        """Like POST /upgrades/{executionId}/start."""
        return _run(partial(start_once, execution_id=execution_id, actor=actor))


class FollowOperator(RequestOperator):
    """Waits in the triggerer for the end; succeeds if the execution is COMPLETED, else fails with the reason."""

    def step(self, execution_id: str, actor: Actor, params: dict[str, Any]) -> Execution:
        """Defer at once: the wait may take hours and must not hold a worker."""
        execution = _run(partial(find_execution, execution_id=execution_id))
        if not execution.is_terminal:
            from upgrade_orchestrator.flow.upgrade.triggers import WorkTrigger

            self.log.info("following execution %s: %s", execution.id, _where(execution))
            trigger = WorkTrigger(execution_id, StepKind.WAIT_FOR_END.value, 0)
            self.defer(trigger=trigger, method_name="resume_after_trigger")
        if execution.status is not ExecutionStatus.COMPLETED:
            status, reason = execution.status.value, execution.status_reason
            raise AirflowFailException(f"the upgrade is {status}: {reason} ({_where(execution)})")
        return execution

    def resume_after_trigger(self, context: Any, event: dict[str, str]) -> Result:
        """Called when the triggerer has seen the end."""
        return self.execute(context)


def _run(use_case: Callable[[Ports], Awaitable[Execution]]) -> Execution:
    """Import the clients of databases and fleets only in a task: they would dominate the time of a parse."""
    from upgrade_orchestrator import bootstrap

    return bootstrap.run(use_case)


def explain(refusal: UpgradeError) -> str:
    """The error with its code and every offending field, as in the API's response."""
    errors: Any = refusal.extra.get("errors", [])
    fields = "".join(f"; {each['field']} {each['message']}" for each in errors)
    return f"{refusal.code}: {refusal.detail}{fields}"


def _result(execution: Execution) -> Result:
    links = {"self": f"{API}/{execution.id}", "airflow": f"/dags/{execution.dag_id}"}
    reason = execution.status_reason
    return {"executionId": execution.id, "status": execution.status.value, "statusReason": reason, "links": links}


def _where(execution: Execution) -> str:
    return f"GET {API}/{execution.id}, its tasks: /dags/{execution.dag_id}"
