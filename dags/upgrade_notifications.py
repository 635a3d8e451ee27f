"""The Airflow DAGs that send notices, if [upgrades] notifiers is set (docs/observability.md)."""

from upgrade_orchestrator.flow.notifications.dags import build_notifications

globals().update(build_notifications())
