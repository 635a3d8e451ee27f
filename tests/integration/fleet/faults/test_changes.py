"""Sudden changes of a demo fleet, as people and autoscalers make them."""

from collections.abc import Callable

import httpx
import pytest

from tests.integration.fleet.running_agent import Caller, RunningAgent, is_alive, wait_for


def _shown(fleet: Caller) -> list[tuple[str, str, bool]]:
    return [
        (each["id"].removeprefix(f"{fleet.fleet}-"), each["version"], each["healthy"]) for each in fleet.instances()
    ]


# fault 14
def test_person_drains_an_instance(agent: RunningAgent, fleet: Caller) -> None:
    agent.admin.change(fleet.fleet, "drain", f"{fleet.fleet}-02")
    wait_for(lambda: fleet.instance(f"{fleet.fleet}-02")["status"] == "DRAINED", "drained")
    last = agent.admin.transitions(fleet.fleet)[-1]
    assert (last["to"], last["key"], last["fence"]) == ("DRAINED", None, None)


# fault 2
def test_instances_come_back_under_new_ids_at_the_version_that_they_ran(agent: RunningAgent, fleet: Caller) -> None:
    pid = agent.admin.instance(fleet.fleet, f"{fleet.fleet}-01")["pid"]
    fleet.replace(f"{fleet.fleet}-02", "3.6.0")
    agent.admin.change(fleet.fleet, "replace", f"{fleet.fleet}-01", f"{fleet.fleet}-02")
    assert sorted(_shown(fleet)) == [("03", "3.5.0", True), ("new-01", "3.5.0", True), ("new-02", "3.6.0", True)]
    wait_for(lambda: not is_alive(pid), "the old process to end")
    agent.admin.change(fleet.fleet, "replace", f"{fleet.fleet}-new-01", version="3.6.0")
    assert ("new-03", "3.6.0", True) in _shown(fleet)  # an id is never used twice


# fault 3
def test_instance_is_removed(agent: RunningAgent, fleet: Caller) -> None:
    agent.admin.change(fleet.fleet, "remove", f"{fleet.fleet}-01")
    assert [each[0] for each in _shown(fleet)] == ["02", "03"]
    assert fleet.get(f"/instances/{fleet.fleet}-01").status_code == 404


def test_instances_join_healthy_or_not(agent: RunningAgent, fleet: Caller) -> None:
    agent.admin.change(fleet.fleet, "join", count=2, version="3.6.0")
    agent.admin.change(fleet.fleet, "join", healthy=False)
    joined = [each for each in _shown(fleet) if each[0].startswith("new-")]
    assert joined == [("new-01", "3.6.0", True), ("new-02", "3.6.0", True), ("new-03", "3.5.0", False)]


# fault 10
def test_instance_with_an_id_of_any_script_joins_and_is_obeyed(agent: RunningAgent, fleet: Caller) -> None:
    agent.admin.change(fleet.fleet, "join", "brøker-1")
    assert fleet.replace("brøker-1", "3.6.0")["version"] == "3.6.0"
    assert fleet.get("/instances/brøker-1/health").json() == {"healthy": True, "version": "3.6.0"}


# fault 31
def test_raised_token_makes_the_callers_stale_and_the_refusal_tells_it(agent: RunningAgent, fleet: Caller) -> None:
    one = f"{fleet.fleet}-01"
    assert fleet.drain(one).status_code == 202
    agent.admin.change(fleet.fleet, "raise-token")
    refused = fleet.undrain(one)
    assert (refused.status_code, refused.json()["highestToken"]) == (412, 1001)
    agent.admin.change(fleet.fleet, "raise-token", at_least=5)  # it only grows
    assert agent.admin.fleet(fleet.fleet)["highestFencingToken"] == 1001
    assert Caller(agent, fleet.fleet, fence=1001).undrain(one).status_code == 202


def test_reset_of_the_fleet_undoes_every_change(agent: RunningAgent, fleet: Caller) -> None:
    before = _shown(fleet)
    agent.admin.change(fleet.fleet, "replace", f"{fleet.fleet}-01")
    agent.admin.change(fleet.fleet, "raise-token")
    agent.admin.fault(fleet.fleet, "empty-list")
    agent.admin.reset(fleet.fleet, "3.5.0", forget_fencing=True)
    assert _shown(fleet) == before
    assert fleet.drain(f"{fleet.fleet}-01").status_code == 202


@pytest.mark.parametrize(
    ("kind", "instances", "status"),
    [("drain", (), 400), ("remove", ("nobody",), 404), ("replace", (), 400), ("explode", (), 400)],
)
def test_change_that_cannot_be_made_is_refused_and_changes_nothing(
    agent: RunningAgent, fleet: Caller, kind: str, instances: tuple[str, ...], status: int
) -> None:
    before = agent.admin.fleet(fleet.fleet)
    with pytest.raises(httpx.HTTPStatusError) as refused:
        agent.admin.change(fleet.fleet, kind, *instances)
    assert refused.value.response.status_code == status
    assert agent.admin.fleet(fleet.fleet) == before


def test_instance_does_not_join_under_an_id_that_is_taken(agent: RunningAgent, fleet: Caller) -> None:
    with pytest.raises(httpx.HTTPStatusError) as refused:
        agent.admin.change(fleet.fleet, "join", f"{fleet.fleet}-01")
    assert f"{fleet.fleet}-01 exist already" in refused.value.response.json()["detail"]


def test_changes_outlive_the_death_of_the_agent(start: Callable[..., RunningAgent]) -> None:
    first = start("--fleet", "f:2:3.5.0")
    first.admin.change("f", "replace", "f-01")
    first.admin.change("f", "join", healthy=False)
    first.kill()
    second = start()
    shown = {each["id"]: each["healthy"] for each in second.admin.fleet("f")["instances"]}
    assert shown == {"f-02": True, "f-new-01": True, "f-new-02": False}
