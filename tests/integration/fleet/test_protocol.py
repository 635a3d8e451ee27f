"""Every call of specification section 11, and each refusal beside it."""

import asyncio
from functools import partial

import httpx
import pytest

from local.fleet.agent.orders import Orders
from local.fleet.client import Json
from local.fleet.state.journal import utc_now
from tests.integration.fleet.running_agent import Caller, RunningAgent, is_alive, wait_for
from tests.labs.fleet.agent import AgentInMemory


def _first(fleet: Caller) -> str:
    return f"{fleet.fleet}-01"


def test_fleet_lists_instances_in_natural_order_with_one_leader(agent: RunningAgent) -> None:
    agent.admin.create("order", 12, "3.5.0")
    body = Caller(agent, "order").get().json()
    assert [each["id"] for each in body["instances"]] == [f"order-{n:02}" for n in range(1, 13)]
    assert [each["id"] for each in body["instances"] if each["leader"]] == ["order-01"]
    assert (body["fleet"], body["traffic"], body["capacity"]) == ("order", "blue", {"freeInstances": 12})
    first = {"id": "order-01", "version": "3.5.0", "status": "RUNNING", "healthy": True, "leader": True, "pool": "blue"}
    assert body["instances"][0] == first
    assert Caller(agent, "order").instance("order-01") == first


@pytest.mark.parametrize("path", ["/fleets/nobody", "/fleets/nobody/instances/x/health"])
def test_agent_responds_404_when_the_fleet_is_unknown(agent: RunningAgent, path: str) -> None:
    assert agent.admin.http.get(path).status_code == 404


def test_agent_responds_404_when_the_instance_is_unknown(fleet: Caller) -> None:
    assert fleet.get("/instances/nobody").status_code == 404
    assert fleet.drain("nobody").status_code == 404
    assert fleet.upgrade("nobody", "3.6.0").status_code == 404


@pytest.mark.parametrize("given", [{}, {"Authorization": "Bearer wrong"}, {"Authorization": "Basic x"}])
def test_agent_refuses_every_path_when_the_token_is_wrong(
    agent: RunningAgent, fleet: Caller, given: dict[str, str]
) -> None:
    for path in (f"/fleets/{fleet.fleet}", "/fleets/nobody", "/demo/fleets", "/"):
        assert httpx.get(agent.url + path, headers=given, trust_env=False).status_code == 401
    drain = f"{agent.url}/fleets/{fleet.fleet}/instances/{_first(fleet)}/drain"
    assert httpx.post(drain, headers=given, trust_env=False).status_code == 401
    assert fleet.instance(_first(fleet))["status"] == "RUNNING"


def test_health_is_the_response_of_the_instances_own_process(agent: RunningAgent, fleet: Caller) -> None:
    response = fleet.get(f"/instances/{_first(fleet)}/health")
    assert (response.status_code, response.json()) == (200, {"healthy": True, "version": "3.5.0"})
    port = agent.admin.instance(fleet.fleet, _first(fleet))["port"]
    for path in ("", "/health"):
        own = httpx.get(f"http://127.0.0.1:{port}{path}", trust_env=False)
        assert own.json() == {"healthy": True, "version": "3.5.0", "instance": _first(fleet)}


def test_health_is_503_with_detail_when_the_process_has_ended(agent: RunningAgent, fleet: Caller) -> None:
    agent.admin.kill(fleet.fleet, _first(fleet))
    response = fleet.get(f"/instances/{_first(fleet)}/health")
    assert response.status_code == 503
    assert response.json()["healthy"] is False
    assert response.json()["version"] == "3.5.0"
    assert "STOPPED" in response.json()["detail"]


def test_drained_instance_is_running_again_after_its_undrain(fleet: Caller) -> None:
    response = fleet.drain(_first(fleet))
    assert (response.status_code, response.json()["status"]) == (202, "DRAINING")
    assert fleet.wait(_first(fleet), "DRAINED")["healthy"] is True
    assert fleet.drain(_first(fleet)).json()["status"] == "DRAINED"
    assert fleet.undrain(_first(fleet)).json()["status"] == "RUNNING"
    assert fleet.undrain(_first(fleet)).json()["status"] == "RUNNING"


async def test_undrain_stops_a_drain_under_way() -> None:
    """In this process, where no time passes between the two calls."""
    memory = AgentInMemory(utc_now)
    await memory.create("own", size=2, version="3.5.0", drain_seconds=0.05)
    order = partial(memory.admin.order, "own")
    assert order(Orders.drain, "own-01", 1).body["status"] == "DRAINING"
    assert order(Orders.undrain, "own-01", 1).body["status"] == "RUNNING"
    order(Orders.drain, "own-02", 1)  # begun later, so when it is done the first one would be too
    async with asyncio.timeout(30):
        while memory.admin.fleet("own")["instances"][1]["status"] != "DRAINED":  # noqa: ASYNC110 - there is no signal
            await asyncio.sleep(0.01)
    assert memory.admin.fleet("own")["instances"][0]["status"] == "RUNNING"
    await memory.agent.close()


def test_drain_changes_nothing_when_the_instance_is_stopped(agent: RunningAgent, fleet: Caller) -> None:
    agent.admin.kill(fleet.fleet, _first(fleet))
    assert fleet.drain(_first(fleet)).status_code == 202
    assert fleet.instance(_first(fleet))["status"] == "STOPPED"
    assert fleet.undrain(_first(fleet)).status_code == 409


