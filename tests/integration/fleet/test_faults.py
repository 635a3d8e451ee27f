"""Each fault, how it ends, and that it affects nothing else."""

import time
from functools import partial

import httpx
import pytest

from tests.integration.fleet.running_agent import Caller, RunningAgent, wait_for


def _health(fleet: Caller, number: int = 1) -> int:
    return fleet.get(f"/instances/{fleet.fleet}-0{number}/health").status_code


def _health_is(fleet: Caller, status: int) -> bool:
    return _health(fleet) == status


def test_upgrade_fault_limited_to_once_lets_the_second_try_succeed(agent: RunningAgent, fleet: Caller) -> None:
    one, two = f"{fleet.fleet}-01", f"{fleet.fleet}-02"
    agent.admin.fault(fleet.fleet, "upgrade-fails", one, times=1)
    failed = fleet.replace(one, "3.6.0", ends="STOPPED")
    assert (failed["healthy"], failed["version"]) == (False, "3.5.0")
    assert agent.admin.faults(fleet.fleet) == []
    assert fleet.replace(two, "3.6.0")["version"] == "3.6.0"
    assert fleet.replace(one, "3.6.0")["version"] == "3.6.0"


def test_upgrade_fault_lasts_until_cleared(agent: RunningAgent, fleet: Caller) -> None:
    one = f"{fleet.fleet}-01"
    agent.admin.fault(fleet.fleet, "upgrade-fails")
    for _ in range(2):
        fleet.replace(one, "3.6.0", ends="STOPPED")
    agent.admin.clear_faults(fleet.fleet)
    assert fleet.replace(one, "3.6.0")["healthy"] is True


def test_instance_with_the_fault_starts_unhealthy_at_the_new_version(agent: RunningAgent, fleet: Caller) -> None:
    agent.admin.fault(fleet.fleet, "comes-up-unhealthy", f"{fleet.fleet}-01", times=1)
    done = fleet.replace(f"{fleet.fleet}-01", "3.6.0")
    assert (done["version"], done["healthy"]) == ("3.6.0", False)
    response = fleet.get(f"/instances/{fleet.fleet}-01/health")
    assert (response.status_code, response.json()["version"]) == (503, "3.6.0")
    assert agent.admin.log(fleet.fleet)[-1]["unavailable"] == 1
    assert fleet.replace(f"{fleet.fleet}-01", "3.6.0")["healthy"] is True


def test_slow_fault_adds_seconds_to_one_upgrade(agent: RunningAgent, fleet: Caller) -> None:
    agent.admin.fault(fleet.fleet, "slow", seconds=0.5, times=1)
    began = time.monotonic()
    fleet.replace(f"{fleet.fleet}-01", "3.6.0")
    assert time.monotonic() - began >= 0.5
    assert agent.admin.faults(fleet.fleet) == []


def test_unhealthy_fault_affects_the_running_process_until_cleared(agent: RunningAgent, fleet: Caller) -> None:
    agent.admin.fault(fleet.fleet, "unhealthy", f"{fleet.fleet}-01")
    assert (_health(fleet), _health(fleet, 2)) == (503, 200)
    assert [each["healthy"] for each in fleet.instances()] == [False, True, True]
    port = agent.admin.instance(fleet.fleet, f"{fleet.fleet}-01")["port"]
    assert httpx.get(f"http://127.0.0.1:{port}/health", trust_env=False).status_code == 503
    assert agent.admin.log(fleet.fleet)[-1]["unavailable"] == 1
    agent.admin.clear_faults(fleet.fleet, f"{fleet.fleet}-01", "unhealthy")
    assert _health(fleet) == 200
    assert agent.admin.log(fleet.fleet)[-1]["unavailable"] == 0


def test_unhealthy_fault_ends_after_its_number_of_responses(agent: RunningAgent, fleet: Caller) -> None:
    agent.admin.fault(fleet.fleet, "unhealthy", f"{fleet.fleet}-01", times=3)
    assert [_health(fleet) for _ in range(3)] == [
        503,
        503,
        200,
    ]  # the first was asked for when the fault was switched on
    assert agent.admin.faults(fleet.fleet) == []


