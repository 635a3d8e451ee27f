import asyncio
from typing import Any

import httpx
import pytest

from tests.integration.web.authentication import Authentication
from tests.integration.world import TENANT, World
from upgrade_orchestrator.domain.operations.permissions import Permission

UPGRADES = f"/tenants/{TENANT}/upgrades"
REASON = {"reason": "3.7.0 loses messages"}


async def ended(api: httpx.AsyncClient, world: World, **changed: Any) -> str:
    """The id of a COMPLETED upgrade, of a fleet that runs 3.6.0: it came from 3.5.9."""
    identifier: str = (await api.post(UPGRADES, json=world.request(**changed))).json()["id"]
    with world.connect() as connection:
        connection.execute(
            "UPDATE execution SET status = 'COMPLETED', completed_at = now(), settled_at = now() WHERE id = %s",
            (identifier,),
        )
        connection.execute(
            "UPDATE instance SET status = 'COMPLETED', attempts = 1, from_version = '3.5.9' WHERE execution_id = %s",
            (identifier,),
        )
    return identifier


async def events(api: httpx.AsyncClient, execution_id: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = (await api.get(f"/upgrades/{execution_id}/events")).json()["items"]
    return found


async def test_revert_is_201_with_a_new_execution_that_names_the_reverted_one(
    api: httpx.AsyncClient, world: World, authentication: Authentication
) -> None:
    old = await ended(api, world, strategy="CANARY", batchSize=3, soakSeconds=7, autoRollbackEnabled=True)
    headers = authentication.admit("bob", [Permission.OPERATE, Permission.READ])
    response = await api.post(f"/upgrades/{old}/revert", json=REASON, headers=headers)
    body = response.json()
    assert response.status_code == 201, body
    assert response.headers["Location"] == f"/api/v1/registry/upgrades/{body['id']}" == body["links"]["self"]
    assert (body["status"], body["revertOf"]) == ("PENDING", old)
    assert body["statusReason"] == f"created to revert {old}: 3.7.0 loses messages"
    assert (body["fromVersionId"], body["toVersionId"]) == ("ccc-333", "bbb-222")
    assert (body["strategy"], body["batchSize"], body["soakSeconds"]) == ("ROLLING", 3, 7)
    assert (body["autoRollbackEnabled"], body["createdBy"], body["totalInstances"]) == (False, "bob", 4)
    assert "no path from 3.7.0 to 3.6.0 is registered" in body["warnings"]
    rows = (await api.get(f"/upgrades/{body['id']}/instances")).json()["items"]
    assert {(each["fromVersion"], each["toVersion"]) for each in rows} == {("3.6.0", "3.5.9")}


async def test_revert_is_recorded_on_both_and_changes_nothing_of_the_old_execution(
    api: httpx.AsyncClient, world: World
) -> None:
    old = await ended(api, world)
    before, recorded = (await api.get(f"/upgrades/{old}")).json(), await events(api, old)
    new = (await api.post(f"/upgrades/{old}/revert", json=REASON)).json()["id"]
    assert (await api.get(f"/upgrades/{old}")).json() == before
    assert before["revertOf"] is None
    (received,) = (await events(api, old))[len(recorded) :]
    assert received["data"] == {"command": "revert", "actor": "alice", "source": "API", **REASON}
    (created,) = await events(api, new)
    assert (created["data"]["revertOf"], created["data"]["retryOf"]) == (old, None)
    with world.connect() as connection:
        audit = connection.execute("SELECT execution_id, actor, reason FROM command WHERE command = 'revert'")
        assert audit.fetchall() == [(old, "alice", REASON["reason"])]


async def test_revert_with_start_is_validating_at_once(api: httpx.AsyncClient, world: World) -> None:
    old = await ended(api, world)
    response = await api.post(f"/upgrades/{old}/revert", json=REASON, params={"start": "true"})
    assert (response.status_code, response.json()["status"]) == (201, "VALIDATING")


async def test_revert_without_a_body_is_accepted(api: httpx.AsyncClient, world: World) -> None:
    old = await ended(api, world)
    response = await api.post(f"/upgrades/{old}/revert")
    assert (response.status_code, response.json()["statusReason"]) == (201, f"created to revert {old}")


@pytest.mark.parametrize(
    ("body", "query", "field"),
    [
        ({"reason": 5}, {}, "reason"),
        ({"why": "x"}, {}, "why"),
        ({"installedComponents": {"a": 5}}, {}, "installedComponents.a"),
        ({}, {"start": "yes"}, "start"),
    ],
)
async def test_bad_input_is_422_and_names_the_field(
    api: httpx.AsyncClient, world: World, body: dict[str, Any], query: dict[str, str], field: str
) -> None:
    old = await ended(api, world)
    response = await api.post(f"/upgrades/{old}/revert", json=body, params=query)
    assert (response.status_code, [each["field"] for each in response.json()["errors"]]) == (422, [field])
    assert nothing_was_stored(world)


async def test_revert_is_409_with_the_id_of_a_newer_upgrade(api: httpx.AsyncClient, world: World) -> None:
    old, newer = await ended(api, world), await ended(api, world)
    response = await api.post(f"/upgrades/{old}/revert", json=REASON)
    assert (response.status_code, response.json()["code"]) == (409, "INVALID_STATE")
    assert response.json()["newestExecutionId"] == newer
    assert newer in response.json()["detail"]
    assert nothing_was_stored(world, executions=2)


async def test_revert_is_409_when_every_instance_is_back_already(api: httpx.AsyncClient, world: World) -> None:
    old = await ended(api, world)
    with world.connect() as connection:
        connection.execute("UPDATE instance SET from_version = '3.6.0'")
    response = await api.post(f"/upgrades/{old}/revert", json=REASON)
    assert (response.status_code, response.json()["code"]) == (409, "INVALID_STATE")
    assert response.json()["detail"].startswith("nothing to revert")
    assert nothing_was_stored(world)


async def test_revert_is_409_while_an_upgrade_is_active(api: httpx.AsyncClient, world: World) -> None:
    old = await ended(api, world)
    active = (await api.post(UPGRADES, json=world.request())).json()["id"]
    response = await api.post(f"/upgrades/{old}/revert", json=REASON)
    assert (response.status_code, response.json()["code"]) == (409, "ACTIVE_UPGRADE_EXISTS")
    assert response.json()["activeExecutionId"] == active
    assert nothing_was_stored(world, executions=2)


@pytest.mark.parametrize("simultaneous", [2, 5])
async def test_one_of_concurrent_reverts_succeeds_and_the_others_get_its_id(
    api: httpx.AsyncClient, world: World, simultaneous: int
) -> None:
    old = await ended(api, world)
    calls = (api.post(f"/upgrades/{old}/revert", json=REASON, params={"start": "true"}) for _ in range(simultaneous))
    answers = await asyncio.gather(*calls)
    won = [each.json() for each in answers if each.status_code == 201]
    lost = [each.json() for each in answers if each.status_code == 409]
    assert (len(won), len(lost)) == (1, simultaneous - 1)
    assert {(each["code"], each["activeExecutionId"]) for each in lost} == {("ACTIVE_UPGRADE_EXISTS", won[0]["id"])}
    assert world.rows("execution") == 2
    with world.connect() as connection:
        assert len(connection.execute("SELECT 1 FROM command WHERE command = 'revert'").fetchall()) == 1


async def test_revert_with_the_same_key_is_carried_out_once(api: httpx.AsyncClient, world: World) -> None:
    old, headers = await ended(api, world), {"Idempotency-Key": "back-1"}
    first, again = [await api.post(f"/upgrades/{old}/revert", json=REASON, headers=headers) for _ in range(2)]
    assert (first.status_code, again.status_code, again.json()) == (201, 201, first.json())
    assert world.rows("execution") == 2


async def test_revert_of_an_unknown_execution_is_404(api: httpx.AsyncClient) -> None:
    assert (await api.post("/upgrades/none/revert", json=REASON)).status_code == 404


async def test_revert_requires_the_permission_to_operate(
    api: httpx.AsyncClient, world: World, authentication: Authentication
) -> None:
    old = await ended(api, world)
    headers = authentication.admit("anna", [Permission.READ, Permission.APPROVE])
    assert (await api.post(f"/upgrades/{old}/revert", json=REASON, headers=headers)).status_code == 403
    assert nothing_was_stored(world)


def nothing_was_stored(world: World, executions: int = 1) -> bool:
    """No new execution, and no trace of the command on the old one."""
    with world.connect() as connection:
        audit = connection.execute("SELECT count(*) FROM command WHERE command = 'revert'").fetchone()
        recorded = connection.execute("SELECT count(*) FROM event WHERE data ->> 'command' = 'revert'").fetchone()
    return (world.rows("execution"), audit, recorded) == (executions, (0,), (0,))
