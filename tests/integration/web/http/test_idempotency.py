"""Idempotency-Key: a repeated call gets the first response and is carried out once (specification section 1)."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from fastapi.routing import APIRoute

from tests.integration.store.connections import connection_to
from tests.integration.web.apps import client_of, own_app
from tests.integration.web.authentication import Authentication
from tests.integration.world import COMPONENT, OLD, TENANT, World
from upgrade_orchestrator.adapters.postgres import idempotency as idempotency_store
from upgrade_orchestrator.bootstrap import DELETE_EXPIRED_RESPONSES
from upgrade_orchestrator.domain.operations.permissions import Permission
from upgrade_orchestrator.web.http.idempotency import KeyedRoute, is_write

UPGRADES = f"/tenants/{TENANT}/upgrades"
KEY = {"Idempotency-Key": "build-4711"}
REPLAYED = "Idempotency-Replayed"


def backup(**changed: Any) -> dict[str, Any]:
    made = {"versionId": OLD, "location": "file:///b", "sizeBytes": 1, "sha256": "0" * 64}
    return made | {"createdAt": "2026-01-31T12:00:00Z"} | changed


BACKUPS = f"/tenants/{TENANT}/components/{COMPONENT}/backups"


async def test_repeated_create_gets_the_first_response(api: httpx.AsyncClient, world: World) -> None:
    first = await api.post(UPGRADES, json=world.request(), headers=KEY)
    again = await api.post(UPGRADES, json=world.request(), headers=KEY)
    assert (first.status_code, again.status_code) == (201, 201)
    assert (again.content, again.headers["Location"]) == (first.content, first.headers["Location"])
    assert again.headers["Content-Type"] == first.headers["Content-Type"] == "application/json"
    assert (REPLAYED in first.headers, again.headers[REPLAYED]) == (False, "true")
    assert world.rows("execution") == 1
    assert (await api.post(UPGRADES, json=world.request())).status_code == 409  # without the key it is another call


async def test_first_response_is_returned_even_if_the_execution_has_changed_since(
    api: httpx.AsyncClient, world: World
) -> None:
    created = (await api.post(UPGRADES, json=world.request())).json()
    started = await api.post(f"/upgrades/{created['id']}/start", headers=KEY)
    cancelled = await api.post(f"/upgrades/{created['id']}/cancel")
    assert (started.status_code, cancelled.json()["status"]) == (202, "CANCELLED")
    again = await api.post(f"/upgrades/{created['id']}/start", headers=KEY)
    assert (again.status_code, again.json()["status"]) == (202, "VALIDATING")
    assert (world.rows("command"), world.parses.asked) == (2, [created["id"]])


async def test_key_of_another_request_is_refused(api: httpx.AsyncClient, world: World) -> None:
    execution = (await api.post(UPGRADES, json=world.request(), headers=KEY)).json()["id"]
    others = (
        api.post(UPGRADES, json=world.request(batchSize=1), headers=KEY),
        api.post("/tenants/other/upgrades", json=world.request(), headers=KEY),
        api.post(f"/upgrades/{execution}/cancel", headers=KEY),
    )
    for response in [await each for each in others]:
        assert (response.status_code, response.json()["code"]) == (409, "IDEMPOTENCY_CONFLICT")
    assert (world.rows("execution"), world.rows("command")) == (1, 0)


async def test_keys_of_different_callers_are_independent(
    api: httpx.AsyncClient, world: World, authentication: Authentication
) -> None:
    await api.post(BACKUPS, json=backup(), headers=KEY)
    bob = authentication.admit("bob", Permission)
    response = await api.post(BACKUPS, json=backup(), headers=KEY | bob)
    assert (response.status_code, REPLAYED in response.headers) == (201, False)
    assert world.rows("backup") == 3


async def test_first_response_is_refused_to_a_caller_who_lost_the_permission(
    api: httpx.AsyncClient, world: World, authentication: Authentication
) -> None:
    assert (await api.post(UPGRADES, json=world.request(), headers=KEY)).status_code == 201
    authentication.admit("alice", {Permission.READ})
    assert (await api.post(UPGRADES, json=world.request(), headers=KEY)).status_code == 403


async def test_refusal_is_not_stored_so_that_the_key_can_be_used_again(api: httpx.AsyncClient, world: World) -> None:
    refused = await api.post(UPGRADES, json=world.request(batchSize=0), headers=KEY)
    assert (refused.status_code, world.rows("idempotency_key")) == (422, 0)
    assert (await api.post(UPGRADES, json=world.request(), headers=KEY)).status_code == 201


async def test_refused_write_stores_nothing(api: httpx.AsyncClient, world: World) -> None:
    await api.post(UPGRADES, json=world.request())
    response = await api.post(UPGRADES, json=world.request(), headers=KEY)
    assert (response.status_code, response.json()["code"]) == (409, "ACTIVE_UPGRADE_EXISTS")
    assert (world.rows("execution"), world.rows("idempotency_key")) == (1, 0)


async def test_dry_run_with_the_same_key_is_carried_out_each_time(api: httpx.AsyncClient, world: World) -> None:
    for size in (1, 2):
        response = await api.post(UPGRADES, params={"dryRun": "true"}, json=world.request(batchSize=size), headers=KEY)
        assert response.status_code == 200
    assert world.rows("idempotency_key") == 0


@pytest.mark.parametrize("key", ["", " ", "x" * 256, "a b", "\x07", "schlüssel".encode("latin-1")])
async def test_invalid_key_is_422(api: httpx.AsyncClient, world: World, key: str | bytes) -> None:
    given = key.encode() if isinstance(key, str) else key
    response = await api.post(UPGRADES, json=world.request(), headers={b"Idempotency-Key": given})
    assert response.status_code == 422
    assert [each["field"] for each in response.json()["errors"]] == ["Idempotency-Key"]
    assert world.rows("execution") == 0


async def test_two_keys_are_422(api: httpx.AsyncClient, world: World) -> None:
    headers = [("Idempotency-Key", "a"), ("Idempotency-Key", "b")]
    assert (await api.post(UPGRADES, json=world.request(), headers=headers)).status_code == 422
    assert world.rows("execution") == 0


async def test_key_of_255_characters_is_accepted(api: httpx.AsyncClient) -> None:
    headers = {"Idempotency-Key": "~" * 255}
    assert (await api.post(BACKUPS, json=backup(), headers=headers)).status_code == 201


async def test_concurrent_calls_with_one_key_are_carried_out_once(api: httpx.AsyncClient, world: World) -> None:
    answers = await asyncio.gather(*(api.post(BACKUPS, json=backup(), headers=KEY) for _ in range(20)))
    assert {each.status_code for each in answers} == {201}
    assert len({each.content for each in answers}) == 1
    assert [REPLAYED in each.headers for each in answers].count(False) == 1
    assert world.rows("backup") == 2


@asynccontextmanager
async def another_process(world: World, authentication: Authentication) -> AsyncIterator[httpx.AsyncClient]:
    """A second API server on the same database: its callers do not queue in the first one."""
    async with client_of(
        own_app(world, authentication.authenticate), authentication.admit("alice", Permission)
    ) as client:
        yield client


async def test_concurrent_calls_with_one_key_in_two_processes_are_carried_out_once(
    api: httpx.AsyncClient, world: World, authentication: Authentication
) -> None:
    async with another_process(world, authentication) as other:
        for number in range(20):
            headers = {"Idempotency-Key": f"key-{number}"}
            answers = await asyncio.gather(
                *(each.post(BACKUPS, json=backup(), headers=headers) for each in (api, other))
            )
            assert {each.status_code for each in answers} == {201}
            assert answers[0].content == answers[1].content
    assert world.rows("backup") == 21


async def test_call_that_waits_too_long_for_the_first_is_refused_with_retry_after(
    api: httpx.AsyncClient, world: World, authentication: Authentication, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(idempotency_store, "WAIT_SECONDS", 0.2)
    assert (await api.post(BACKUPS, json=backup(), headers=KEY)).status_code == 201
    with world.connect() as connection:  # as if another process were still at it
        connection.execute(
            "UPDATE idempotency_key SET status = NULL, owner = 'other', claimed_until = now() + interval '1 h'"
        )
    response = await api.post(BACKUPS, json=backup(), headers=KEY)
    assert (response.status_code, "Retry-After" in response.headers) == (503, True)
    assert world.rows("backup") == 2


async def test_crash_before_the_response_is_stored_leaves_nothing_and_frees_the_key(
    api: httpx.AsyncClient, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def dies(*_: object) -> None:
        raise ConnectionResetError("killed between the write and its answer")

    with monkeypatch.context() as patched:
        patched.setattr(idempotency_store.PostgresKeyedCall, "keep", dies)
        assert (await api.post(BACKUPS, json=backup(), headers=KEY)).status_code == 500
    assert (world.rows("backup"), world.rows("idempotency_key")) == (1, 0)
    assert (await api.post(BACKUPS, json=backup(), headers=KEY)).status_code == 201
    assert world.rows("backup") == 2


async def test_parse_is_requested_only_after_the_start_is_committed(
    api: httpx.AsyncClient, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    created = (await api.post(UPGRADES, json=world.request())).json()["id"]
    seen: list[str] = []

    async def ask(_: object, execution_id: str) -> None:
        with world.connect() as connection:
            row = connection.execute("SELECT status FROM execution WHERE id = %s", (execution_id,)).fetchone()
        seen.append(row[0] if row else "")

    monkeypatch.setattr(type(world.parses), "ask", ask)
    await api.post(f"/upgrades/{created}/start", headers=KEY)
    assert seen == ["VALIDATING"]


OLD_KEY = "UPDATE idempotency_key SET created_at = clock_timestamp() - interval '24 hours 1 second'"
YOUNG_KEY = "UPDATE idempotency_key SET created_at = clock_timestamp() - interval '23 hours 59 minutes'"


@pytest.mark.parametrize(("aged", "backups"), [(OLD_KEY, 3), (YOUNG_KEY, 2)])
async def test_key_is_valid_for_24_hours(api: httpx.AsyncClient, world: World, aged: str, backups: int) -> None:
    for _ in range(2):
        assert (await api.post(BACKUPS, json=backup(), headers=KEY)).status_code == 201
        with world.connect() as connection:
            connection.execute(aged)
    assert world.rows("backup") == backups


@pytest.mark.parametrize(("aged", "left"), [(OLD_KEY, 0), (YOUNG_KEY, 1)])
async def test_old_keys_are_deleted_by_a_control_loop(
    api: httpx.AsyncClient, world: World, monkeypatch: pytest.MonkeyPatch, aged: str, left: int
) -> None:
    await api.post(BACKUPS, json=backup(), headers=KEY)
    with world.connect() as connection:
        connection.execute(aged)
    monkeypatch.setenv("AIRFLOW_CONN_UPGRADES_DB", connection_to(world.url))
    await DELETE_EXPIRED_RESPONSES.use_case(world.ports)
    assert world.rows("idempotency_key") == left


def test_every_write_accepts_a_key(app: FastAPI) -> None:
    found = [each for each in app.routes if isinstance(each, APIRoute) and {"POST", "PUT", "DELETE"} & each.methods]
    assert len(found) > 15
    assert [each.name for each in found if not isinstance(each, KeyedRoute) or not is_write(each)] == ["compatibility"]
