"""The folders and files of the local stack."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Layout:
    """The project's root, the state folder (specification section 12: `.local/`), and the paths in it."""

    root: Path
    state: Path

    @classmethod
    def of(cls, root: Path, state: Path | None = None) -> "Layout":
        """Absolute paths; the state folder is `.local` of the project unless another one is given."""
        return cls(root.resolve(), (state or root / ".local").resolve())

    def create(self) -> None:
        """Make the folders; other accounts may enter `.local`, because PostgreSQL may run as another account."""
        self.state.mkdir(parents=True, exist_ok=True)
        self.state.chmod(0o711)
        for folder in (self.secrets, self.run, self.logs, self.airflow_home, self.fleet):
            folder.mkdir(exist_ok=True)
            folder.chmod(0o700)

    @property
    def secrets(self) -> Path:
        """One file per secret, 0600."""
        return self.state / "secrets"

    @property
    def run(self) -> Path:
        """One record per process."""
        return self.state / "run"

    @property
    def logs(self) -> Path:
        """One log per process."""
        return self.state / "logs"

    @property
    def airflow_home(self) -> Path:
        """AIRFLOW_HOME; the tasks' logs lie below it."""
        return self.state / "airflow"

    @property
    def postgres(self) -> Path:
        """PostgreSQL's data."""
        return self.state / "postgres"

    @property
    def fleet(self) -> Path:
        """The demo fleet's own state."""
        return self.state / "fleet"

    @property
    def ports(self) -> Path:
        """The ports picked for this checkout."""
        return self.state / "ports.json"
