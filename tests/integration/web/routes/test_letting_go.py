"""Releases, fencing tokens, and one deployment for a fleet, over REST (specification sections 1, 4 and 11)."""

from typing import Any

import httpx
import pytest

from tests.integration.web.authentication import Authentication
from tests.integration.web.statuses import Standing, standing
from tests.integration.world import COMPONENT, CONNECTION, OLD, TENANT, World
from upgrade_orchestrator.adapters.airflow.auth.permissions import action_of, resource_of
from upgrade_orchestrator.domain.execution.states import ExecutionStatus
from upgrade_orchestrator.domain.operations.permissions import REGISTRY, Permission, of_tenant

S = ExecutionStatus
FENCING = "/deployments/fencing"


@pytest.fixture
async def failed(api: httpx.AsyncClient, world: World) -> Standing:
    """FAILED with an instance that was upgraded, not settled."""
    execution = await standing(api, world, "ROLLING")
    await execution.go(S.FAILED, settled=False)
    return execution


# fault 30
async def test_release_frees_the_place_at_once_while_the_fleet_is_away(
    api: httpx.AsyncClient, world: World, failed: Standing
) -> None:
    refused = await api.post(f"/tenants/{TENANT}/upgrades", json=world.request())
    assert (refused.status_code, refused.json()["code"]) == (409, "ACTIVE_UPGRADE_EXISTS")
    world.admin.fault(world.fleet, "agent-503")
    response = await api.post(f"/upgrades/{failed.id}/release", json={"reason": "scrapped"})
    world.admin.clear_faults(world.fleet)
    assert (response.status_code, response.json()["status"]) == (200, "FAILED"), response.text
    assert "; released by alice: scrapped; by the record 3 on 3.6.0, 1 on 3.7.0" in response.json()["statusReason"]
    assert [(what, data.get("command")) for _, what, data in failed.events()][-2:] == [
        ("command-received", "release"),
        ("settled", None),
    ]
    audit = world.connection.execute("SELECT actor, source, reason FROM command WHERE command = 'release'").fetchall()
    assert audit == [("alice", "API", "scrapped")]
    found = (await api.get(f"/tenants/{TENANT}/components/{COMPONENT}/deployment")).json()
    assert found["mixed"] == {"3.6.0": 3, "3.7.0": 1}
    assert (await api.post(f"/tenants/{TENANT}/upgrades", json=world.request())).status_code == 201


async def test_release_without_a_body_is_accepted_once(api: httpx.AsyncClient, failed: Standing) -> None:
    assert (await api.post(f"/upgrades/{failed.id}/release")).status_code == 200
    before = failed.snapshot()
    again = await api.post(f"/upgrades/{failed.id}/release")
    assert (again.status_code, again.json()["code"], again.json()["detail"]) == (
        409,
        "INVALID_STATE",
        "its place is free already",
    )
    assert again.json()["allowedFrom"] == ["ROLLED_BACK", "COMPLETED", "FAILED", "CANCELLED"]
    assert failed.snapshot() == before


async def test_release_that_is_repeated_with_its_key_gets_the_first_answer(
    api: httpx.AsyncClient, failed: Standing
) -> None:
    key = {"Idempotency-Key": "release-1"}
    first, again = [await api.post(f"/upgrades/{failed.id}/release", headers=key) for _ in range(2)]
    assert (first.status_code, again.status_code) == (200, 200)
    assert (again.json(), again.headers["Idempotency-Replayed"]) == (first.json(), "true")


@pytest.mark.parametrize("body", [{"reason": ""}, {"reason": 1}, {"resaon": "typo"}, {"reason": "x" * 1001}])
async def test_release_with_a_bad_body_is_422_and_changes_nothing(
    api: httpx.AsyncClient, failed: Standing, body: dict[str, Any]
) -> None:
    before = failed.snapshot()
    response = await api.post(f"/upgrades/{failed.id}/release", json=body)
    assert (response.status_code, [each["field"] for each in response.json()["errors"]]) == (422, [*body])
    assert failed.snapshot() == before


# fault 31
async def test_fencing_token_is_raised_and_never_lowered(api: httpx.AsyncClient, world: World) -> None:
    created = (await api.post(f"/tenants/{TENANT}/upgrades", json=world.request())).json()["id"]
    for at_least, token in ((1000, 1000), (7, 1000), (2**62, 2**62)):
        body = {"connId": CONNECTION, "fleet": world.fleet, "atLeast": at_least}
        response = await api.post(FENCING, json=body)
        assert (response.status_code, response.json()) == (
            200,
            {"connId": CONNECTION, "fleet": world.fleet, "token": token},
        )
    assert world.lease() == ("", 2**62, False)
    query = "SELECT execution_id, actor, source FROM command WHERE command = 'raise-fencing-token'"
    assert world.connection.execute(query).fetchall() == [(created, "alice", "API")] * 3


async def test_fencing_token_of_a_fleet_without_a_deployment_is_404(api: httpx.AsyncClient, world: World) -> None:
    for conn_id, fleet in ((CONNECTION, "another"), ("another", world.fleet)):
        response = await api.post(FENCING, json={"connId": conn_id, "fleet": fleet, "atLeast": 5})
        assert (response.status_code, response.json()["code"]) == (404, "NOT_FOUND")
    assert world.rows("lease") == 0


async def test_fencing_token_that_is_raised_again_with_its_key_gets_the_first_answer(
    api: httpx.AsyncClient, world: World
) -> None:
    body, key = {"connId": CONNECTION, "fleet": world.fleet, "atLeast": 5}, {"Idempotency-Key": "fence-1"}
    assert (await api.post(FENCING, json=body, headers=key)).json()["token"] == 5
    await api.post(FENCING, json=body | {"atLeast": 9})
    again = await api.post(FENCING, json=body, headers=key)
    assert (again.json()["token"], again.headers["Idempotency-Replayed"]) == (5, "true")


# fault 54
@pytest.mark.parametrize("limited", [False, True])
async def test_second_deployment_of_a_fleet_is_409_and_names_the_first_to_those_who_may_see_it(
    api: httpx.AsyncClient, world: World, authentication: Authentication, limited: bool
) -> None:
    body = {"driver": "agent", "connId": CONNECTION, "fleet": world.fleet, "currentVersionId": OLD}
    headers = {}
    if limited:
        own = [(action_of(each), resource_of(of_tenant("other"))) for each in (Permission.READ, Permission.ADMINISTER)]
        granted = frozenset({*own, (action_of(Permission.READ), resource_of(REGISTRY))})
        headers = authentication.admit_to("admin-of-other", granted)
    place = f"/tenants/other/components/{COMPONENT}/deployment"
    response = await api.put(place, json=body, headers=headers)
    assert (response.status_code, response.json()["code"]) == (409, "ALREADY_EXISTS"), response.text
    assert (TENANT in response.text, "another deployment" in response.json()["detail"]) == (not limited, limited)
    assert world.rows("deployment") == 1
    other = await api.put(place, json=body | {"fleet": f"{world.fleet}-2"}, headers=headers)
    assert other.status_code == 200, other.text
