"""The Airflow DAGs of the executions in shard 10 (see include/upgrades/flow/factory.py)."""

from include.upgrades.flow.factory import build_dags

globals().update(build_dags(shard=10))
