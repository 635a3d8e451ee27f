"""docs/examples/agent.py, the agent of a hundred lines, with programs that really change something."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, cast

import httpx
import psutil
import pytest

from local.fleet.client import FleetAdmin
from local.ports import HOST, free_port
from tests.architecture.sources import ROOT
from tests.integration.fleet.running_agent import TOKEN, Caller, RunningAgent, wait_for
from tests.integration.world import make_world
from tests.labs.lab import Lab
from tests.labs.seed import NEW_VERSION, OLD_VERSION
from upgrade_orchestrator.domain.execution.states import ExecutionStatus

FLEET, SIZE = "example", 4
PROGRAMS = {
    "version": "cat version",
    "health": "test -e up || { echo it is down; exit 1; }",
    "drain": "rm -f traffic",
    "undrain": "touch traffic",
    "upgrade": """rm -f up; echo "$1" >> orders
test ! -e instance || { sleep 60 & echo $! >> instance; }
test ! -e broken || { echo "no package $1"; echo "see the mirror"; exit 1; }
while test -e slow; do sleep 0.02; done
echo "$1" > version; touch up""",
}


class ExampleAgent:
    """The example in its own process."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.port = folder, free_port()
        self.url = f"http://{HOST}:{self.port}"
        self.admin = FleetAdmin(self.url, TOKEN)
        self.start()

    def start(self) -> None:
        command = [sys.executable, str(ROOT / "docs/examples/agent.py"), FLEET, str(self.folder), str(self.port)]
        self.process = subprocess.Popen(command, env=os.environ | {"UPGRADE_AGENT_TOKEN": TOKEN})
        wait_for(self._answers, "the agent answers")

    def _answers(self) -> bool:
        try:
            return self.admin.http.get(f"/fleets/{FLEET}").is_success
        except httpx.TransportError:
            return False

    def kill(self) -> None:
        self.process.kill()
        self.process.wait(30)


def instance_in(folder: Path) -> None:
    folder.mkdir()
    for name, text in PROGRAMS.items():
        program = folder / name
        program.write_text(f'#!/bin/sh\ncd "$(dirname "$0")/files" || exit 1\n{text}\n')
        program.chmod(0o755)
    (folder / "files").mkdir()
    (folder / "files" / "version").write_text(f"{OLD_VERSION}\n")
    for name in ("up", "traffic"):
        (folder / "files" / name).touch()


@pytest.fixture
def agent(tmp_path: Path) -> Iterator[ExampleAgent]:
    folder = tmp_path / "fleet"
    folder.mkdir()
    for number in range(1, SIZE + 1):
        instance_in(folder / f"{FLEET}-{number:02}")
    agent = ExampleAgent(folder)
    yield agent
    agent.kill()
    agent.admin.close()


@pytest.fixture
def caller(agent: ExampleAgent) -> Caller:
    return Caller(cast(RunningAgent, agent), FLEET, fence=7)


async def test_fleet_of_the_example_is_upgraded(
    agent: ExampleAgent, postgres_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = await make_world(postgres_url, cast(RunningAgent, agent), FLEET, tmp_path, monkeypatch)
    lab = Lab(world)
    execution = await lab.upgrade(await lab.admitted(batch_size=2, max_unavailable_percentage=50))
    assert (execution.status, execution.status_reason) == (ExecutionStatus.COMPLETED, execution.status_reason)
    assert [file_of(agent, number, "orders").split() for number in range(1, SIZE + 1)] == [[NEW_VERSION]] * SIZE
    assert all((agent.folder / f"{FLEET}-{number:02}/files/traffic").exists() for number in range(1, SIZE + 1))


def file_of(agent: ExampleAgent, number: int, name: str) -> str:
    path = agent.folder / f"{FLEET}-{number:02}" / "files" / name
    return path.read_text() if path.exists() else ""


def test_failed_upgrade_shows_what_the_program_printed(agent: ExampleAgent, caller: Caller) -> None:
    (agent.folder / f"{FLEET}-01/files/broken").touch()
    assert caller.replace(f"{FLEET}-01", NEW_VERSION, ends="STOPPED")["detail"] == "no package 3.7.0\nsee the mirror"
    assert caller.get(f"/instances/{FLEET}-01/health").status_code == 503


def test_program_may_leave_the_instance_running(agent: ExampleAgent, caller: Caller) -> None:
    """As most programs that upgrade do: what they start keeps their output open and must not keep the next order."""
    running = agent.folder / f"{FLEET}-01/files/instance"
    running.touch()
    try:
        for version in (NEW_VERSION, OLD_VERSION):
            assert caller.replace(f"{FLEET}-01", version)["version"] == version
        assert [psutil.pid_exists(int(each)) for each in file_of(agent, 1, "instance").split()] == [True, True]
    finally:
        for each in file_of(agent, 1, "instance").split():
            os.kill(int(each), signal.SIGKILL)


def test_order_goes_on_when_the_agent_is_killed_in_the_middle(agent: ExampleAgent, caller: Caller) -> None:
    slow = agent.folder / f"{FLEET}-01/files/slow"
    slow.touch()
    caller.drain(f"{FLEET}-01")
    caller.wait(f"{FLEET}-01", "DRAINED")
    caller.upgrade(f"{FLEET}-01", NEW_VERSION, key="k")
    wait_for(lambda: file_of(agent, 1, "orders"), "the program runs")
    agent.kill()
    agent.start()
    assert caller.instance(f"{FLEET}-01")["status"] == "UPGRADING"
    assert caller.upgrade(f"{FLEET}-01", NEW_VERSION, key="k").status_code == 202
    slow.unlink()
    assert caller.wait(f"{FLEET}-01", "RUNNING")["version"] == NEW_VERSION


def test_stale_token_is_refused_also_after_a_restart(agent: ExampleAgent, caller: Caller) -> None:
    caller.drain(f"{FLEET}-01")
    agent.kill()
    agent.start()
    caller.fence = 6
    refused = caller.drain(f"{FLEET}-02")
    assert (refused.status_code, refused.json()["highestToken"]) == (412, 7)


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("PUT", f"/instances/{FLEET}-01/version", {"version": "1"}, 409),
        ("PUT", f"/instances/{FLEET}-01/version", {}, 400),
        ("PUT", f"/instances/{FLEET}-01/version", {"version": None}, 400),
        ("PUT", f"/instances/{FLEET}-01/version", {"version": "1\x00"}, 400),
        ("PUT", f"/instances/{FLEET}-01/version", {"version": "1" * 70_000}, 400),
        ("PUT", f"/instances/{FLEET}-01/version", ["version"], 400),
        ("DELETE", f"/instances/{FLEET}-01/drain", None, 404),
        ("POST", f"/instances/{FLEET}-01/restart", None, 400),
        ("POST", "/instances/nobody/drain", None, 404),
        ("PUT", "/pools/green", {"version": "1", "size": 1}, 404),
    ],
)
def test_call_that_cannot_be_carried_out_is_refused(
    caller: Caller, method: str, path: str, body: Any, status: int
) -> None:
    assert caller.send(method, path, body).status_code == status
    assert caller.instance(f"{FLEET}-01")["status"] == "RUNNING"


