"""What every task would do first, done once before workers are forked: the imports behind a DAG and a query."""

from __future__ import annotations

from upgrade_orchestrator import bootstrap
from upgrade_orchestrator.adapters.postgres.executions.dag_specs import DagSpec
from upgrade_orchestrator.flow.request.dag import build_upgrade_request
from upgrade_orchestrator.flow.upgrade.factory import build_dag

_done = False


def warm_up() -> None:
    """Build two DAGs that are thrown away, load the clients and the task side's plugins; connects to nothing.

    Once a process and its forks: loading the task side's plugins comes back here.
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
