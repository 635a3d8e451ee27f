"""Kafka for the tests, real or the stack's own, started and stopped as often as a test needs."""

import json
import os
import sys
import time
from pathlib import Path

from confluent_kafka.admin import AdminClient, AlterConfigOpType, ConfigEntry, ConfigResource, NewTopic

from local.ports import HOST, free_port
from local.supervisor.processes import Command, Processes

ROOT = Path(__file__).resolve().parents[3]
PARTITIONS = 4
_SECONDS = 120


class Broker:
    """One Kafka in a process of its own, on a port of its own."""

    def __init__(self, folder: Path) -> None:
        self.port = free_port()
        self._folder = folder
        self._processes = Processes(folder, folder)

    @property
    def address(self) -> str:
        return f"{HOST}:{self.port}"

    def start(self) -> None:
        """Returns when the process says that it serves: another process may answer at the port."""
        self._processes.start(Command("kafka", [*self._argv(), "--port", str(self.port)], dict(os.environ), ROOT))
        deadline = time.monotonic() + _SECONDS
        while "kafka at" not in self._processes.last_lines("kafka", 100):
            assert self._processes.is_alive("kafka"), self._processes.last_lines("kafka")
            assert time.monotonic() < deadline, self._processes.last_lines("kafka")
            time.sleep(0.05)

    def kill(self) -> None:
        self._processes.kill("kafka")

    def _argv(self) -> list[str]:
        raise NotImplementedError


class MockKafka(Broker):
    """The stack's own, which needs nothing installed; its records end with it."""

    def _argv(self) -> list[str]:
        return [sys.executable, "-m", "local.kafka.mock"]


class RealKafka(Broker):
    """One real broker; its records survive a restart."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.settings: dict[str, str] = {}
        "Broker settings that replace the usual ones."

    def stop(self) -> None:
        """Stop it in an orderly way; the port stays reserved."""
        self._processes.stop({"kafka": 15})

    def make_topic(self, name: str, **config: str) -> None:
        admin = self._admin()  # its futures end with it
        admin.create_topics([NewTopic(name, PARTITIONS, 1, config=_dotted(config))])[name].result(30)
        deadline = time.monotonic() + _SECONDS
        while admin.list_topics(name, timeout=5).topics[name].error is not None:
            assert time.monotonic() < deadline, f"the topic {name} does not become known"

    def set_topic(self, name: str, **config: str) -> None:
        """Change a setting of the topic."""
        entries = [
            ConfigEntry(key, value, incremental_operation=AlterConfigOpType.SET)
            for key, value in _dotted(config).items()
        ]
        resource = ConfigResource(ConfigResource.Type.TOPIC, name, incremental_configs=entries)
        admin = self._admin()
        for done in admin.incremental_alter_configs([resource]).values():
            done.result(30)

    def connection(self, **extra: object) -> str:
        """The Airflow connection in the form of an environment variable."""
        return json.dumps({"conn_type": "kafka", "extra": {"bootstrap.servers": self.address} | extra})

    def _argv(self) -> list[str]:
        more = self._folder / "more.properties"
        more.write_text("".join(f"{key}={value}\n" for key, value in self.settings.items()))
        settings = ["--folder", str(self._folder), "--settings", str(more)]
        return [sys.executable, "-m", "local.kafka.broker", *settings]

    def _admin(self) -> AdminClient:
        return AdminClient({"bootstrap.servers": self.address, "log_level": 0})


def _dotted(config: dict[str, str]) -> dict[str, str]:
    return {key.replace("_", "."): value for key, value in config.items()}
