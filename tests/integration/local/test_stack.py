"""A stack that does not start. Tests of a running one are in tests/e2e/alone, on the stack that is shared there."""

import fcntl
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from local.errors import LocalError
from local.ports import free_port
from local.stack.stack import Stack
from local.supervisor.sessions import is_gone

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A stack of its own that no test leaves running; the first one creates its databases."""
    own = Stack(ROOT, free_port(), tmp_path_factory.mktemp("stack") / "state", _environment())
    yield own
    own.remove()


def _environment() -> dict[str, str]:
    return {key: value for key, value in os.environ.items() if key != "KAFKA_BOOTSTRAP_SERVERS"}


def test_up_names_the_component_that_ends_and_stops_the_rest(stack: Stack) -> None:
    stack.layout.create()
    with (stack.layout.fleet / ".lock").open("wb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # as another agent with the same state would hold it
        with pytest.raises(LocalError, match="agent ended while the stack was starting(.|\n)*another agent uses"):
            stack.up()
    assert stack.running() == []
    assert stack.process_ids() == set()


def test_up_stops_what_it_started_when_it_is_interrupted(stack: Stack) -> None:
    env = _environment() | {"PORT": str(stack.port), "LOCAL_STATE": str(stack.layout.state)}
    up = subprocess.Popen([sys.executable, "-m", "local", "up"], cwd=ROOT, env=env, stderr=subprocess.PIPE, text=True)
    deadline = time.monotonic() + 120
    while not stack.is_alive("scheduler"):
        assert up.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.05)
    before = stack.process_ids()
    up.send_signal(signal.SIGINT)
    _, said = up.communicate(timeout=60)
    # If the signal hits code that was compiled from text, Python ends by the signal itself: a shell shows 130 for both.
    assert up.returncode in (130, -signal.SIGINT), said
    assert said.splitlines()[-1] == "local: interrupted; what was started has been stopped"
    assert [pid for pid in before if not is_gone(pid)] == []
