"""The project's API server under a path of its own, and a client for it."""

import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import httpx

from local.ports import HOST, free_port
from tests.integration.adoption.project import ADMIN, PASSWORD, Project

START_SECONDS = 200


@contextmanager
def serving(project: Project, path: str, **settings: str) -> Iterator[httpx.Client]:
    """Run the server during the block; the client is the administrator's, and its base URL ends with ``path``."""
    port = free_port()
    base = f"http://localhost:{port}{path}"
    process = project.start("api-server", "--host", HOST, "--port", str(port), API__BASE_URL=base, **settings)
    try:
        with httpx.Client(base_url=f"http://{HOST}:{port}{path}", trust_env=False, timeout=60) as client:
            deadline = time.monotonic() + START_SECONDS
            while not _answers(client):
                ended = process.poll() is not None or time.monotonic() > deadline
                assert not ended, project.log("api-server")
                time.sleep(0.1)
            given = {"username": ADMIN, "password": PASSWORD}
            token = client.post("/auth/token", json=given).raise_for_status().json()["access_token"]
            client.headers["Authorization"] = f"Bearer {token}"
            yield client
    finally:
        with suppress(ProcessLookupError):  # it has ended by itself, which its log explains
            os.killpg(process.pid, signal.SIGTERM)
        process.wait(60)


def _answers(client: httpx.Client) -> bool:
    try:
        return client.get("/api/v2/version").is_success
    except httpx.TransportError:
        return False
