"""The /demo calls and the journal."""

import itertools

import httpx
import pytest

from tests.integration.fleet.running_agent import Caller, RunningAgent, is_alive, wait_for


def test_create_is_idempotent_and_refuses_other_settings(agent: RunningAgent) -> None:
    first = agent.admin.create("twice", 2, "3.5.0")
    Caller(agent, "twice").replace("twice-01", "3.6.0")
    again = agent.admin.create("twice", 2, "3.5.0")
    assert [each["version"] for each in again["instances"]] == ["3.6.0", "3.5.0"]
    assert again["instances"][1]["pid"] == first["instances"][1]["pid"]
    with pytest.raises(httpx.HTTPStatusError, match="409"):
        agent.admin.create("twice", 3, "3.5.0")
    assert "twice" in [each["fleet"] for each in agent.admin.fleets()]


@pytest.mark.parametrize(
    ("name", "body"),
    [
        ("bad", {"size": 0, "version": "1"}),
        ("bad", {"size": 1}),
        ("bad", {"size": 1, "version": "1", "color": "red"}),
        ("bad", {"size": 1, "version": "1", "leader": "nobody"}),
        ("-bad", {"size": 1, "version": "1"}),
    ],
)
def test_create_is_refused_when_name_or_body_is_wrong(agent: RunningAgent, name: str, body: dict[str, object]) -> None:
    assert agent.admin.http.put(f"/demo/fleets/{name}", json=body).status_code == 400
    assert agent.admin.http.get(f"/demo/fleets/{name}").status_code == 404


def test_leader_and_capacity_of_a_fleet_are_configurable(agent: RunningAgent) -> None:
    agent.admin.create("led", 2, "3.5.0", leader="led-02", free_instances=1)
    led = Caller(agent, "led")
    assert [each["leader"] for each in led.instances()] == [False, True]
    assert led.send("PUT", "/pools/green", {"version": "3.6.0", "size": 2}).status_code == 409
    assert led.send("PUT", "/pools/green", {"version": "3.6.0", "size": 1}).status_code == 202


def test_reset_restores_every_instance_and_keeps_log_and_fencing_token(agent: RunningAgent, fleet: Caller) -> None:
    name = fleet.fleet
    fleet.fence = 4
    fleet.replace(f"{name}-01", "3.6.0")
    agent.admin.fault(name, "unhealthy")
    agent.admin.kill(name, f"{name}-02")
    fleet.send("PUT", "/pools/green", {"version": "3.6.0", "size": 2})
    fleet.send("PUT", "/traffic", {"pool": "green"})
    lines = len(agent.admin.log(name))
    old = [each["pid"] for each in agent.admin.fleet(name)["instances"] if each["pid"]]
    agent.admin.reset(name, "3.4.0")
    body = fleet.get().json()
    assert [each["id"] for each in body["instances"]] == [f"{name}-0{n}" for n in (1, 2, 3)]
    assert {(each["version"], each["status"], each["healthy"]) for each in body["instances"]} == {
        ("3.4.0", "RUNNING", True)
    }
    assert (body["traffic"], body["capacity"]["freeInstances"], agent.admin.faults(name)) == ("blue", 3, [])
    assert "reset" in [line["kind"] for line in agent.admin.log(name, since=lines)]
    wait_for(lambda: not any(map(is_alive, old)), "old processes gone")
    fleet.fence = 3
    assert fleet.drain(f"{name}-01").status_code == 412
    agent.admin.reset(name, "3.4.0", forget_fencing=True)
    assert fleet.drain(f"{name}-01").status_code == 202


def test_reset_wins_over_an_upgrade_under_way(agent: RunningAgent, fleet: Caller) -> None:
    name = fleet.fleet
    agent.admin.reset(name, "3.5.0", upgrade_seconds=0.2)
    fleet.drain(f"{name}-01")
    fleet.wait(f"{name}-01", "DRAINED")
    fleet.upgrade(f"{name}-01", "3.6.0")
    agent.admin.reset(name, "3.5.0")
    fleet.replace(f"{name}-02", "3.6.0")  # takes as long as the interrupted upgrade would have taken
    assert [each["version"] for each in fleet.instances()] == ["3.5.0", "3.6.0", "3.5.0"]


def test_delete_of_a_fleet_ends_its_processes_and_frees_its_name(agent: RunningAgent) -> None:
    pids = [each["pid"] for each in agent.admin.create("short", 2, "3.5.0")["instances"]]
    agent.admin.delete("short")
    wait_for(lambda: not any(map(is_alive, pids)), "processes gone")
    assert Caller(agent, "short").get().status_code == 404
    agent.admin.create("short", 1, "1.0")
    assert len(agent.admin.fleet("short")["instances"]) == 1
    agent.admin.delete("short")


def test_kill_is_refused_when_there_is_no_process(agent: RunningAgent, fleet: Caller) -> None:
    pid = agent.admin.instance(fleet.fleet, f"{fleet.fleet}-01")["pid"]
    assert agent.admin.kill(fleet.fleet, f"{fleet.fleet}-01") == pid
    assert not is_alive(pid)
    with pytest.raises(httpx.HTTPStatusError, match="409"):
        agent.admin.kill(fleet.fleet, f"{fleet.fleet}-01")


def test_fleet_log_has_every_transition_with_its_call_and_process(agent: RunningAgent, fleet: Caller) -> None:
    name, since = fleet.fleet, len(agent.admin.log(fleet.fleet))
    pid = agent.admin.instance(name, f"{name}-01")["pid"]
    fleet.fence = 3
    fleet.drain(f"{name}-01", key="d")
    fleet.wait(f"{name}-01", "DRAINED")
    fleet.upgrade(f"{name}-01", "3.6.0", key="u")
    fleet.wait(f"{name}-01", "RUNNING")
    new = agent.admin.instance(name, f"{name}-01")["pid"]
    lines = agent.admin.transitions(name, since)
    assert [(each["from"], each["to"], each["key"], each["pid"], each["unavailable"]) for each in lines] == [
        ("RUNNING", "DRAINING", "d", pid, 1),
        ("DRAINING", "DRAINED", "d", pid, 1),
        ("DRAINED", "UPGRADING", "u", pid, 1),
        ("UPGRADING", "RUNNING", "u", new, 0),
    ]
    assert {(each["fence"], each["pool"], each["instance"]) for each in lines} == {(3, "blue", f"{name}-01")}
    numbers = [line["n"] for line in agent.admin.log(name)]
    assert numbers == list(range(1, len(numbers) + 1))
    times = [line["time"] for line in agent.admin.log(name)]
    assert all(one <= two for one, two in itertools.pairwise(times))


def test_fleet_log_is_refused_when_since_is_not_a_number(agent: RunningAgent, fleet: Caller) -> None:
    path = f"/demo/fleets/{fleet.fleet}/log"
    assert agent.admin.http.get(path, params={"since": "x"}).status_code == 400
    assert agent.admin.http.get(path, params={"since": "99999"}).json() == {"items": []}
