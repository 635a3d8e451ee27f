"""Answers of the demo agent that are wrong in content or in form, for a number of answers or until cleared."""

import json

import httpx
import pytest

from local.fleet.faults.answers import _DEPTH
from tests.integration.fleet.running_agent import Caller, RunningAgent


def _ids(fleet: Caller) -> list[str]:
    return [each["id"][-2:] for each in fleet.instances()]


# fault 1
def test_absent_instance_is_left_out_of_as_many_lists_as_the_fault_says(agent: RunningAgent, fleet: Caller) -> None:
    agent.admin.fault(fleet.fleet, "absent", f"{fleet.fleet}-02", times=2)
    assert [_ids(fleet) for _ in range(3)] == [["01", "03"], ["01", "03"], ["01", "02", "03"]]
    assert agent.admin.faults(fleet.fleet) == []


# fault 1
def test_fleet_with_the_fault_lists_only_running_instances(agent: RunningAgent, fleet: Caller) -> None:
    agent.admin.fault(fleet.fleet, "absent")
    assert _ids(fleet) == ["01", "02", "03"]
    assert fleet.drain(f"{fleet.fleet}-02").status_code == 202
    assert _ids(fleet) == ["01", "03"]
    assert fleet.instance(f"{fleet.fleet}-02")["id"] == f"{fleet.fleet}-02"  # only the list leaves it out
    agent.admin.clear_faults(fleet.fleet, kind="absent")
    assert _ids(fleet) == ["01", "02", "03"]


# fault 1
def test_list_is_empty_once_when_the_fault_says_so(agent: RunningAgent, fleet: Caller) -> None:
    agent.admin.fault(fleet.fleet, "empty-list", times=1)
    assert [len(fleet.instances()), len(fleet.instances())] == [0, 3]


# fault 8
@pytest.mark.parametrize(("variant", "said"), [("v", "v3.5.0"), ("short", "3.5"), ("build", "3.5.0+b5")])
def test_version_is_spelled_in_another_way_in_every_answer(
    agent: RunningAgent, fleet: Caller, variant: str, said: str
) -> None:
    one = f"{fleet.fleet}-01"
    agent.admin.fault(fleet.fleet, "spelling", variant=variant)
    assert {each["version"] for each in fleet.instances()} == {said}
    assert fleet.instance(one)["version"] == fleet.get(f"/instances/{one}/health").json()["version"] == said
    assert agent.admin.instance(fleet.fleet, one)["version"] == "3.5.0"


# fault 9
def test_version_of_one_instance_is_unknown(agent: RunningAgent, fleet: Caller) -> None:
    agent.admin.fault(fleet.fleet, "unknown-version", f"{fleet.fleet}-01")
    assert [each["version"] for each in fleet.instances()] == [None, "3.5.0", "3.5.0"]


# faults 4, 5 and 6
@pytest.mark.parametrize(
    ("variant", "part"),
    [
        ("healthy-text", '"healthy": "true"'),
        ("status-lower", '"status": "running"'),
        ("number-version", '"version": 3.5,'),
        ("nul-detail", '"detail": "no answer from\\u0000 its port"'),
        ("infinity", '"freeInstances": Infinity'),
        ("nan", '"freeInstances": NaN'),
        ("deep", "[" * _DEPTH + "]" * _DEPTH),
    ],
)
def test_list_is_not_of_the_protocol_as_the_variant_says(
    agent: RunningAgent, fleet: Caller, variant: str, part: str
) -> None:
    agent.admin.fault(fleet.fleet, "odd-json", variant=variant, times=1)
    answer = fleet.get()
    assert (answer.status_code, part in answer.text) == (200, True)
    assert part not in fleet.get().text


# fault 6
def test_list_has_an_instance_twice(agent: RunningAgent, fleet: Caller) -> None:
    agent.admin.fault(fleet.fleet, "odd-json", variant="twice", times=1)
    assert _ids(fleet) == ["01", "02", "03", "01"]


# fault 4
def test_health_has_a_nul_in_its_detail(agent: RunningAgent, fleet: Caller) -> None:
    one = f"{fleet.fleet}-01"
    agent.admin.fault(fleet.fleet, "odd-json", one, variant="nul-detail", times=1)
    assert "\0" in json.loads(fleet.get(f"/instances/{one}/health").text)["detail"]


# fault 11
def test_fleet_with_another_token_refuses_the_usual_one(agent: RunningAgent, fleet: Caller) -> None:
    agent.admin.fault(fleet.fleet, "unauthorized", variant="the-new-one")
    assert [fleet.get().status_code, fleet.drain(f"{fleet.fleet}-01").status_code] == [401, 401]
    assert fleet.get(headers={"Authorization": "Bearer the-new-one"}).status_code == 200
    agent.admin.clear_faults(fleet.fleet)
    assert fleet.get().status_code == 200
    assert fleet.get(headers={"Authorization": "Bearer the-new-one"}).status_code == 401


# fault 11
def test_fleet_refuses_every_token_for_a_number_of_calls(agent: RunningAgent, fleet: Caller) -> None:
    agent.admin.fault(fleet.fleet, "unauthorized", times=2)
    assert [fleet.get(headers={"Authorization": "Bearer x"}).status_code, fleet.get().status_code] == [401, 401]
    assert fleet.get().status_code == 200


@pytest.mark.parametrize(("kind", "variant"), [("spelling", "w"), ("odd-json", ""), ("drip", "v")])
def test_unknown_variant_is_refused_with_those_that_are_known(
    agent: RunningAgent, fleet: Caller, kind: str, variant: str
) -> None:
    with pytest.raises(httpx.HTTPStatusError) as refused:
        agent.admin.fault(fleet.fleet, kind, variant=variant)
    assert refused.value.response.status_code == 400
    assert f"variant: {kind} has " in refused.value.response.json()["detail"]
    assert agent.admin.faults(fleet.fleet) == []
