"""Questions to the running Airflow: is it healthy, and a token for a user."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import httpx

from local.errors import LocalError
from local.ports import HOST

_TIMEOUT_SECONDS = 5.0
_HEARTBEATS = {
    "scheduler": "latest_scheduler_heartbeat",
    "triggerer": "latest_triggerer_heartbeat",
    "dag-processor": "latest_dag_processor_heartbeat",
}


@dataclass(frozen=True)
class Health:
    """The body of `/api/v2/monitor/health`; empty when there was no answer."""

    body: dict[str, Any]

    @classmethod
    def ask(cls, port: int) -> "Health":
        """Ask the API server; without an answer, or with a malformed one, the body is empty."""
        try:
            answer = _client(port).get("/api/v2/monitor/health")
            return cls(answer.json() if answer.status_code == 200 else {})
        except (httpx.HTTPError, ValueError):
            return cls({})

    def is_up(self) -> bool:
        """Whether the API server answers and reaches its database."""
        return self._status("metadatabase") == "healthy"

    def is_healthy(self, component: str, since: datetime) -> bool:
        """Whether the component is healthy, by a heartbeat after `since`.

        Without `since` the last heartbeat of a killed one would pass for this one's, up to 30 s.
        """
        section = component.replace("-", "_")
        beat = (self.body.get(section) or {}).get(_HEARTBEATS[component])
        return self._status(section) == "healthy" and beat is not None and _time(beat) >= since

    def _status(self, section: str) -> str | None:
        status: str | None = (self.body.get(section) or {}).get("status")
        return status


def serves_tasks(port: int) -> bool:
    """Whether tasks can be run. The first call makes Airflow prepare its side for tasks, which takes seconds."""
    try:
        return _client(port, timeout=60).get("/execution/health").status_code == 200
    except httpx.HTTPError:
        return False


def request_token(port: int, user: str, password: str) -> str:
    """A JWT of the user.

    :raises LocalError: no answer, or the user and password are refused.
    """
    try:
        answer = _client(port).post("/auth/token", json={"username": user, "password": password})
    except httpx.HTTPError:
        raise LocalError(f"nothing answers on port {port}: run `make up` first") from None
    if answer.status_code != 201:
        raise LocalError(f"Airflow on port {port} refuses the user {user!r}: HTTP {answer.status_code}")
    return str(answer.json()["access_token"])


def fleet_answers(port: int) -> bool:
    """Whether the demo fleet's agent answers over HTTP; an answer that asks for a token counts."""
    try:
        return _client(port).get("/").status_code < 500
    except httpx.HTTPError:
        return False


def _client(port: int, timeout: float = _TIMEOUT_SECONDS) -> httpx.Client:
    return httpx.Client(base_url=f"http://{HOST}:{port}", timeout=timeout, trust_env=False)


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text.replace("Z", "+00:00"))