def test_order_without_an_idempotency_key_is_refused(agent: ExampleAgent) -> None:
    headers = {"Authorization": f"Bearer {TOKEN}", "X-Fencing-Token": "7"}
    url = f"{agent.url}/fleets/{FLEET}/instances/{FLEET}-01/drain"
    assert httpx.post(url, headers=headers, trust_env=False).status_code == 400


def test_order_that_a_full_disk_cannot_keep_is_refused_and_carried_out_when_it_is_repeated(
    agent: ExampleAgent, caller: Caller
) -> None:
    (agent.folder / "state.new").mkdir()  # no file can be written there
    assert caller.drain(f"{FLEET}-01", key="k").status_code == 503
    assert caller.instance(f"{FLEET}-01")["status"] == "RUNNING"
    (agent.folder / "state.new").rmdir()
    assert caller.drain(f"{FLEET}-01", key="k").status_code == 202
    caller.wait(f"{FLEET}-01", "DRAINED")


def test_upgrade_that_ends_while_the_disk_is_full_is_known_afterwards_and_was_made_once(
    agent: ExampleAgent, caller: Caller
) -> None:
    slow = agent.folder / f"{FLEET}-01/files/slow"
    slow.touch()
    caller.drain(f"{FLEET}-01")
    caller.wait(f"{FLEET}-01", "DRAINED")
    caller.upgrade(f"{FLEET}-01", NEW_VERSION, key="k")
    wait_for(lambda: file_of(agent, 1, "orders"), "the program runs")
    (agent.folder / "state.new").mkdir()
    slow.unlink()
    wait_for(lambda: caller.instance(f"{FLEET}-01")["version"] == NEW_VERSION, "the program has ended")
    (agent.folder / "state.new").rmdir()
    caller.wait(f"{FLEET}-01", "RUNNING")
    assert file_of(agent, 1, "orders").split() == [NEW_VERSION]


def test_program_that_prints_no_utf8_fails_like_any_other(agent: ExampleAgent, caller: Caller) -> None:
    program = agent.folder / f"{FLEET}-01/upgrade"
    program.write_text("#!/bin/sh\nprintf 'kein Platz \\374brig'; exit 1\n")
    assert caller.replace(f"{FLEET}-01", NEW_VERSION, ends="STOPPED")["detail"] == "kein Platz \ufffdbrig"


def test_one_of_many_concurrent_orders_is_carried_out(agent: ExampleAgent, caller: Caller) -> None:
    caller.drain(f"{FLEET}-01")
    caller.wait(f"{FLEET}-01", "DRAINED")
    with ThreadPoolExecutor(16) as pool:
        calls = [pool.submit(caller.upgrade, f"{FLEET}-01", NEW_VERSION, key=f"k{each % 4}") for each in range(16)]
        statuses = {each.result().status_code for each in calls}
    assert statuses <= {202, 409}
    caller.wait(f"{FLEET}-01", "RUNNING")
    assert file_of(agent, 1, "orders").split() == [NEW_VERSION]


def test_call_without_the_token_is_refused(agent: ExampleAgent) -> None:
    assert httpx.get(f"{agent.url}/fleets/{FLEET}", trust_env=False).status_code == 401
