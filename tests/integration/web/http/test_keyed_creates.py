"""Keyed calls hold no connection while the fleet answers, and are carried out once whatever dies in between."""

import asyncio
import os
import signal
import sys
import time
from typing import Any

import httpx
import pytest

from tests.integration.store.connections import connection_to
from tests.integration.web.apps import client_of, own_app
from tests.integration.web.authentication import Authentication
from tests.integration.world import COMPONENT, NEW, OLD, TENANT, World
from upgrade_orchestrator.adapters.postgres import idempotency as idempotency_store
from upgrade_orchestrator.adapters.postgres.engine.engine import engine_of
from upgrade_orchestrator.domain.operations.permissions import Permission

UPGRADES = f"/tenants/{TENANT}/upgrades"
KEY = {"Idempotency-Key": "build-4711"}


async def _until_claimed(world: World, count: int = 1) -> None:
    deadline = time.monotonic() + 20
    while world.rows("idempotency_key") < count:
        assert time.monotonic() < deadline
        await asyncio.sleep(0.02)


async def _until_all_ask_the_agent(world: World) -> None:
    """None of them holds a connection any more."""
    deadline = time.monotonic() + 4
    while engine_of(world.url).pool.checkedout():  # type: ignore[attr-defined]
        assert time.monotonic() < deadline
        await asyncio.sleep(0.02)


# fault 35
async def test_keyed_creates_at_a_slow_agent_leave_a_plain_read_its_connection(
    api: httpx.AsyncClient, world: World
) -> None:
    world.admin.fault(world.fleet, "agent-hangs", seconds=60)
    headers = [{"Idempotency-Key": f"key-{number}"} for number in range(40)]
    creates = [asyncio.create_task(api.post(UPGRADES, json=world.request(), headers=each)) for each in headers]
    try:
        await _until_claimed(world, 40)
        await _until_all_ask_the_agent(world)
        async with asyncio.timeout(1):
            assert (await api.get(UPGRADES)).status_code == 200
    finally:
        world.admin.clear_faults(world.fleet)
    answers = [each.status_code for each in await asyncio.gather(*creates)]
    assert (answers.count(201), answers.count(409)) == (1, 39)
    assert (world.rows("execution"), world.rows("idempotency_key")) == (1, 1)


# fault 35
async def test_repeated_create_in_another_process_waits_while_the_agent_is_slow_and_gets_the_first_response(
    api: httpx.AsyncClient, world: World, authentication: Authentication
) -> None:
    world.admin.fault(world.fleet, "agent-hangs", seconds=60)
    app = own_app(world, authentication.authenticate)
    async with client_of(app, authentication.admit("alice", Permission)) as other:
        first = asyncio.create_task(api.post(UPGRADES, json=world.request(), headers=KEY))
        await _until_claimed(world)
        second = asyncio.create_task(other.post(UPGRADES, json=world.request(), headers=KEY))
        await asyncio.wait([second], timeout=0.5)
        assert not second.done()
        world.admin.clear_faults(world.fleet)
        one, two = await asyncio.gather(first, second)
    assert (one.status_code, two.status_code, one.content) == (201, 201, two.content)
    assert world.rows("execution") == 1


async def test_key_of_another_request_is_refused_while_the_first_is_in_progress(
    api: httpx.AsyncClient, world: World, authentication: Authentication
) -> None:
    world.admin.fault(world.fleet, "agent-hangs", seconds=60)
    app = own_app(world, authentication.authenticate)
    async with client_of(app, authentication.admit("alice", Permission)) as other:
        first = asyncio.create_task(api.post(UPGRADES, json=world.request(), headers=KEY))
        await _until_claimed(world)
        refused = await other.post(UPGRADES, json=world.request(batchSize=1), headers=KEY)
        world.admin.clear_faults(world.fleet)
    assert (refused.status_code, refused.json()["code"]) == (409, "IDEMPOTENCY_CONFLICT")
    assert (await first).status_code == 201


