import asyncio
from typing import Any

import httpx
import pytest

from tests.integration.web.authentication import Authentication
from tests.integration.world import TENANT, World
from upgrade_orchestrator.domain.operations.permissions import Permission

UPGRADES = f"/tenants/{TENANT}/upgrades"
_REQUEST = """componentId fromVersionId toVersionId strategy canaryPercentage batchSize batchDelaySeconds
healthCheckIntervalSeconds healthCheckTimeoutSeconds maxUnavailablePercentage autoRollbackEnabled failureThreshold
initiatedBy installedComponents soakSeconds stagePercentages"""
REQUEST_FIELDS = _REQUEST.split()
COMPLETED = "UPDATE instance SET status = 'COMPLETED' WHERE execution_id = %s AND position < %s"


async def cancelled(api: httpx.AsyncClient, world: World, **changed: Any) -> str:
    """The id of an execution that was cancelled before it touched anything."""
    made = await api.post(UPGRADES, json=world.request(**changed))
    identifier: str = made.json()["id"]
    assert (await api.post(f"/upgrades/{identifier}/cancel")).status_code == 200
    return identifier


async def events(api: httpx.AsyncClient, execution_id: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = (await api.get(f"/upgrades/{execution_id}/events")).json()["items"]
    return found


async def test_retry_is_201_with_a_new_execution_of_the_same_request(
    api: httpx.AsyncClient, world: World, authentication: Authentication
) -> None:
    changed = {"strategy": "STAGED", "stagePercentages": [50, 100], "batchSize": 3, "initiatedBy": "ci"}
    old = await cancelled(api, world, soakSeconds=7, **changed)
    before = (await api.get(f"/upgrades/{old}")).json()
    headers = authentication.admit("bob", [Permission.OPERATE, Permission.READ])
    response = await api.post(f"/upgrades/{old}/retry", headers=headers)
    body = response.json()
    assert response.status_code == 201
    assert response.headers["Location"] == f"/api/v1/registry/upgrades/{body['id']}" == body["links"]["self"]
    assert set(body) == set(before)
    assert {name: body[name] for name in REQUEST_FIELDS} == {name: before[name] for name in REQUEST_FIELDS}
    assert (body["status"], body["statusReason"]) == ("PENDING", f"created as a retry of {old}")
    assert (body["createdBy"], body["totalInstances"]) == ("bob", 4)
    assert body["id"] != old
    assert (await api.get(response.headers["Location"].removeprefix("/api/v1/registry"))).json() == body


async def test_retry_does_not_change_the_old_execution_and_is_recorded_on_both(
    api: httpx.AsyncClient, world: World
) -> None:
    old = await cancelled(api, world)
    before, recorded = (await api.get(f"/upgrades/{old}")).json(), await events(api, old)
    new = (await api.post(f"/upgrades/{old}/retry", params={"reason": "once more"})).json()["id"]
    assert (await api.get(f"/upgrades/{old}")).json() == before
    (received,) = (await events(api, old))[len(recorded) :]
    assert received["type"] == "registry.upgrade.command-received.v1"
    assert received["data"] == {"command": "retry", "actor": "alice", "source": "API", "reason": "once more"}
    (created,) = await events(api, new)
    assert (created["type"], created["data"]["retryOf"]) == ("registry.upgrade.created.v1", old)
    assert recorded[0]["data"]["retryOf"] is None
    with world.connect() as connection:
        audit = connection.execute("SELECT execution_id, actor, reason FROM command WHERE command = 'retry'").fetchall()
        linked = connection.execute("SELECT retry_of FROM execution WHERE id = %s", (new,)).fetchall()
    assert (audit, linked) == ([(old, "alice", "once more")], [(old,)])


async def test_retry_plans_only_instances_that_did_not_complete(api: httpx.AsyncClient, world: World) -> None:
    old = await cancelled(api, world)
    with world.connect() as connection:
        connection.execute("UPDATE execution SET to_version = '3.6.0' WHERE id = %s", (old,))
        connection.execute("UPDATE instance SET to_version = '3.6.0' WHERE execution_id = %s", (old,))
        connection.execute(COMPLETED, (old, 3))
    new = (await api.post(f"/upgrades/{old}/retry")).json()
    last = (await api.get(f"/upgrades/{old}/plan")).json()["batches"][0]["instances"][3]
    plan = (await api.get(f"/upgrades/{new['id']}/plan")).json()
    assert (new["totalInstances"], plan["totalInstances"]) == (1, 1)
    assert [each["instances"] for each in plan["batches"]] == [[last]]
    assert new["warnings"] == ["partial fleet: 1 of 4 instances are upgraded"]


async def test_retry_includes_completed_instances_that_run_another_version(
    api: httpx.AsyncClient, world: World
) -> None:
    old = await cancelled(api, world)
    with world.connect() as connection:
        connection.execute(COMPLETED, (old, 3))
    assert (await api.post(f"/upgrades/{old}/retry")).json()["totalInstances"] == 4


async def test_retry_of_blue_green_plans_the_whole_pool(api: httpx.AsyncClient, world: World) -> None:
    old = await cancelled(api, world, strategy="BLUE_GREEN", totalInstances=2)
    assert (await api.post(f"/upgrades/{old}/retry")).json()["totalInstances"] == 4


async def test_retry_omits_missing_instances_with_a_warning(api: httpx.AsyncClient, world: World) -> None:
    old = await cancelled(api, world)
    with world.connect() as connection:
        connection.execute("UPDATE instance SET instance_id = 'gone-1' WHERE position = 0")
    body = (await api.post(f"/upgrades/{old}/retry")).json()
    assert body["totalInstances"] == 3
    assert body["warnings"][0] == "left out, not in the fleet any more: gone-1"


async def test_retry_is_409_and_says_what_else_is_possible_when_every_instance_completed(
    api: httpx.AsyncClient, world: World
) -> None:
    old = await cancelled(api, world)
    with world.connect() as connection:
        connection.execute("UPDATE execution SET to_version = '3.6.0' WHERE id = %s", (old,))
        connection.execute("UPDATE instance SET to_version = '3.6.0' WHERE execution_id = %s", (old,))
        connection.execute(COMPLETED, (old, 4))
    response = await api.post(f"/upgrades/{old}/retry")
    assert (response.status_code, response.json()["code"]) == (409, "INVALID_STATE")
    said = "to go back, revert it (POST /upgrades/{id}/revert), to go on, create a new upgrade"
    assert response.json()["detail"] == f"nothing is left to retry: every instance completed; {said}"
    assert nothing_was_stored(world)


async def test_retry_is_422_when_the_path_was_closed_since(api: httpx.AsyncClient, world: World) -> None:
    old = await cancelled(api, world)
    await api.put("/versions/ccc-333/status", json={"status": "DEPRECATED"})
    response = await api.post(f"/upgrades/{old}/retry")
    assert (response.status_code, response.json()["code"]) == (422, "UPGRADE_BLOCKED")
    assert "DEPRECATED" in response.json()["blockers"][0]
    assert nothing_was_stored(world)


async def test_retry_is_409_while_another_upgrade_is_active(api: httpx.AsyncClient, world: World) -> None:
    old = await cancelled(api, world)
    active = (await api.post(UPGRADES, json=world.request())).json()["id"]
    response = await api.post(f"/upgrades/{old}/retry")
    assert (response.status_code, response.json()["code"]) == (409, "ACTIVE_UPGRADE_EXISTS")
    assert response.json()["activeExecutionId"] == active
    assert nothing_was_stored(world, executions=2)


async def test_active_upgrade_is_reported_before_any_blocker(api: httpx.AsyncClient, world: World) -> None:
    old = await cancelled(api, world)
    await api.post(UPGRADES, json=world.request())
    await api.put("/versions/ccc-333/status", json={"status": "EOL"})
    assert (await api.post(f"/upgrades/{old}/retry")).json()["code"] == "ACTIVE_UPGRADE_EXISTS"


async def test_retry_is_409_until_the_ended_upgrade_is_settled(api: httpx.AsyncClient, world: World) -> None:
    old = await cancelled(api, world)
    with world.connect() as connection:
        connection.execute("UPDATE execution SET settled_at = NULL")
    response = await api.post(f"/upgrades/{old}/retry")
    assert (response.status_code, response.json()["activeExecutionId"]) == (409, old)
    assert nothing_was_stored(world)


@pytest.mark.parametrize("simultaneous", [2, 5])
async def test_one_of_concurrent_retries_succeeds_and_the_others_get_its_id(
    api: httpx.AsyncClient, world: World, simultaneous: int
) -> None:
    old = await cancelled(api, world)
    answers = await asyncio.gather(*(api.post(f"/upgrades/{old}/retry") for _ in range(simultaneous)))
    won = [each.json() for each in answers if each.status_code == 201]
    lost = [each.json() for each in answers if each.status_code == 409]
    assert (len(won), len(lost)) == (1, simultaneous - 1)
    assert {(each["code"], each["activeExecutionId"]) for each in lost} == {("ACTIVE_UPGRADE_EXISTS", won[0]["id"])}
    with world.connect() as connection:
        audit = connection.execute("SELECT command FROM command WHERE command = 'retry'").fetchall()
    assert (world.rows("execution"), len(audit)) == (2, 1)


async def test_retry_of_an_unknown_execution_is_404(api: httpx.AsyncClient) -> None:
    assert (await api.post("/upgrades/none/retry")).status_code == 404


async def test_retry_requires_the_permission_to_operate(
    api: httpx.AsyncClient, world: World, authentication: Authentication
) -> None:
    old = await cancelled(api, world)
    headers = authentication.admit("anna", [Permission.READ, Permission.APPROVE])
    assert (await api.post(f"/upgrades/{old}/retry", headers=headers)).status_code == 403
    assert nothing_was_stored(world)


def nothing_was_stored(world: World, executions: int = 1) -> bool:
    """No new execution, and no trace of the command on the old one."""
    with world.connect() as connection:
        audit = connection.execute("SELECT count(*) FROM command WHERE command = 'retry'").fetchone()
        recorded = connection.execute("SELECT count(*) FROM event WHERE data ->> 'command' = 'retry'").fetchone()
    return (world.rows("execution"), audit, recorded) == (executions, (0,), (0,))
