"""Airflow's real API server with our plugin and its simple auth manager, as a process on the session's PostgreSQL.

With FAB: tests/integration/web/fab.
"""

import asyncio
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import httpx

from local.ports import HOST, free_port
from local.postgres.server import Postgres
from tests.architecture.sources import ROOT
from tests.integration.fleet.running_agent import TOKEN, RunningAgent
from tests.integration.metric_receivers import StatsD
from tests.integration.web.api_server import simple_auth
from tests.integration.world import SETTINGS, document
from upgrade_orchestrator.bootstrap import close_ports, ports_for
from upgrade_orchestrator.cli.registry.document import entries_in
from upgrade_orchestrator.service.registry.load import load_registry
from upgrade_orchestrator.web.app import URL_PREFIX

_START_SECONDS = 200


class RunningAirflow:
    """Set up once; from `serve` on it is served until `close`; `login` gives a token of one of the users."""

    set_up_code, name = simple_auth.SET_UP, "airflow"

    def __init__(self, postgres: Postgres, template: str, agent: RunningAgent, folder: Path) -> None:
        self.postgres, self.port = postgres, free_port()
        self.statsd = StatsD()
        self.url = f"http://{HOST}:{self.port}"
        self._folder = folder
        self.metadata, self.own = f"{self.name}_{os.getpid()}", f"{self.name}_upgrades_{os.getpid()}"
        self._make_databases(template)
        asyncio.run(_fill(postgres.url(self.own), agent, folder, f"{self.name}-{os.getpid()}"))
        self._env = self._environment(agent, folder) | _metrics(self.statsd)
        self.set_up_output = self._set_up(self.set_up_code)
        self._log = (folder / "api-server.log").open("a+b")
        self._process: subprocess.Popen[bytes] | None = None

    def serve(self) -> None:
        """Start the server unless it runs, and wait until its database answers; fails with its log."""
        if self._process is not None:
            return
        command = [sys.executable, "-m", "airflow", "api-server", "--host", HOST, "--port", str(self.port)]
        self._process = subprocess.Popen(
            command, env=self._env, cwd=self._folder, stdout=self._log, stderr=self._log, start_new_session=True
        )
        deadline = time.monotonic() + _START_SECONDS
        while not self._answers():
            ended = self._process.poll() is not None or time.monotonic() > deadline
            assert not ended, self.log()[-3000:]
            time.sleep(0.1)

    def log(self) -> str:
        """What the server has written."""
        self._log.seek(0)
        return self._log.read().decode(errors="replace")

    def login(self, name: str) -> str:
        """A token, as a person gets it."""
        given = {"username": name, "password": simple_auth.PASSWORD}
        response = httpx.post(f"{self.url}/auth/token", json=given, timeout=30)
        token: str = response.raise_for_status().json()["access_token"]
        return token

    def client(self, name: str | None = None) -> httpx.Client:
        """A client of our API."""
        headers = {"Authorization": f"Bearer {self.login(name)}"} if name else {}
        return httpx.Client(base_url=f"{self.url}{URL_PREFIX}", headers=headers, trust_env=False, timeout=30)

    def close(self) -> None:
        self.end()
        self._log.close()
        self.statsd.close()

    def end(self) -> None:
        """End the server as a service manager does, if it runs."""
        if self._process is not None:
            os.killpg(self._process.pid, signal.SIGTERM)
            self._process.wait(30)
            self._process = None

    def _answers(self) -> bool:
        try:
            found = httpx.get(f"{self.url}{URL_PREFIX}/health", trust_env=False, timeout=5).json()
        except (httpx.TransportError, ValueError):
            return False
        return bool(found.get("parts", {}).get("database") == "ok")  # Kafka is away: the relay is not well

    def _set_up(self, code: str) -> str:
        command = [sys.executable, "-c", code]
        done = subprocess.run(command, env=self._env, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-3000:]
        return done.stdout

    def _make_databases(self, template: str) -> None:
        with self.postgres.connect() as connection:
            connection.execute(f"CREATE DATABASE {self.metadata}")
            connection.execute(f"CREATE DATABASE {self.own} TEMPLATE {template}")

    def _environment(self, agent: RunningAgent, folder: Path) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith("AIRFLOW")}
        shutil.copytree(ROOT / "dags", folder / "dags", ignore=shutil.ignore_patterns("__pycache__"))
        settings = {
            "DATABASE__SQL_ALCHEMY_CONN": self.postgres.url(self.metadata),
            "DATABASE__SQL_ALCHEMY_CONN_ASYNC": self.postgres.url(self.metadata),
            "CORE__DAGS_FOLDER": str(folder / "dags"),
            "CORE__PLUGINS_FOLDER": str(ROOT / "plugins"),
            "CORE__LOAD_EXAMPLES": "False",
            "API__BASE_URL": f"http://localhost:{self.port}",
            "API__SECRET_KEY": "0" * 32,
            "UPGRADES__BACKUP_ROOTS": "file:///",
            "API_AUTH__JWT_SECRET": "1" * 32,
            **self.settings(folder),
        }
        home = {"AIRFLOW_HOME": str(folder / "home"), "PYTHONPATH": str(ROOT)}
        named = {f"AIRFLOW__{name}": value for name, value in settings.items()}
        return kept | home | named | self._connections(int(agent.url.rsplit(":", 1)[1]))

    def settings(self, folder: Path) -> dict[str, str]:
        """Of the auth manager, and those that differ."""
        return simple_auth.settings(folder)

    def _connections(self, agent_port: int) -> dict[str, str]:
        own = {
            "conn_type": "postgres",
            "host": HOST,
            "port": self.postgres.port,
            "login": "postgres",
            "schema": self.own,
            "password": simple_auth.PASSWORD,
        }
        fleet = {"conn_type": "http", "host": HOST, "port": agent_port, "password": TOKEN}
        kafka = {"conn_type": "kafka", "extra": {"bootstrap.servers": f"{HOST}:1"}}  # no broker listens there
        named = {"UPGRADES_DB": own, "DEMO_FLEET": fleet, "KAFKA_EVENTS": kafka}
        return {f"AIRFLOW_CONN_{name}": json.dumps(each) for name, each in named.items()}


async def _fill(url: str, agent: RunningAgent, folder: Path, fleet: str) -> None:
    agent.admin.create(fleet, 2, "3.6.0", upgrade_seconds=0.05)
    backup = folder / "backup"
    backup.write_bytes(b"backup")
    await load_registry(ports_for(url, SETTINGS), entries_in(document(fleet, backup)))
    await close_ports()


def _metrics(statsd: StatsD) -> dict[str, str]:
    return {
        "AIRFLOW__METRICS__STATSD_ON": "True",
        "AIRFLOW__METRICS__STATSD_HOST": HOST,
        "AIRFLOW__METRICS__STATSD_PORT": str(statsd.port),
    }