def test_flapping_instance_alternates_between_unhealthy_and_healthy(agent: RunningAgent, fleet: Caller) -> None:
    agent.admin.fault(fleet.fleet, "flaps", f"{fleet.fleet}-01", seconds=0.05)
    for status in (503, 200, 503, 200):
        wait_for(partial(_health_is, fleet, status), f"health {status}")
    assert _health(fleet, 2) == 200
    agent.admin.clear_faults(fleet.fleet, kind="flaps")
    assert {_health(fleet) for _ in range(5)} == {200}


def test_agent_responds_503_to_the_next_calls_after_the_fault(agent: RunningAgent, fleet: Caller) -> None:
    agent.admin.fault(fleet.fleet, "agent-503", times=3)
    calls = [fleet.get(), fleet.drain(f"{fleet.fleet}-01"), _health(fleet)]
    assert [getattr(call, "status_code", call) for call in calls] == [503, 503, 503]
    assert fleet.instance(f"{fleet.fleet}-01")["status"] == "RUNNING"
    assert agent.admin.faults(fleet.fleet) == []


def test_agent_responds_503_for_one_instance_until_the_fault_is_cleared(agent: RunningAgent, fleet: Caller) -> None:
    one = f"{fleet.fleet}-01"
    agent.admin.fault(fleet.fleet, "agent-503", one)
    assert [_health(fleet), _health(fleet), fleet.drain(one).status_code] == [503, 503, 503]
    assert (_health(fleet, 2), fleet.get().status_code) == (200, 200)
    assert "Retry-After" in fleet.drain(one).headers
    agent.admin.clear_faults(fleet.fleet)
    assert fleet.drain(one).status_code == 202


def test_agent_hangs_for_the_seconds_of_the_fault_then_responds(agent: RunningAgent, fleet: Caller) -> None:
    agent.admin.fault(fleet.fleet, "agent-hangs", seconds=60, times=1)
    with pytest.raises(httpx.ReadTimeout):
        fleet.get(timeout=0.2)
    assert fleet.get(timeout=30).status_code == 200  # once only
    agent.admin.fault(fleet.fleet, "agent-hangs", seconds=0.3, times=1)
    began = time.monotonic()
    assert fleet.drain(f"{fleet.fleet}-01").status_code == 202
    assert time.monotonic() - began >= 0.3


def test_agent_hangs_until_the_fault_is_cleared(agent: RunningAgent, fleet: Caller) -> None:
    agent.admin.fault(fleet.fleet, "agent-hangs", f"{fleet.fleet}-01")
    with pytest.raises(httpx.ReadTimeout):
        fleet.get(f"/instances/{fleet.fleet}-01", timeout=0.2)
    assert _health(fleet, 2) == 200
    agent.admin.clear_faults(fleet.fleet)
    assert _health(fleet) == 200


def test_fault_of_unknown_kind_or_instance_is_refused(agent: RunningAgent, fleet: Caller) -> None:
    path = f"/demo/fleets/{fleet.fleet}/faults"
    for body, status in [({"kind": "tired"}, 400), ({"kind": "slow", "times": 0}, 400), ({}, 400)]:
        assert agent.admin.http.put(path, json=body).status_code == status
    assert agent.admin.http.put(path, json={"kind": "slow", "instance": "nobody"}).status_code == 404
    assert agent.admin.http.delete(path, params={"kind": "tired"}).status_code == 400
    assert agent.admin.faults(fleet.fleet) == []


def test_instance_killed_from_outside_is_shown_as_stopped_within_a_second(agent: RunningAgent, fleet: Caller) -> None:
    agent.admin.kill(fleet.fleet, f"{fleet.fleet}-02")
    shown = wait_for(lambda: not fleet.instances()[1]["healthy"] and fleet.instances()[1], "shown as dead")
    assert shown["status"] == "STOPPED"
    last = agent.admin.transitions(fleet.fleet)[-1]
    assert (last["to"], last["cause"], last["unavailable"]) == ("STOPPED", "the process died", 1)
