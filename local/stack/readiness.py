"""Waits until the stack is ready, or reports what prevents it."""

import time
from collections.abc import Collection
from datetime import UTC, datetime

import psutil

from local.airflow.health import Health, fleet_answers, serves_tasks
from local.airflow.settings import API_SERVER, DAG_PROCESSOR, SCHEDULER, TRIGGERER
from local.errors import ComponentEndedError, LocalError
from local.ports import Ports, answers
from local.stack.components import POSTGRES
from local.supervisor.processes import Processes

_READY_SECONDS = 300
_POLL_SECONDS = 0.2


class Readiness:
    """Checks each wanted component until all are healthy."""

    def __init__(self, processes: Processes, ports: Ports, wanted: Collection[str]) -> None:
        self._processes, self._ports, self._wanted = processes, ports, wanted

    def wait(self) -> None:
        """Return when everything is ready.

        :raises ComponentEndedError: a component ended, with the last lines of its log.
        :raises LocalError: 300 s went by, with who was missing.
        """
        deadline = time.monotonic() + _READY_SECONDS
        while missing := self._missing():
            self._check_alive()
            if time.monotonic() > deadline:
                raise LocalError(f"not ready after {_READY_SECONDS} s: {', '.join(missing)}; logs in .local/logs")
            time.sleep(_POLL_SECONDS)

    def _missing(self) -> list[str]:
        health = Health.ask(self._ports.api)
        return [name for name in self._wanted if not self._is_ready(name, health)]

    def _is_ready(self, name: str, health: Health) -> bool:
        match name:
            case "postgres" | "kafka":
                return answers(getattr(self._ports, name))
            case "agent":
                return fleet_answers(self._ports.agent)
            case _ if name == API_SERVER:
                return health.is_up() and serves_tasks(self._ports.api)
            case _ if name in (SCHEDULER, DAG_PROCESSOR, TRIGGERER):
                # A component that fails without PostgreSQL may still show a heartbeat from before PostgreSQL's start.
                return health.is_healthy(name, max(self._began(name), self._began(POSTGRES)))
        raise LocalError(f"there is no component {name!r}")

    def _began(self, name: str) -> datetime:
        leader = self._processes.leader(name)
        try:
            return datetime.fromtimestamp(psutil.Process(leader.pid if leader else 0).create_time(), UTC)
        except psutil.Error:
            return datetime.now(UTC)

    def _check_alive(self) -> None:
        for name in self._wanted:
            if not self._processes.is_alive(name):
                raise ComponentEndedError(name, self._processes.last_lines(name))
