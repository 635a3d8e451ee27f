"""The DAG that requests an upgrade: from a form in Airflow's UI, by command or through Airflow's own API."""

from __future__ import annotations

from typing import Any

from airflow.sdk import DAG, Param

from upgrade_orchestrator.domain.execution.execution import REQUEST_DAG
from upgrade_orchestrator.flow.request.tasks import CreateOperator, FollowOperator, StartOperator
from upgrade_orchestrator.flow.retries import TRY_AGAIN
from upgrade_orchestrator.schemas.request_form import FormField, form_fields

MAX_CONCURRENT = 1000
"Maximum of active runs. A run lasts as long as its upgrade without using a worker; Airflow's default is only 16."


def build_upgrade_request() -> DAG:
    """create → start → follow; the run succeeds only if the upgrade is COMPLETED."""
    with DAG(
        dag_id=REQUEST_DAG,
        dag_display_name="Request an upgrade",
        description="Creates, starts and follows an upgrade; succeeds only if it is COMPLETED",
        doc_md=_DOCUMENT,
        tags={"upgrade", "request"},
        schedule=None,
        catchup=False,
        max_active_runs=MAX_CONCURRENT,
        is_paused_upon_creation=False,
        params={each.name: _param(each) for each in form_fields()},
        default_args=TRY_AGAIN | {"do_xcom_push": True},
    ) as dag:
        create = CreateOperator(task_id="create")
        create >> StartOperator(task_id="start") >> FollowOperator(task_id="follow")
    return dag


def _param(field: FormField) -> Param:
    schema: dict[str, Any] = {**field.schema, "title": field.name, "description": field.description}
    return Param(**schema) if field.required else Param(field.default, **schema)


_DOCUMENT = """\
### Upgrade a component across a tenant's instances

The form has the fields and ranges of `POST /api/v1/registry/tenants/{tenantId}/upgrades`. The run creates the upgrade,
starts it and follows it without holding a worker: it succeeds only if the upgrade is COMPLETED, and a failed run says
why.

The upgrade has its own DAG, `upgrade__{executionId}`, which is named in the tasks' logs and results. A run is one
upgrade: a cleared task continues with the same upgrade, and marking the run as failed does not stop the upgrade.
Control the upgrade in its own DAG or with the API.
"""
