"""The Airflow DAG that asks for an upgrade (see include/upgrades/flow/upgrade_request.py)."""

from include.upgrades.flow.upgrade_request import build_upgrade_request

dag = build_upgrade_request()
