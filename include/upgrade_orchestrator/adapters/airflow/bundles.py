"""In which DAG bundle the upgrades' DAG files are."""

from __future__ import annotations

from typing import Any

UPGRADES_BUNDLE = "upgrade_orchestrator.dag_bundle.UpgradesDagBundle"
DAGS_FOLDER = "dags-folder"
"The bundle that Airflow has when none is configured."


def configured_bundle() -> str:
    """The name that Airflow's configuration gives to our bundle; ``dags-folder`` where our bundle is not configured."""
    from airflow.configuration import conf

    bundles: list[dict[str, Any]] = conf.getjson("dag_processor", "dag_bundle_config_list") or []
    return next((each["name"] for each in bundles if each.get("classpath") == UPGRADES_BUNDLE), DAGS_FOLDER)
