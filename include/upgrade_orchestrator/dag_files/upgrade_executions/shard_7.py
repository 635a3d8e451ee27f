"""The Airflow DAGs of the executions in shard 7 (see include/upgrade_orchestrator/flow/upgrade/factory.py)."""

from upgrade_orchestrator.flow.upgrade.factory import build_dags

globals().update(build_dags(shard=7))
