"""The agent as a process: start, stop, crash, restart."""

import json
import os
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.integration.fleet.running_agent import ROOT, Caller, RunningAgent, command, is_alive, wait_for

Start = Callable[..., RunningAgent]


def _refused(arguments: list[str]) -> str:
    done = subprocess.run(arguments, cwd=ROOT, capture_output=True, text=True, timeout=30, check=False)
    assert done.returncode == 2
    return done.stderr


def _zygote(agent: RunningAgent) -> int:
    children = subprocess.run(["ps", "-A", "-o", "pid=,ppid="], capture_output=True, text=True, check=True)
    pairs = [list(map(int, line.split())) for line in children.stdout.splitlines()]
    [zygote] = [pid for pid, parent in pairs if parent == agent.process.pid]
    return zygote


def test_agent_leaves_no_process_when_it_is_killed(start: Start) -> None:
    agent = start("--fleet", "demo:3:3.5.0", "--fleet", "other:2:1.0")
    pids = [*agent.pids(), _zygote(agent)]
    assert len(pids) == 6
    assert all(map(is_alive, pids))
    agent.kill()
    wait_for(lambda: not any(map(is_alive, pids)), "instances and zygote gone")


def test_agent_leaves_no_process_when_an_instance_is_suspended(start: Start) -> None:
    agent = start("--fleet", "demo:2:3.5.0")
    pids = agent.pids()
    os.kill(pids[0], signal.SIGSTOP)
    listing = Caller(agent, "demo").instances()
    assert [each["healthy"] for each in listing] == [False, True]
    agent.kill()
    wait_for(lambda: not any(map(is_alive, pids)), "instances gone")


def test_agent_stops_cleanly_while_a_call_hangs(start: Start) -> None:
    agent = start("--fleet", "demo:3:3.5.0")
    pids = [*agent.pids(), _zygote(agent)]
    agent.admin.fault("demo", "agent-hangs")
    with pytest.raises(Exception, match="timed out"):
        Caller(agent, "demo").get(timeout=0.1)
    agent.process.terminate()
    assert agent.process.wait(30) == 0  # the call would hang for ever
    assert not any(map(is_alive, pids))


def test_agent_ends_with_a_message_when_its_helper_process_is_killed(start: Start) -> None:
    agent = start("--fleet", "demo:2:3.5.0")
    pids = agent.pids()
    os.kill(_zygote(agent), signal.SIGKILL)
    assert agent.process.wait(30) == 1
    wait_for(lambda: not any(map(is_alive, pids)), "instances gone")


def test_agent_reports_that_its_port_or_state_folder_is_in_use(start: Start, tmp_path: Path) -> None:
    agent = start()
    message = _refused(command(tmp_path / "elsewhere", port=agent.port))
    assert message.count("\n") == 1
    assert f"port {agent.port}" in message
    message = _refused(command(tmp_path / "state"))
    assert message.count("\n") == 1
    assert "another agent uses" in message


@pytest.mark.parametrize("fleet", ["demo", "demo:x:1", "demo:0:1", "-demo:1:1"])
def test_agent_refuses_a_malformed_fleet_on_its_command_line(tmp_path: Path, fleet: str) -> None:
    assert "name:size:version" in _refused(command(tmp_path, f"--fleet={fleet}"))


def test_instance_killed_from_outside_is_shown_as_stopped(start: Start) -> None:
    agent = start("--fleet", "demo:2:3.5.0")
    demo = Caller(agent, "demo")
    demo.instances()
    os.kill(agent.admin.instance("demo", "demo-01")["pid"], signal.SIGKILL)
    shown = wait_for(lambda: not demo.instances()[0]["healthy"] and demo.instances()[0], "shown as dead")
    assert shown["status"] == "STOPPED"


def test_restarted_agent_restores_its_fleets(start: Start) -> None:
    first = start("--fleet", "demo:5:3.5.0")
    demo = Caller(first, "demo")
    demo.replace("demo-01", "3.6.0")
    demo.drain("demo-02")
    demo.wait("demo-02", "DRAINED")
    first.admin.kill("demo", "demo-03")
    first.admin.fault("demo", "slow", "demo-04", seconds=60)
    first.admin.fault("demo", "unhealthy", "demo-05")
    demo.drain("demo-04")
    demo.wait("demo-04", "DRAINED")
    demo.upgrade("demo-04", "3.6.0")
    lines = first.admin.log("demo")
    first.kill()
    second = start("--fleet", "demo:5:3.5.0", port=first.port)
    listing = Caller(second, "demo").instances()
    assert [(each["version"], each["status"], each["healthy"]) for each in listing] == [
        ("3.6.0", "RUNNING", True),
        ("3.5.0", "DRAINED", True),
        ("3.5.0", "STOPPED", False),
        ("3.5.0", "STOPPED", False),
        ("3.5.0", "RUNNING", False),
    ]
    assert second.admin.log("demo")[: len(lines)] == lines
    assert len(second.admin.faults("demo")) == 2
    second.admin.clear_faults("demo")
    assert Caller(second, "demo").replace("demo-04", "3.6.0")["healthy"] is True


def test_restarted_agent_continues_a_drain(start: Start) -> None:
    first = start()
    first.admin.create("demo", 1, "3.5.0", drain_seconds=0.5)
    Caller(first, "demo").drain("demo-01")
    first.kill()
    second = start()
    assert Caller(second, "demo").wait("demo-01", "DRAINED")["healthy"] is True


def test_restarted_agent_discards_a_partly_written_line_of_its_state(start: Start, tmp_path: Path) -> None:
    first = start("--fleet", "demo:2:3.5.0")
    lines = first.admin.log("demo")
    first.kill()
    journal = tmp_path / "state" / "demo" / "journal.jsonl"
    with journal.open("a") as file:
        file.write('{"n": 4, "kind": "transi')
    second = start()
    assert second.admin.log("demo")[: len(lines)] == lines
    assert Caller(second, "demo").drain("demo-01").status_code == 202
    assert [json.loads(line)["n"] for line in journal.read_text().splitlines()][:5] == [1, 2, 3, 4, 5]
