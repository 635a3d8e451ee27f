"""One DAG per started execution, built from columns that no longer change after the start: it has one DAG version."""

from __future__ import annotations

from functools import partial

from airflow.sdk import DAG, Asset, get_parsing_context

from upgrade_orchestrator import bootstrap
from upgrade_orchestrator.adapters.postgres.executions.dag_specs import DagSpec
from upgrade_orchestrator.domain.execution.execution import DAG_PREFIX, asset_of, dag_id_of
from upgrade_orchestrator.flow.retries import TRY_AGAIN
from upgrade_orchestrator.flow.upgrade.groups import add_batches, add_ending, add_validation
from upgrade_orchestrator.flow.upgrade.parsing import read_or_nothing


def build_dags(shard: int) -> dict[str, DAG]:
    """The DAGs of one shard file, by id; only one DAG when Airflow parses the file for it (a task is about to run).

    Raises in Airflow's dag processor and in tasks when the database does not respond: an empty result would look as if
    every upgrade of the file had gone. Anywhere else the result is then empty, and nobody is troubled (ADR 39).
    """
    asked = get_parsing_context().dag_id
    if asked is None:
        specs = read_or_nothing(partial(bootstrap.dag_specs, shard, None))
    elif asked.startswith(DAG_PREFIX):
        specs = bootstrap.dag_specs(shard, asked.removeprefix(DAG_PREFIX))
    else:
        specs = []
    return {dag_id_of(spec.execution_id): build_dag(spec) for spec in specs}


def build_dag(spec: DagSpec) -> DAG:
    """validate → admit → batches → verify → outcome → complete, rollback or end."""
    with DAG(
        dag_id=dag_id_of(spec.execution_id),
        dag_display_name=_title(spec),
        description=f"{spec.strategy} upgrade of component {spec.component_id} of tenant {spec.tenant_id}",
        doc_md=_document(spec),
        tags={"upgrade", f"tenant:{spec.tenant_id}"[:100], f"component:{spec.component_id}"[:100], spec.strategy},
        schedule="@once",
        start_date=spec.day,  # in the past: @once then runs as soon as Airflow has the DAG
        catchup=False,
        max_active_runs=1,
        is_paused_upon_creation=False,
        default_args=TRY_AGAIN,
    ) as dag:
        admitted = add_validation(spec.execution_id)
        worked = add_batches(spec, admitted)
        add_ending(spec, worked, Asset(asset_of(spec.tenant_id, spec.component_id)))
    return dag


def _title(spec: DagSpec) -> str:
    return f"{spec.component_id} {spec.from_version} → {spec.to_version} · {spec.tenant_id} · {spec.strategy}"


def _document(spec: DagSpec) -> str:
    return (
        f"### Upgrade of {spec.component_id} from {spec.from_version} to {spec.to_version}\n\n"
        f"Tenant `{spec.tenant_id}`, strategy {spec.strategy}, {spec.batches[-1][0]} batches, "
        f"execution `{spec.execution_id}`.\n\n"
        "All state is in the upgrades database: a cleared task continues where the upgrade is and never repeats work "
        "that is done."
    )
