"""The DAG bundle of the installed package: one line of configuration instead of files that are copied (ADR 26)."""

from __future__ import annotations

from pathlib import Path

from airflow.dag_processing.bundles.base import BaseDagBundle


class UpgradesDagBundle(BaseDagBundle):
    """The DAG files in the package's own folder; there is one version of them, the installed one."""

    supports_versioning = False

    @property
    def path(self) -> Path:
        """Where the files are: nothing else is in that folder, which Airflow puts on Python's path."""
        return Path(__file__).parent / "dag_files"

    def get_current_version(self) -> None:
        """No version: tasks run with the package that is installed, and so does the code that they import."""

    def refresh(self) -> None:
        """Nothing to fetch."""
