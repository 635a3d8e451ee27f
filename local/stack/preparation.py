"""What is prepared between the start of PostgreSQL and of Airflow (tables, users, settings), and the seed
afterwards.
"""

import hashlib
import importlib.util
import subprocess
import sys
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path

from local.credentials import Credentials
from local.errors import LocalError
from local.files import read_or_none, write_whole
from local.layout import Layout
from local.postgres.server import Postgres

_SETUP, _SEED = "local.airflow.setup", "local.demo.seed"


class Preparation:
    """Runs the set-up only if something it depends on has changed, because it takes most of the time of a start."""

    def __init__(
        self, layout: Layout, env: dict[str, str], credentials: Credentials, postgres: Postgres, *options: str
    ) -> None:
        """``options`` of the set-up: see ``local.airflow.setup``."""
        self._layout, self._env, self._credentials, self._options = layout, env, credentials, options
        self._stamp = layout.state / "prepared"
        self._fingerprint = _fingerprint(layout.root, postgres.identity(), credentials)

    def is_due(self) -> bool:
        """Whether the database, the code, a version or the settings file has changed since the last set-up."""
        return read_or_none(self._stamp) != self._fingerprint

    def run(self) -> None:
        """Set everything up.

        :raises LocalError: it failed; with the end of its output.
        """
        self._call(_SETUP, [str(self._layout.root), *self._options], f"{self._credentials.admin_password}\n")
        write_whole(self._stamp, self._fingerprint)

    def seed(self) -> None:
        """Fill in what the seed's commands need; this calls the running stack."""
        if importlib.util.find_spec(_SEED) is not None:
            self._call(_SEED, [], "")

    def _call(self, module: str, arguments: list[str], given: str) -> None:
        done = subprocess.run(
            [sys.executable, "-m", module, *arguments],
            cwd=self._layout.root,
            env=self._env,
            input=given,
            capture_output=True,
            text=True,
            check=False,
        )
        log = self._layout.logs / f"{module.partition('.')[2].replace('.', '-')}.log"
        write_whole(log, done.stdout + done.stderr)
        if done.returncode != 0:
            last = "\n".join((done.stderr or done.stdout).strip().splitlines()[-15:])
            raise LocalError(f"{module} failed; the end of its output ({log.name} has all):\n{last}")


def _fingerprint(root: Path, database: str, credentials: Credentials) -> str:
    digest = hashlib.sha256()
    for part in (database, credentials.admin_password, version("apache-airflow"), *_sources(root)):
        digest.update(part.encode() + b"\0")
    return digest.hexdigest()


def _sources(root: Path) -> Iterator[str]:
    """The files that the set-up runs or reads: the product's code and the settings file."""
    files = [*sorted((root / "include").rglob("*.py")), root / "local" / "airflow" / "setup.py"]
    for path in [*files, root / "airflow_settings.yaml"]:
        yield read_or_none(path) or ""
