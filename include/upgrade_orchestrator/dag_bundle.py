"""The DAG bundle of the installed package: one line of configuration instead of copied files (ADR 26)."""

from __future__ import annotations

from pathlib import Path

from airflow.dag_processing.bundles.base import BaseDagBundle


class UpgradesDagBundle(BaseDagBundle):
    """The DAG files in the package's own folder, in one version: the installed one."""

    supports_versioning = False

    @property
    def path(self) -> Path:
        """The folder of the DAG files. It has no other files, because Airflow puts it on Python's path."""
        return Path(__file__).parent / "dag_files"

    def get_current_version(self) -> None:
        """None: tasks always run with the installed package."""

    def refresh(self) -> None:
        """Does nothing: there is no remote source."""
