"""What every task would do first, done once before workers are forked: the imports behind a DAG and a query."""

from __future__ import annotations

from include.upgrades import bootstrap
from include.upgrades.adapters.postgres.dag_specs import DagSpec
from include.upgrades.flow.factory import build_dag


def warm_up() -> None:
    """Build a DAG that is thrown away, and load the database's and the fleet's clients; connects to nothing."""
    import airflow.sdk.execution_time.supervisor
    import airflow.sdk.execution_time.task_runner  # noqa: F401 - what Airflow itself loads in every task process

    build_dag(DagSpec("warm-up", "tenant", "component", "ROLLING", "1.0", "2.0", ((1, "BATCH"),)))
    bootstrap.load_clients()
