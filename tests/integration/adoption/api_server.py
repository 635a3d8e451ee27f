"""The project's API server under a path of its own, other components beside it, and a client."""

import os
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress

import httpx

from local.ports import HOST, free_port
from tests.integration.adoption.project import ADMIN, PASSWORD, Project

START_SECONDS = 200


@contextmanager
def running(project: Project, *words: str, **settings: str) -> Iterator["subprocess.Popen[bytes]"]:
    """Run one of Airflow's components, with its children, during the block."""
    process = project.start(*words, **settings)
    try:
        yield process
    finally:
        with suppress(ProcessLookupError):  # it has ended by itself, which its log explains
            os.killpg(process.pid, signal.SIGTERM)
        process.wait(60)


@contextmanager
def serving(project: Project, path: str, *beside: str, **settings: str) -> Iterator[httpx.Client]:
    """Run the server, and the components ``beside`` it, during the block.

    The client is the administrator's, and its base URL ends with ``path``.
    """
    port = free_port()
    settings |= {"API__BASE_URL": f"http://localhost:{port}{path}"}
    with ExitStack() as stack:
        words = (("api-server", "--host", HOST, "--port", str(port)), *((each,) for each in beside))
        server, *_ = [stack.enter_context(running(project, *each, **settings)) for each in words]
        client = stack.enter_context(httpx.Client(base_url=f"http://{HOST}:{port}{path}", trust_env=False, timeout=60))
        deadline = time.monotonic() + START_SECONDS
        while not _answers(client):
            ended = server.poll() is not None or time.monotonic() > deadline
            assert not ended, project.log("api-server")
            time.sleep(0.1)
        given = {"username": ADMIN, "password": PASSWORD}
        token = client.post("/auth/token", json=given).raise_for_status().json()["access_token"]
        client.headers["Authorization"] = f"Bearer {token}"
        yield client


def _answers(client: httpx.Client) -> bool:
    try:
        return client.get("/api/v2/version").is_success
    except httpx.TransportError:
        return False
