"""The Airflow DAGs that send notices, where UPGRADES_NOTIFIERS is set (see include/upgrades/flow/notifications.py)."""

from include.upgrades.flow.notifications import build_notifications

globals().update(build_notifications())
