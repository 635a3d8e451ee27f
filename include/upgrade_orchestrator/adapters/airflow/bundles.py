"""The DAG bundle that holds the DAG files of the upgrades."""

from __future__ import annotations

from typing import Any

UPGRADES_BUNDLE = "upgrade_orchestrator.dag_bundle.UpgradesDagBundle"
DAGS_FOLDER = "dags-folder"
"The name of Airflow's default bundle."


def configured_bundle() -> str:
    """The name of our bundle in Airflow's configuration; ``dags-folder`` when our bundle is not configured."""
    from airflow.configuration import conf

    bundles: list[dict[str, Any]] = conf.getjson("dag_processor", "dag_bundle_config_list") or []
    return next((each["name"] for each in bundles if each.get("classpath") == UPGRADES_BUNDLE), DAGS_FOLDER)
