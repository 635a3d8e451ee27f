"""The Airflow DAGs that send notices, where UPGRADES_NOTIFIERS is set (docs/observability.md)."""

from upgrade_orchestrator.flow.notifications.dags import build_notifications

globals().update(build_notifications())
