"""An agent as its own process, as the local stack runs it, and a caller of specification section 11."""

import itertools
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx

from local.fleet.client import FleetAdmin, Json

TOKEN = "fleet-test-token"
ROOT = Path(__file__).resolve().parents[3]
_keys = itertools.count(1)


def wait_for(condition: Callable[[], Any], what: str, seconds: float = 30.0) -> Any:
    """The first truthy value of the condition; fails after the deadline."""
    deadline = time.monotonic() + seconds
    while not (value := condition()):
        assert time.monotonic() < deadline, f"not within {seconds} s: {what}"
        time.sleep(0.01)
    return value


def is_alive(pid: int) -> bool:
    """Whether the process runs (a zombie does not)."""
    state = subprocess.run(["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True, check=False)
    return state.stdout.strip()[:1] not in ("", "Z")


def command(state: Path, *more: str, port: int = 0) -> list[str]:
    return [sys.executable, "-m", "local.fleet", "--port", str(port), "--token", TOKEN, "--state", str(state), *more]


class RunningAgent:
    """An agent to start and to break, and its processes."""

    def __init__(self, state: Path, *more: str, port: int = 0) -> None:
        environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        self.process = subprocess.Popen(
            command(state, *more, port=port), cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True
        )
        assert self.process.stdout is not None
        self.ready_line = self.process.stdout.readline()
        assert "ready on http" in self.ready_line
        self.url = self.ready_line.split(" ready on ")[1].split(": ")[0]
        self.admin = FleetAdmin(self.url, TOKEN)

    @property
    def port(self) -> int:
        return int(self.url.rsplit(":", 1)[1])

    def pids(self) -> list[int]:
        """The process of every instance."""
        return [each["pid"] for fleet in self.admin.fleets() for each in fleet["instances"] if each["pid"]]

    def kill(self) -> None:
        self.process.kill()
        self.close()

    def close(self) -> None:
        self.admin.close()
        self.process.terminate()
        self.process.wait(30)
        if self.process.stdout is not None:
            self.process.stdout.close()


class Caller:
    """The calls of the product's driver for one fleet, each with a new idempotency key unless one is given."""

    def __init__(self, agent: RunningAgent, fleet: str, fence: int | None = 1) -> None:
        self.http = agent.admin.http
        self.fleet, self.fence = fleet, fence

    def get(self, path: str = "", **kwargs: Any) -> httpx.Response:
        return self.http.get(f"/fleets/{self.fleet}{path}", **kwargs)

    def send(self, method: str, path: str, body: Json | None = None, key: str | None = None) -> httpx.Response:
        fence = {} if self.fence is None else {"X-Fencing-Token": str(self.fence)}
        headers = {"Idempotency-Key": key or f"key-{next(_keys)}", **fence}
        return self.http.request(method, f"/fleets/{self.fleet}{path}", json=body, headers=headers)

    def drain(self, instance: str, key: str | None = None) -> httpx.Response:
        return self.send("POST", f"/instances/{instance}/drain", key=key)

    def undrain(self, instance: str) -> httpx.Response:
        return self.send("POST", f"/instances/{instance}/undrain")

    def upgrade(self, instance: str, version: str, key: str | None = None) -> httpx.Response:
        return self.send("PUT", f"/instances/{instance}/version", {"version": version}, key)

    def instance(self, instance: str) -> Json:
        body: Json = self.get(f"/instances/{instance}").raise_for_status().json()
        return body

    def instances(self) -> list[Json]:
        body: list[Json] = self.get().raise_for_status().json()["instances"]
        return body

    def wait(self, instance: str, status: str, seconds: float = 30.0) -> Json:
        def reached() -> Json | None:
            found = self.instance(instance)
            return found if found["status"] == status else None

        body: Json = wait_for(reached, f"{instance} {status}", seconds)
        return body

    def replace(self, instance: str, version: str, ends: str = "RUNNING") -> Json:
        """Drain, upgrade, and wait for the end."""
        assert self.drain(instance).status_code == 202
        wait_for(lambda: self.instance(instance)["status"] in ("DRAINED", "STOPPED"), f"{instance} drained")
        assert self.upgrade(instance, version).status_code == 202
        return self.wait(instance, ends)
