"""The local stack as a whole: what it exposes, and what `up` and `down` do to a running one.

That a stack which does not start is stopped again needs one that was never started: tests/integration/local.
"""

from collections.abc import Callable
from subprocess import CompletedProcess

import httpx
import psutil
import pytest

from local.demo.rest import BASE
from local.ports import HOST, free_port
from local.stack.stack import Stack

Run = Callable[..., "CompletedProcess[str]"]


def test_stack_runs_every_component_and_reports_health(stack: Stack) -> None:
    assert stack.running() == stack.wanted()
    health = httpx.get(f"http://{HOST}:{stack.port}{BASE}/health", trust_env=False, timeout=30)
    assert (health.status_code, health.json()["status"]) == (200, "ok")


def test_stack_listens_on_127_0_0_1_only(stack: Stack) -> None:
    addresses = {address for pid in stack.process_ids() for address in _listening(pid)}
    assert {ip for ip, _ in addresses} == {"127.0.0.1"}
    assert {stack.port, stack.ports.postgres, stack.ports.kafka} <= {port for _, port in addresses}


def _listening(pid: int) -> list[tuple[str, int]]:
    try:
        connections = psutil.Process(pid).net_connections("inet")
    except psutil.NoSuchProcess:
        return []
    return [(found.laddr.ip, found.laddr.port) for found in connections if found.status == psutil.CONN_LISTEN]


def test_files_with_secrets_are_readable_by_their_owner_only(stack: Stack) -> None:
    modes = {path.name: oct(path.stat().st_mode & 0o777) for path in stack.layout.secrets.iterdir()}
    assert len(modes) >= 8
    assert set(modes.values()) == {"0o600"}


def test_token_command_prints_only_a_token_that_airflow_accepts(stack: Stack, command: Run) -> None:
    done = command("token")
    assert (done.returncode, done.stderr, done.stdout.count("\n")) == (0, "", 1)
    assert _status(stack, {"Authorization": f"Bearer {done.stdout.strip()}"}) == 200


def test_airflow_refuses_a_call_without_a_token(stack: Stack) -> None:
    assert _status(stack, {}) == 401


def test_path_with_a_line_feed_before_its_end_is_refused_by_airflow(stack: Stack) -> None:
    """Starlette's mounts do not match such a path. Once they do, generated calls may contain line feeds again."""
    answer = httpx.get(f"{stack.url}{BASE}/upgrades/a%0Ab", trust_env=False, timeout=30)
    assert (answer.status_code, answer.json()) == (404, {"detail": "Not Found"})


def test_path_that_ends_with_a_line_feed_is_refused_by_the_app(stack: Stack) -> None:
    answer = httpx.get(f"{stack.url}{BASE}/upgrades/a%0A", trust_env=False, timeout=30)
    assert (answer.status_code, answer.json()["code"]) == (404, "NOT_FOUND")


def _status(stack: Stack, headers: dict[str, str]) -> int:
    return httpx.get(f"{stack.url}/api/v2/dags", headers=headers, trust_env=False, timeout=30).status_code


@pytest.mark.alone  # the demo begins with an `up` as well, and only one may run at a time
def test_up_refuses_another_port_while_the_stack_runs(stack: Stack, command: Run) -> None:
    done = command("up", PORT=str(free_port()))
    assert done.returncode == 1
    assert f"the stack runs on port {stack.port}" in done.stderr
    assert stack.running() == stack.wanted()


@pytest.mark.alone
def test_up_recovers_when_postgres_was_killed(stack: Stack) -> None:
    with stack.postgres().connect("upgrades") as connection:
        connection.execute("CREATE TABLE kept AS SELECT 42 AS number")
    stack.kill("postgres")
    assert not stack.is_alive("postgres")
    stack.up()
    with stack.postgres().connect("upgrades") as connection:
        assert connection.execute("SELECT number FROM kept").fetchone() == (42,)
        connection.execute("DROP TABLE kept")
    assert stack.running() == stack.wanted()
