import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from local.ports import free_port

ROOT = Path(__file__).resolve().parents[3]


def _run(name: str, state: Path, port: str) -> "subprocess.CompletedProcess[str]":
    env = os.environ | {"PORT": port, "LOCAL_STATE": str(state)}
    return subprocess.run(
        [sys.executable, "-m", "local", name], cwd=ROOT, env=env, capture_output=True, text=True, check=False
    )


def test_up_names_the_port_in_one_line_when_it_is_busy(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = _run("up", tmp_path / "state", str(port))
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.splitlines()[-1].startswith(f"local: port {port} is busy")
    assert "Traceback" not in done.stderr


def test_up_names_the_port_when_it_is_busy_on_every_address(tmp_path: Path) -> None:
    with socket.create_server(("", 0)) as taken:
        port = taken.getsockname()[1]
        done = _run("up", tmp_path / "state", str(port))
    assert done.returncode == 1
    assert f"port {port} is busy" in done.stderr


@pytest.mark.parametrize("port", ["eighty", "80", "70000", "-1"])
def test_up_explains_what_a_port_is_when_the_value_is_invalid(tmp_path: Path, port: str) -> None:
    done = _run("up", tmp_path / "state", port)
    assert done.returncode == 1
    assert done.stderr == f"local: PORT is {port!r}: a whole number from 1024 to 65535 is needed\n"


@pytest.mark.parametrize("command", ["token"])
def test_command_names_up_in_one_line_when_the_stack_is_down(tmp_path: Path, command: str) -> None:
    done = _run(command, tmp_path / "state", str(free_port()))
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "local: the stack is not up: run `make up` first\n"


def test_down_succeeds_when_the_stack_was_never_started(tmp_path: Path) -> None:
    done = _run("down", tmp_path / "state", str(free_port()))
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
