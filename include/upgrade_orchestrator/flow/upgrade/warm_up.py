"""Imports what every task needs, for a DAG and a query, once before workers are forked."""

from __future__ import annotations

from upgrade_orchestrator import bootstrap
from upgrade_orchestrator.adapters.postgres.executions.dag_specs import DagSpec
from upgrade_orchestrator.flow.request.dag import build_upgrade_request
from upgrade_orchestrator.flow.upgrade.factory import build_dag

_done = False


def warm_up() -> None:
    """Build and discard two DAGs, load the clients and Airflow's task-side plugins; makes no connections.

    Runs once for a process and its forks, because loading the task-side plugins calls it again.
    """
    global _done
    if _done:
        return
    _done = True
    import airflow.sdk.execution_time.supervisor
    import airflow.sdk.execution_time.task_runner  # noqa: F401 - what Airflow itself loads in every task process
    from airflow.sdk.lineage import get_hook_lineage_collector
    from airflow.sdk.listener import get_listener_manager

    build_upgrade_request()
    build_dag(DagSpec("warm-up", "tenant", "component", "ROLLING", "1.0", "2.0", ((1, "BATCH"),)))
    bootstrap.load_clients()
    get_listener_manager()
    get_hook_lineage_collector()
