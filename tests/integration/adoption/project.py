"""An Airflow project without this product: a bare environment, a DAG, an `include/` and a `plugins/` of its own."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from cryptography.fernet import Fernet

from local.ports import HOST
from local.postgres.server import Postgres
from local.stack.bare_venv import make_bare_venv
from tests.architecture.sources import ROOT

DAG = """
from airflow.sdk import DAG, task
from include.names import DAG_ID

@task
def say():
    from include.words import GREETING
    return GREETING

with DAG(DAG_ID, schedule=None, is_paused_upon_creation=False) as dag:
    say()
"""
PLUGIN = """
from airflow.plugins_manager import AirflowPlugin
class TeamPlugin(AirflowPlugin):
    name = "team"
"""
ADMIN, PASSWORD = "ada", "only-for-this-test"
EXISTING = f"""
from airflow.utils import db
from airflow.providers.fab.auth_manager.cli_commands.utils import get_application_builder
db.upgradedb()
with get_application_builder() as builder:
    builder.sm.sync_roles()
    builder.sm.add_user("{ADMIN}", "Ada", "Admin", "ada@example.com", builder.sm.find_role("Admin"), "{PASSWORD}")
"""
"The metadata database of an existing Airflow, with its administrator."


class Project:
    """The project's folder and environment, with its Airflow on the test's PostgreSQL."""

    def __init__(self, folder: Path, postgres: Postgres, database: str) -> None:
        self.folder = folder
        self._venv = folder / "venv"
        self.python = make_bare_venv(self._venv)
        self._write("dags/team.py", DAG)
        self._write("include/__init__.py", "")
        self._write("include/names.py", 'DAG_ID = "team_dag"\n')
        self._write("include/words.py", 'GREETING = "hello"\n')
        self._write("plugins/team_plugin.py", PLUGIN)
        self._write("home/airflow.cfg", "")
        self.env = self._environment(postgres.url(database))

    def install(self) -> None:
        """What `pip install .` does in our checkout: build the wheel and install it. Its requirements are installed
        already.
        """
        built = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(self.folder / "wheel")]
        self._run(built, cwd=ROOT)
        (wheel,) = (self.folder / "wheel").glob("*.whl")
        self._run([*self._installer("install"), "--no-deps", str(wheel)], cwd=self.folder)

    def uninstall(self, package: str) -> None:
        """What `pip uninstall --yes` does."""
        asked = [] if shutil.which("uv") else ["--yes"]
        self._run([*self._installer("uninstall"), *asked, package], cwd=self.folder)

    def configure(self, text: str) -> None:
        """Append to airflow.cfg."""
        with (self.folder / "home" / "airflow.cfg").open("a") as file:
            file.write(text)

    def unconfigure(self, text: str) -> None:
        """Take the text out of airflow.cfg again."""
        path = self.folder / "home" / "airflow.cfg"
        before = path.read_text()
        assert text in before
        path.write_text(before.replace(text, ""))

    def airflow(self, *words: str, **settings: str) -> str:
        """The command's output, with further settings of Airflow."""
        return self._run([str(self.python), "-m", "airflow", *words], cwd=self.folder, **settings)

    def python_code(self, code: str) -> str:
        """Its output."""
        return self._run([str(self.python), "-c", code], cwd=self.folder)

    def shell(self, commands: str, programs: Path) -> None:
        """Run the commands of a page; those in the folder are found first."""
        env = self.env | {"PATH": f"{programs}:{self.env['PATH']}"}
        done = subprocess.run(
            ["sh", "-eu", "-c", commands], cwd=self.folder, env=env, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-4000:]

    def refused(self, module: str) -> tuple[str, str]:
        """What the module's command, which ends with 1, prints and says to standard error."""
        done = self._done([str(self.python), "-m", module], cwd=self.folder)
        assert done.returncode == 1, done.stdout[-2000:] + done.stderr[-4000:]
        return done.stdout, done.stderr

    def start(self, *words: str, **settings: str) -> "subprocess.Popen[bytes]":
        """Start one of Airflow's components with further settings; its output goes to a file."""
        with (self.folder / f"{words[0]}.log").open("ab") as log:
            return subprocess.Popen(
                [str(self.python), "-m", "airflow", *words],
                cwd=self.folder,
                env=self._env_with(settings),
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def log(self, component: str) -> str:
        """The end of the component's output."""
        return (self.folder / f"{component}.log").read_text(errors="replace")[-4000:]

    def _installer(self, verb: str) -> list[str]:
        if uv := shutil.which("uv"):
            return [uv, "pip", verb, "--offline", "--python", str(self.python)]
        base: str = getattr(sys, "_base_executable", sys.executable)
        offline = ["--no-index"] if verb == "install" else []
        return [base, "-m", "pip", "--python", str(self.python), verb, *offline, "--quiet"]

    def _run(self, command: list[str], cwd: Path, **settings: str) -> str:
        done = self._done(command, cwd, **settings)
        assert done.returncode == 0, f"{command}\n{done.stdout[-2000:]}\n{done.stderr[-4000:]}"
        return done.stdout

    def _done(self, command: list[str], cwd: Path, **settings: str) -> "subprocess.CompletedProcess[str]":
        env = self._env_with(settings)
        return subprocess.run(command, cwd=cwd, env=env, capture_output=True, text=True, check=False)

    def _env_with(self, settings: dict[str, str]) -> dict[str, str]:
        return self.env | {f"AIRFLOW__{name}": value for name, value in settings.items()}

    def _write(self, name: str, text: str) -> None:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def _environment(self, metadata: str) -> dict[str, str]:
        kept = {name: each for name, each in os.environ.items() if not name.startswith(("AIRFLOW", "PYTHON", "UV_"))}
        settings = {
            "DATABASE__SQL_ALCHEMY_CONN": metadata,
            "DATABASE__SQL_ALCHEMY_CONN_ASYNC": metadata,
            "CORE__AUTH_MANAGER": "airflow.providers.fab.auth_manager.fab_auth_manager.FabAuthManager",
            "CORE__DAGS_FOLDER": str(self.folder / "dags"),
            "CORE__PLUGINS_FOLDER": str(self.folder / "plugins"),
            "CORE__LOAD_EXAMPLES": "False",
            "CORE__FERNET_KEY": Fernet.generate_key().decode(),
            "CORE__TEST_CONNECTION": "Enabled",
            "API__SECRET_KEY": "0" * 32,
            "UPGRADES__BACKUP_ROOTS": "file:///",
            "API_AUTH__JWT_SECRET": "1" * 32,
        }
        own = {
            "AIRFLOW_HOME": str(self.folder / "home"),
            "PYTHONPATH": str(self.folder),
            "NO_PROXY": f"{HOST},localhost",
        }
        return kept | own | {f"AIRFLOW__{name}": value for name, value in settings.items()}