async def test_call_whose_key_was_taken_over_writes_nothing(
    api: httpx.AsyncClient, world: World, authentication: Authentication
) -> None:
    """Its process stood still for longer than it may."""
    world.admin.fault(world.fleet, "agent-hangs", seconds=60)
    late = asyncio.create_task(api.post(UPGRADES, json=world.request(), headers=KEY))
    await _until_claimed(world)
    with world.connect() as connection:
        connection.execute("UPDATE idempotency_key SET claimed_until = now() - interval '1 s'")
    app = own_app(world, authentication.authenticate)
    async with client_of(app, authentication.admit("alice", Permission)) as other:
        second = asyncio.create_task(other.post(UPGRADES, json=world.request(), headers=KEY))
        await _until_owner_changes(world)
        world.admin.clear_faults(world.fleet)
        answers = sorted([await late, await second], key=lambda each: each.status_code)
    assert [each.status_code for each in answers] == [201, 503]
    assert world.rows("execution") == 1
    again = await api.post(UPGRADES, json=world.request(), headers=KEY)
    assert (again.status_code, again.content) == (201, answers[0].content)


async def _until_owner_changes(world: World) -> None:
    fresh = "SELECT count(*) FROM idempotency_key WHERE claimed_until > now()"
    deadline = time.monotonic() + 20
    with world.connect() as connection:
        while connection.execute(fresh).fetchone() != (1,):
            assert time.monotonic() < deadline
            await asyncio.sleep(0.02)


async def test_claim_is_renewed_while_the_call_takes_longer_than_it_lasts(
    api: httpx.AsyncClient, world: World, authentication: Authentication, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(idempotency_store, "CLAIM_SECONDS", 0.6)
    monkeypatch.setattr(idempotency_store, "RENEW_SECONDS", 0.1)
    monkeypatch.setattr(idempotency_store, "WAIT_SECONDS", 1.5)
    world.admin.fault(world.fleet, "agent-hangs", seconds=60)
    first = asyncio.create_task(api.post(UPGRADES, json=world.request(), headers=KEY))
    await _until_claimed(world)
    app = own_app(world, authentication.authenticate)
    async with client_of(app, authentication.admit("alice", Permission)) as other:
        assert (await other.post(UPGRADES, json=world.request(), headers=KEY)).status_code == 503
    world.admin.clear_faults(world.fleet)
    assert (await first).status_code == 201


_CREATES = """
import asyncio, os, sys
from upgrade_orchestrator import bootstrap
from upgrade_orchestrator.domain.execution.commands import Actor
from upgrade_orchestrator.domain.execution.execution import UpgradeRequest
from upgrade_orchestrator.service.idempotency import idempotent
from upgrade_orchestrator.service.ports.idempotency import Key, StoredResponse
from upgrade_orchestrator.service.upgrade.create import create_upgrade

async def main(dies_before_the_answer):
    ports, store = await bootstrap.open_ports(), await bootstrap.open_idempotency_store()
    request = UpgradeRequest(component_id=%(component)r, from_version_id=%(old)r, to_version_id=%(new)r)
    async with idempotent(ports, store, Key("alice", "k", "f" * 64)) as call:
        execution = await create_upgrade(call.ports, %(tenant)r, request, Actor("alice"))
        if dies_before_the_answer:
            os.kill(os.getpid(), 9)
        await call._call.keep(StoredResponse(201, {}, execution.id))
        os.kill(os.getpid(), 9)

asyncio.run(main(sys.argv[1] == "before"))
"""


# fault 35
@pytest.mark.parametrize(("dies", "kept"), [("before", 0), ("after", 1)])
async def test_create_killed_around_its_response_is_stored_with_it_or_not_at_all(
    world: World, monkeypatch: pytest.MonkeyPatch, dies: str, kept: int
) -> None:
    names = {"component": COMPONENT, "old": OLD, "new": NEW, "tenant": TENANT}
    env = {**os.environ, "AIRFLOW_CONN_UPGRADES_DB": connection_to(world.url)}
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", _CREATES % names, dies, env=env)
    assert await process.wait() == -signal.SIGKILL
    assert (world.rows("execution"), world.rows("idempotency_key")) == (kept, 1)
    with world.connect() as connection:
        ((status, body, free),) = connection.execute(
            "SELECT status, body, claimed_until < now() + interval '21 s' FROM idempotency_key"
        ).fetchall()
        executions: list[Any] = [each for (each,) in connection.execute("SELECT id FROM execution").fetchall()]
    assert (status, [body] if body else []) == (201 if kept else None, executions)
    assert kept or free  # of a dead process only so long
