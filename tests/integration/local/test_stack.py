import fcntl
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import psutil
import pytest

from local.components import COMPONENTS
from local.errors import LocalError
from local.ports import free_port
from local.stack import Stack

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A real stack of its own. Each test leaves it up."""
    state = tmp_path_factory.mktemp("stack") / "state"
    own = Stack(ROOT, free_port(), state, _environment())
    try:
        own.up()
        yield own
    finally:
        own.remove()


@pytest.fixture
def fresh(tmp_path: Path) -> Iterator[Stack]:
    """A stack that was never started; nothing of it is left, however the test ends."""
    own = Stack(ROOT, free_port(), tmp_path / "state", _environment())
    yield own
    own.remove()


def _environment() -> dict[str, str]:
    return {key: value for key, value in os.environ.items() if key != "KAFKA_BOOTSTRAP_SERVERS"}


def _leaders(stack: Stack) -> dict[str, int]:
    return {name: leader.pid for name in stack.running() if (leader := stack.leader(name))}


def _command(name: str, port: int, state: Path) -> "subprocess.CompletedProcess[str]":
    env = _environment() | {"PORT": str(port), "LOCAL_STATE": str(state)}
    return subprocess.run(
        [sys.executable, "-m", "local", name], cwd=ROOT, env=env, capture_output=True, text=True, check=False
    )


def test_up_runs_every_component(stack: Stack) -> None:
    assert stack.running() == stack.wanted()


def test_second_up_starts_nothing_when_all_runs(stack: Stack) -> None:
    before = _leaders(stack)
    stack.up()
    assert _leaders(stack) == before


def test_up_starts_only_the_dead_component_when_one_was_killed(stack: Stack) -> None:
    before = _leaders(stack)
    stack.kill("triggerer")
    stack.up()
    after = _leaders(stack)
    assert after.pop("triggerer") != before.pop("triggerer")
    assert after == before


def test_up_recovers_when_postgres_was_killed(stack: Stack) -> None:
    with stack.postgres().connect("upgrades") as connection:
        connection.execute("CREATE TABLE IF NOT EXISTS kept (number int)")
        connection.execute("INSERT INTO kept VALUES (42)")
    stack.kill("postgres")
    assert not stack.is_alive("postgres")
    stack.up()
    with stack.postgres().connect("upgrades") as connection:
        assert connection.execute("SELECT number FROM kept").fetchone() == (42,)
        connection.execute("DROP TABLE kept")
    assert stack.running() == stack.wanted()


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


def test_token_opens_airflow_and_nothing_else_is_printed(stack: Stack) -> None:
    done = _command("token", stack.port, stack.layout.state)
    assert (done.returncode, done.stderr, done.stdout.count("\n")) == (0, "", 1)
    assert _status(stack, {"Authorization": f"Bearer {done.stdout.strip()}"}) == 200


def test_airflow_refuses_a_caller_without_token(stack: Stack) -> None:
    assert _status(stack, {}) == 401


def _status(stack: Stack, headers: dict[str, str]) -> int:
    return httpx.get(f"{stack.url}/api/v2/dags", headers=headers, trust_env=False).status_code


def test_secrets_are_for_their_owner_only(stack: Stack) -> None:
    modes = {path.name: oct(path.stat().st_mode & 0o777) for path in stack.layout.secrets.iterdir()}
    assert len(modes) >= 8
    assert set(modes.values()) == {"0o600"}


def test_up_refuses_another_port_when_the_stack_runs(stack: Stack) -> None:
    done = _command("up", free_port(), stack.layout.state)
    assert done.returncode == 1
    assert f"the stack runs on port {stack.port}" in done.stderr
    assert stack.running() == stack.wanted()


def test_down_leaves_no_process_and_repeats(stack: Stack) -> None:
    before = stack.process_ids()
    assert len(before) > len(COMPONENTS)
    stack.down()
    assert {pid for pid in before if _runs(pid)} == set()
    stack.down()
    assert stack.running() == []
    stack.up()


def _runs(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def test_up_names_the_component_that_ends_and_stops_the_rest(fresh: Stack) -> None:
    fresh.layout.create()
    with (fresh.layout.fleet / ".lock").open("wb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # as another agent on the same state would hold it
        with pytest.raises(LocalError, match="agent ended while the stack was starting(.|\n)*another agent uses"):
            fresh.up()
    assert fresh.running() == []
    assert fresh.process_ids() == set()


def test_up_stops_what_it_started_when_it_is_interrupted(fresh: Stack) -> None:
    env = _environment() | {"PORT": str(fresh.port), "LOCAL_STATE": str(fresh.layout.state)}
    up = subprocess.Popen([sys.executable, "-m", "local", "up"], cwd=ROOT, env=env, stderr=subprocess.PIPE, text=True)
    deadline = time.monotonic() + 120
    while not fresh.is_alive("scheduler"):
        assert up.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.05)
    before = fresh.process_ids()
    up.send_signal(signal.SIGINT)
    _, said = up.communicate(timeout=60)
    assert up.returncode == 130
    assert said.splitlines()[-1] == "local: interrupted; what was started has been stopped"
    assert [pid for pid in before if _runs(pid)] == []
