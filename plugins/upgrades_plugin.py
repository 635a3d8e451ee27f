"""Tells Airflow's API server of the upgrade API and its pages; describes, does nothing."""

from __future__ import annotations

from functools import cached_property
from typing import Any

from airflow.plugins_manager import AirflowPlugin

VIEW = "api/v1/registry/view"
"Relative: Airflow's page says what to, also under a base path."


class UpgradesPlugin(AirflowPlugin):
    """The REST app under /api/v1/registry, and its pages in Airflow's UI."""

    name = "upgrades"
    external_views = (
        {
            "name": "Upgrades",
            "destination": "nav",
            "url_route": "upgrades",
            "href": f"{VIEW}/upgrades",
            "icon": f"{VIEW}/static/icon.svg",
        },
        {"name": "Upgrade", "destination": "dag", "url_route": "upgrade", "href": f"{VIEW}/dags/{{DAG_ID}}"},
        {"name": "Upgrade", "destination": "dag_run", "url_route": "upgrade_run", "href": f"{VIEW}/dags/{{DAG_ID}}"},
    )

    @cached_property
    def fastapi_apps(self) -> list[dict[str, Any]]:
        """Only the API server asks for it: workers, triggerer and dag processor never load FastAPI for it."""
        from upgrade_orchestrator.web.app import URL_PREFIX, create_app

        return [{"app": create_app(), "url_prefix": URL_PREFIX, "name": "Upgrade Orchestrator"}]
