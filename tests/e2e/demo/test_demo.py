from collections.abc import Callable
from subprocess import CompletedProcess

import pytest

from local.fleet.client import FleetAdmin
from local.ports import HOST
from local.stack.stack import Stack

Run = Callable[..., "CompletedProcess[str]"]

pytestmark = pytest.mark.timeout(600)


def test_demo_ends_with_a_completed_and_verified_upgrade(stack: Stack, command: Run) -> None:
    done = command("demo")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "IN_PROGRESS → COMPLETED: all instances upgraded" in done.stdout
    assert "verified: all 20 processes of the fleet answer, healthy at 3.7.0" in done.stdout
    assert f"{stack.url}/dags/upgrade__" in done.stdout
    assert "\x1b[" not in done.stdout


# faults 1, 8, 14 and 31 from end to end; the others are rehearsed with make demo FAULT
@pytest.mark.parametrize(
    ("fault", "end"),
    [
        ("absent", "COMPLETED"),
        ("spelling", "COMPLETED"),
        ("foreign-drain", "COMPLETED"),
        ("stale-token", "FAILED"),
    ],
)
def test_demo_with_a_fault_ends_as_expected_and_leaves_all_as_it_was(
    stack: Stack, command: Run, fault: str, end: str
) -> None:
    done = command("demo", FAULT=fault)
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"as expected: {end}" in done.stdout
    with FleetAdmin(f"http://{HOST}:{stack.ports.agent}", stack.credentials().agent_token) as agent:
        assert agent.faults("demo") == []
        assert {each["version"] for each in agent.fleet("demo")["instances"]} == {"3.6.0"}
