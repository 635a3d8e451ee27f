"""Connections to the demo agent that drip, flood or end, and an order that arrives after its caller has given up."""

import time

import httpx
import pytest

from local.fleet.faults.connections import HUGE_BYTES
from tests.integration.fleet.running_agent import Caller, RunningAgent, wait_for


# fault 20
def test_connections_of_the_next_calls_are_reset_and_nothing_is_carried_out(agent: RunningAgent, fleet: Caller) -> None:
    one = f"{fleet.fleet}-01"
    agent.admin.fault(fleet.fleet, "reset", times=2)
    for _ in range(2):
        with pytest.raises(httpx.ReadError):
            fleet.drain(one)
    assert fleet.instance(one)["status"] == "RUNNING"
    assert agent.admin.faults(fleet.fleet) == []


# fault 7
def test_answer_drips_after_its_head_until_the_caller_leaves(agent: RunningAgent, fleet: Caller) -> None:
    agent.admin.fault(fleet.fleet, "drip", seconds=60, times=1)
    with fleet.http.stream("GET", f"/fleets/{fleet.fleet}", timeout=0.5) as answer:
        assert answer.status_code == 200
        with pytest.raises(httpx.ReadTimeout):
            answer.read()
    assert fleet.get().status_code == 200


# fault 7
def test_answer_that_drips_fast_is_whole_in_the_end(agent: RunningAgent, fleet: Caller) -> None:
    whole = fleet.get(f"/instances/{fleet.fleet}-01").json()
    agent.admin.fault(fleet.fleet, "drip", seconds=0.001, times=1)
    assert fleet.get(f"/instances/{fleet.fleet}-01").json() == whole


# fault 7
def test_answer_is_huge(agent: RunningAgent, fleet: Caller) -> None:
    agent.admin.fault(fleet.fleet, "huge", times=1)
    assert len(fleet.get().content) >= HUGE_BYTES
    assert len(fleet.get().content) < 10_000


# fault 32
def test_order_is_carried_out_after_its_caller_has_given_up(agent: RunningAgent, fleet: Caller) -> None:
    one = f"{fleet.fleet}-01"
    agent.admin.fault(fleet.fleet, "late-order", seconds=0.3, times=1)
    began = time.monotonic()
    with pytest.raises(httpx.ReadError):
        fleet.drain(one)
    wait_for(lambda: fleet.instance(one)["status"] == "DRAINED", "the order to arrive")
    assert time.monotonic() - began >= 0.3


# fault 32
def test_order_that_arrives_after_a_newer_token_is_refused(agent: RunningAgent, fleet: Caller) -> None:
    one = f"{fleet.fleet}-01"
    agent.admin.fault(fleet.fleet, "late-order", one, seconds=0.3, times=1)
    with pytest.raises(httpx.ReadError):
        fleet.drain(one)
    newer = Caller(agent, fleet.fleet, fence=2)
    assert newer.undrain(one).status_code == 202
    agent.admin.fault(fleet.fleet, "late-order", f"{fleet.fleet}-02", seconds=0.3, times=1)
    with pytest.raises(httpx.ReadError):
        newer.drain(f"{fleet.fleet}-02")
    wait_for(lambda: fleet.instance(f"{fleet.fleet}-02")["status"] == "DRAINED", "a later order to arrive")
    assert fleet.instance(one)["status"] == "RUNNING"


def test_fault_of_one_instance_leaves_the_connections_of_others(agent: RunningAgent, fleet: Caller) -> None:
    agent.admin.fault(fleet.fleet, "reset", f"{fleet.fleet}-01")
    assert fleet.get().status_code == 200
    assert fleet.get(f"/instances/{fleet.fleet}-02/health").status_code == 200
    with pytest.raises(httpx.ReadError):
        fleet.get(f"/instances/{fleet.fleet}-01/health")
