"""The servers for the measurement of events: PostgreSQL, a real Kafka and the relay, each a process of its own."""

import contextlib
import json
import os
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
from sqlalchemy.engine import make_url

from bench.stack.world import ROOT
from local.kafka.jars import jars
from local.ports import HOST, answers, free_port
from local.postgres.server import running_postgres
from local.supervisor.processes import Command, Processes
from upgrade_orchestrator.adapters.postgres.migrate import migrate

TOPIC = "registry.upgrade-orchestration-events"
EXECUTIONS = 20
_READY_SECONDS = 120
_EXECUTION = """
INSERT INTO execution (id, tenant_id, component_id, from_version_id, to_version_id, strategy, request, plan, plan_hash,
    shape, shard_key, total_instances, from_version, to_version, created_by, created_at, status, status_reason,
    warnings, version)
SELECT 'e' || n, 't' || n, 'c', 'old', 'new', 'ROLLING', '{}', '{}', '', '{}', 0, 1, '1', '2', 'bench', now(),
    'IN_PROGRESS', '', '[]', 1 FROM generate_series(1, %s) AS n
"""


@dataclass(frozen=True)
class EventWorld:
    """The servers' addresses. The caller starts and kills the relay."""

    url: str
    kafka: str
    processes: Processes

    def connect(self) -> "psycopg.Connection[tuple[Any, ...]]":
        """An autocommit connection to the product's database."""
        dsn = make_url(self.url).set(drivername="postgresql").render_as_string(hide_password=False)
        return psycopg.connect(dsn, autocommit=True)

    def start_relay(self) -> None:
        """Start the relay, which may take a second or two until it leads."""
        extra = {"bootstrap.servers": self.kafka}
        env = dict(os.environ) | {"AIRFLOW_CONN_KAFKA_EVENTS": json.dumps({"conn_type": "kafka", "extra": extra})}
        self.processes.start(Command("relay", [sys.executable, "-m", "bench.events.relay", self.url], env, ROOT))

    def stop_relay(self) -> None:
        """Kill the relay."""
        self.processes.kill("relay")


@contextlib.contextmanager
def event_world() -> Iterator[EventWorld]:
    """Start everything in a folder of its own and remove it all afterwards."""
    jars(ROOT)
    with tempfile.TemporaryDirectory(prefix="bench-events-") as name:
        folder = Path(name)
        with running_postgres(folder / "postgres") as server, server.connect() as connection:
            connection.execute("CREATE DATABASE upgrades")
            migrate(server.url("upgrades"))
            processes = Processes(folder, folder)
            port = free_port()
            made = EventWorld(server.url("upgrades"), f"{HOST}:{port}", processes)
            try:
                _start_kafka(folder, port, processes)
                _furnish(made)
                yield made
            finally:
                for each in ("relay", "kafka"):
                    processes.kill(each)


def _start_kafka(folder: Path, port: int, processes: Processes) -> None:
    argv = [sys.executable, "-m", "local.kafka.broker", "--port", str(port), "--folder", str(folder / "kafka")]
    processes.start(Command("kafka", [*argv, "--topic", TOPIC], dict(os.environ), ROOT))
    deadline = time.monotonic() + _READY_SECONDS
    while not answers(port) or "kafka at" not in processes.last_lines("kafka", 100):
        if not processes.is_alive("kafka") or time.monotonic() > deadline:
            raise RuntimeError(f"Kafka does not start:\n{processes.last_lines('kafka')}")
        time.sleep(0.1)


def _furnish(world: EventWorld) -> None:
    with world.connect() as connection:
        connection.execute("INSERT INTO component (id, name) VALUES ('c', 'bench')")
        for each, version in (("old", "1"), ("new", "2")):
            connection.execute(
                "INSERT INTO component_version (id, component_id, version, status, recommended, lts, dependencies)"
                " VALUES (%s, 'c', %s, 'STABLE', false, false, '{}')",
                (each, version),
            )
        connection.execute(_EXECUTION, (EXECUTIONS,))