def test_version_order_replaces_the_process(agent: RunningAgent, fleet: Caller) -> None:
    before = agent.admin.instance(fleet.fleet, _first(fleet))
    done = fleet.replace(_first(fleet), "3.6.0")
    assert (done["version"], done["healthy"]) == ("3.6.0", True)
    after = agent.admin.instance(fleet.fleet, _first(fleet))
    assert after["pid"] != before["pid"]
    assert not is_alive(before["pid"])
    assert is_alive(after["pid"])
    own = httpx.get(f"http://127.0.0.1:{after['port']}/", trust_env=False).json()
    assert own == {"healthy": True, "version": "3.6.0", "instance": _first(fleet)}
    assert [each["version"] for each in fleet.instances()] == ["3.6.0", "3.5.0", "3.5.0"]


def test_version_order_starts_a_stopped_instance(agent: RunningAgent, fleet: Caller) -> None:
    agent.admin.kill(fleet.fleet, _first(fleet))
    assert fleet.upgrade(_first(fleet), "3.6.0").json()["status"] == "UPGRADING"
    assert fleet.wait(_first(fleet), "RUNNING")["healthy"] is True


def test_agent_refuses_a_version_order_for_a_running_instance(agent: RunningAgent, fleet: Caller) -> None:
    pid = agent.admin.instance(fleet.fleet, _first(fleet))["pid"]
    response = fleet.upgrade(_first(fleet), "3.6.0")
    assert response.status_code == 409
    assert "RUNNING" in response.json()["detail"]
    assert "DRAINED or STOPPED" in response.json()["detail"]
    assert agent.admin.instance(fleet.fleet, _first(fleet))["pid"] == pid


def test_agent_refuses_drain_undrain_and_version_orders_for_an_upgrading_instance(
    agent: RunningAgent, fleet: Caller
) -> None:
    agent.admin.fault(fleet.fleet, "slow", seconds=60, times=1)
    fleet.drain(_first(fleet))
    fleet.wait(_first(fleet), "DRAINED")
    fleet.upgrade(_first(fleet), "3.6.0")
    calls = [fleet.drain(_first(fleet)), fleet.undrain(_first(fleet)), fleet.upgrade(_first(fleet), "3.6.0")]
    assert [call.status_code for call in calls] == [409, 409, 409]
    health = fleet.get(f"/instances/{_first(fleet)}/health")
    assert (health.status_code, health.json()["version"]) == (503, "3.5.0")


@pytest.mark.parametrize(
    "body", [None, {}, {"version": ""}, {"version": 3}, {"version": "3.6.0", "more": 1}, {"v": "1"}]
)
def test_agent_refuses_a_version_order_with_a_wrong_body(fleet: Caller, body: Json | None) -> None:
    fleet.drain(_first(fleet))
    fleet.wait(_first(fleet), "DRAINED")
    assert fleet.send("PUT", f"/instances/{_first(fleet)}/version", body).status_code == 400
    assert fleet.instance(_first(fleet))["status"] == "DRAINED"


def test_pool_is_made_and_gets_the_traffic_and_the_old_one_is_removed(agent: RunningAgent, fleet: Caller) -> None:
    old = [each["pid"] for each in agent.admin.fleet(fleet.fleet)["instances"]]
    assert fleet.send("PUT", "/pools/green", {"version": "3.6.0", "size": 3}).status_code == 202
    green = [f"{fleet.fleet}-green-0{n}" for n in (1, 2, 3)]
    for instance in green:
        made = fleet.wait(instance, "RUNNING")
        assert (made["pool"], made["version"], made["healthy"]) == ("green", "3.6.0", True)
    body = fleet.get().json()
    assert (len(body["instances"]), body["capacity"], body["traffic"]) == (6, {"freeInstances": 0}, "blue")
    assert fleet.send("PUT", "/traffic", {"pool": "green"}).status_code == 200
    assert fleet.send("DELETE", "/pools/blue").status_code == 202
    body = fleet.get().json()
    assert ([each["id"] for each in body["instances"]], body["traffic"]) == (green, "green")
    assert body["capacity"] == {"freeInstances": 3}
    assert [each["leader"] for each in body["instances"]] == [True, False, False]
    wait_for(lambda: not any(map(is_alive, old)), "blue processes gone")
    assert {line["unavailable"] for line in agent.admin.log(fleet.fleet)} <= {0, 1, 2, 3}
    assert agent.admin.log(fleet.fleet)[-1]["unavailable"] == 0


def test_pool_is_unchanged_when_it_is_ordered_again(fleet: Caller) -> None:
    for _ in range(2):
        assert fleet.send("PUT", "/pools/green", {"version": "3.6.0", "size": 2}).status_code == 202
    assert len(fleet.instances()) == 5


def test_agent_refuses_a_pool_that_exists_with_other_settings_or_exceeds_the_capacity(fleet: Caller) -> None:
    assert fleet.send("PUT", "/pools/green", {"version": "3.6.0", "size": 4}).status_code == 409
    assert fleet.send("PUT", "/pools/green", {"version": "3.6.0", "size": 1}).status_code == 202
    assert fleet.send("PUT", "/pools/green", {"version": "3.7.0", "size": 1}).status_code == 409
    assert fleet.send("PUT", "/pools/green", {"version": "3.6.0", "size": 0}).status_code == 400
    assert fleet.send("PUT", "/pools/-bad", {"version": "3.6.0", "size": 1}).status_code == 400


def test_agent_refuses_to_switch_to_an_unknown_pool_and_to_remove_a_serving_one(fleet: Caller) -> None:
    assert fleet.send("PUT", "/traffic", {"pool": "green"}).status_code == 404
    assert fleet.send("DELETE", "/pools/green").status_code == 404
    assert fleet.send("DELETE", "/pools/blue").status_code == 409
    assert fleet.get().json()["traffic"] == "blue"
    assert len(fleet.instances()) == 3
