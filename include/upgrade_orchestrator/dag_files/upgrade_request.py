"""The Airflow DAG that requests an upgrade (see include/upgrade_orchestrator/flow/request/dag.py)."""

from upgrade_orchestrator.flow.request.dag import build_upgrade_request

dag = build_upgrade_request()
