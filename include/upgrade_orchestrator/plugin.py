"""Adds the upgrade API and its pages to Airflow's API server, and imports modules early where workers are forked.

Every Airflow process imports this module at start, so it must stay light.
"""

from __future__ import annotations

import logging
from functools import cached_property
from importlib.metadata import PackageNotFoundError, distribution
from typing import Any

from airflow.configuration import conf
from airflow.plugins_manager import AirflowPlugin

from upgrade_orchestrator.provider import PACKAGE

log = logging.getLogger(__name__)

VIEW = "api/v1/registry/view"
"Relative, so that it also works under a base path."


class UpgradesPlugin(AirflowPlugin):
    """The REST API under /api/v1/registry, and the pages in Airflow's UI."""

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
        {
            "name": "Upgrade",
            "destination": "dag_run",
            "url_route": "upgrade_run",
            "href": f"{VIEW}/dags/{{DAG_ID}}/runs/{{RUN_ID}}",
        },
    )

    @cached_property
    def fastapi_apps(self) -> list[dict[str, Any]]:
        """Read only by the API server; workers, triggerer and dag processor never load FastAPI because of it."""
        from upgrade_orchestrator.web.app import URL_PREFIX, create_app

        return [{"app": create_app(), "url_prefix": URL_PREFIX, "name": "Upgrade Orchestrator"}]

    @classmethod
    def on_load(cls, *args: Any, **kwargs: Any) -> None:
        """Import what each task needs before Airflow forks its workers, so that they need not import it again.

        Only if plugins are loaded at start (``[core] lazy_load_plugins = False``); otherwise it would be too late.
        """
        if conf.getboolean("core", "lazy_load_plugins"):
            return
        from upgrade_orchestrator.flow.upgrade.warm_up import warm_up

        try:
            warm_up()
        except Exception:  # only a loss of time: the API and its pages must still load
            log.warning("the modules of the upgrades' tasks could not be imported ahead of time", exc_info=True)


def plugin_unless_installed() -> type[UpgradesPlugin] | None:
    """The plugin for a file in the plugins folder; None if the installed package registers it already.

    Airflow rejects a second plugin with the same name, and its task side then skips the plugins after it.
    """
    try:
        entry_points = distribution(PACKAGE).entry_points
    except PackageNotFoundError:
        return UpgradesPlugin
    return None if entry_points.select(group="airflow.plugins") else UpgradesPlugin
