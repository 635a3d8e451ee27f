"""Fencing and idempotency, also across a kill -9 of the agent."""

from collections.abc import Callable

import pytest

from tests.integration.fleet.running_agent import Caller, RunningAgent

Start = Callable[..., RunningAgent]


def _drains(agent: RunningAgent, fleet: Caller) -> int:
    return sum(line["to"] == "DRAINING" for line in agent.admin.transitions(fleet.fleet))


def test_repeated_call_with_the_same_key_gets_the_first_response_and_is_carried_out_once(
    agent: RunningAgent, fleet: Caller
) -> None:
    instance = f"{fleet.fleet}-01"
    first = fleet.drain(instance, key="once")
    fleet.wait(instance, "DRAINED")
    fleet.undrain(instance)
    again = fleet.drain(instance, key="once")
    assert (again.status_code, again.json()) == (first.status_code, first.json())
    assert again.headers["Idempotency-Replayed"] == "true"
    assert "Idempotency-Replayed" not in first.headers
    assert fleet.instance(instance)["status"] == "RUNNING"
    assert _drains(agent, fleet) == 1


def test_call_with_another_key_is_carried_out_again(agent: RunningAgent, fleet: Caller) -> None:
    instance = f"{fleet.fleet}-01"
    for _ in range(2):
        fleet.drain(instance)
        fleet.undrain(instance)
    assert _drains(agent, fleet) == 2


def test_agent_refuses_a_key_that_was_used_for_another_call(fleet: Caller) -> None:
    one, two = f"{fleet.fleet}-01", f"{fleet.fleet}-02"
    fleet.drain(one, key="k1")
    assert fleet.drain(two, key="k1").status_code == 409
    assert fleet.instance(two)["status"] == "RUNNING"
    fleet.wait(one, "DRAINED")
    assert fleet.upgrade(one, "3.6.0", key="k2").status_code == 202
    assert fleet.upgrade(one, "3.7.0", key="k2").status_code == 409
    assert fleet.wait(one, "RUNNING")["version"] == "3.6.0"


def test_refused_call_may_succeed_later_with_the_same_key(fleet: Caller) -> None:
    instance = f"{fleet.fleet}-01"
    assert fleet.upgrade(instance, "3.6.0", key="later").status_code == 409
    fleet.drain(instance)
    fleet.wait(instance, "DRAINED")
    assert fleet.upgrade(instance, "3.6.0", key="later").status_code == 202


@pytest.mark.parametrize("fence", ["", "abc", "1.5", "-1", "1 2"])
def test_agent_refuses_a_call_whose_fencing_token_is_not_an_integer(fleet: Caller, fence: str) -> None:
    headers = {"Idempotency-Key": "k", "X-Fencing-Token": fence}
    path = f"/fleets/{fleet.fleet}/instances/{fleet.fleet}-01/drain"
    assert fleet.http.post(path, headers=headers).status_code == 400
    assert fleet.http.post(path, headers={**headers, "X-Fencing-Token": "1"}).status_code == 202


def test_agent_refuses_call_when_a_header_is_missing(fleet: Caller) -> None:
    path = f"/fleets/{fleet.fleet}/traffic"
    for headers in (
        {"X-Fencing-Token": "1"},
        {"Idempotency-Key": "k"},
        {"X-Fencing-Token": "1", "Idempotency-Key": ""},
    ):
        assert fleet.http.put(path, json={"pool": "blue"}, headers=headers).status_code == 400
    assert fleet.send("PUT", "/traffic", {"pool": "blue"}).status_code == 200


def test_agent_refuses_a_lower_fencing_token_and_names_the_highest(fleet: Caller) -> None:
    instance = f"{fleet.fleet}-01"
    fleet.fence = 7
    assert fleet.drain(instance, key="seven").status_code == 202
    assert fleet.undrain(instance).status_code == 202
    fleet.fence = 6
    stale = fleet.drain(instance)
    assert (stale.status_code, stale.json()["highestSeen"]) == (412, 7)
    assert fleet.drain(instance, key="seven").status_code == 412
    assert fleet.instance(instance)["status"] == "RUNNING"


def test_fencing_token_of_a_refused_call_is_remembered(fleet: Caller) -> None:
    fleet.fence = 9
    assert fleet.upgrade(f"{fleet.fleet}-01", "3.6.0").status_code == 409
    fleet.fence = 8
    assert fleet.drain(f"{fleet.fleet}-01").status_code == 412


def test_fencing_tokens_of_fleets_are_independent(agent: RunningAgent, fleet: Caller) -> None:
    agent.admin.create("other", 1, "3.5.0")
    fleet.fence = 50
    assert fleet.drain(f"{fleet.fleet}-01").status_code == 202
    assert Caller(agent, "other", fence=1).drain("other-01").status_code == 202


def test_fencing_tokens_and_idempotency_keys_survive_a_kill_of_the_agent(start: Start) -> None:
    first = start("--fleet", "demo:2:3.5.0")
    demo = Caller(first, "demo", fence=5)
    answer = demo.drain("demo-01", key="kept").json()
    demo.wait("demo-01", "DRAINED")
    demo.undrain("demo-01")
    first.kill()
    second = start()
    assert Caller(second, "demo", fence=4).drain("demo-02").json()["highestSeen"] == 5
    demo = Caller(second, "demo", fence=5)
    again = demo.drain("demo-01", key="kept")
    assert (again.status_code, again.json()) == (202, answer)
    assert demo.instance("demo-01")["status"] == "RUNNING"
    assert demo.drain("demo-02", key="kept").status_code == 409
    assert demo.drain("demo-02").status_code == 202
