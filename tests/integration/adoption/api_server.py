"""The project's API server under a path of its own, the other components, and a client."""

import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress

import httpx
import psutil

from local.ports import HOST, free_port
from tests.integration.adoption.project import ADMIN, PASSWORD, Project

START_SECONDS, END_SECONDS = 200, 20


@contextmanager
def running(project: Project, *words: str, **settings: str) -> Iterator["subprocess.Popen[bytes]"]:
    """Run one of Airflow's components, with its children, during the block."""
    process = project.start(*words, **settings)
    try:
        yield process
    finally:
        _end(process)


@contextmanager
def serving(project: Project, path: str, **settings: str) -> Iterator[httpx.Client]:
    """Run the server during the block; the client is the administrator's, and its base URL ends with ``path``."""
    port = free_port()
    settings |= {"API__BASE_URL": f"http://localhost:{port}{path}"}
    with ExitStack() as stack:
        words = ("api-server", "--host", HOST, "--port", str(port))
        server = stack.enter_context(running(project, *words, **settings))
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


def _end(process: "subprocess.Popen[bytes]") -> None:
    """As a service manager does: ask the component first, whose children it ends itself, then kill what is left."""
    family: list[psutil.Process] = []
    with suppress(psutil.NoSuchProcess):  # it has ended by itself, which its log explains
        family = psutil.Process(process.pid).children(recursive=True)
    process.terminate()
    with suppress(subprocess.TimeoutExpired):
        process.wait(END_SECONDS)
    process.kill()
    for each in family:
        with suppress(psutil.NoSuchProcess):
            each.kill()
    process.wait()


def _answers(client: httpx.Client) -> bool:
    try:
        return client.get("/api/v2/version").is_success
    except httpx.TransportError:
        return False
