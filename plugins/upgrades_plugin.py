"""Tells Airflow's API server of the upgrade API; describes, does nothing."""

from __future__ import annotations

from functools import cached_property
from typing import Any

from airflow.plugins_manager import AirflowPlugin


class UpgradesPlugin(AirflowPlugin):
    """The REST app under /api/v1/registry."""

    name = "upgrades"

    @cached_property
    def fastapi_apps(self) -> list[dict[str, Any]]:
        """Only the API server asks for it: workers, triggerer and dag processor never load FastAPI for it."""
        from include.upgrades.web.app import URL_PREFIX, create_app

        return [{"app": create_app(), "url_prefix": URL_PREFIX, "name": "Upgrade Orchestrator"}]
