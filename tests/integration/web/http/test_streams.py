"""The event log as a live stream, over a real server."""

import time
from dataclasses import replace
from datetime import UTC, datetime

import httpx
import pytest
from fastapi import FastAPI

from tests.integration.web.apps import SharedApp
from tests.integration.web.authentication import Authentication
from tests.integration.web.live import STREAM, messages, rest, serving, take, until
from tests.integration.world import TENANT, World
from upgrade_orchestrator.domain.execution.states import ExecutionStatus
from upgrade_orchestrator.domain.operations.permissions import Permission
from upgrade_orchestrator.service.events import reader as live_reader
from upgrade_orchestrator.web.http import event_stream as streams

UPGRADES = f"/tenants/{TENANT}/upgrades"


@pytest.fixture
async def created(live: httpx.AsyncClient, world: World) -> str:
    identifier: str = (await live.post(UPGRADES, json=world.request())).json()["id"]
    return identifier


async def test_stream_has_past_and_new_events(
    live: httpx.AsyncClient, created: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live_reader, "POLL_SECONDS", 3600.0)  # new events are found by signals, not by polling
    async with live.stream("GET", f"/upgrades/{created}/events", headers=STREAM) as response:
        assert response.headers["content-type"] == "text/event-stream; charset=utf-8"
        assert response.headers["cache-control"] == "no-store"
        found = messages(response)
        assert (await anext(found)).retry == 2000
        first = await take(found, 1)
        await live.post(f"/upgrades/{created}/start")
        got = first + await take(found, 2)
    page = (await live.get(f"/upgrades/{created}/events")).json()["items"]
    assert [each.data for each in got] == page
    assert [(each.event, each.id) for each in got] == [(each["type"], str(each["sequence"])) for each in page]
    assert [each["sequence"] for each in page] == [1, 2, 3]


@pytest.mark.parametrize(
    ("query", "header", "expected"),
    [
        ("", {}, [1, 2, 3]),
        ("?after=2", {}, [3]),
        ("?after=2", {"Last-Event-ID": "1"}, [2, 3]),
        ("?after=2", {"Last-Event-ID": "0"}, [1, 2, 3]),
    ],
)
async def test_stream_continues_after_the_last_event_seen(
    live: httpx.AsyncClient, created: str, query: str, header: dict[str, str], expected: list[int]
) -> None:
    await live.post(f"/upgrades/{created}/start")
    async with live.stream("GET", f"/upgrades/{created}/events{query}", headers=STREAM | header) as response:
        found = await take(messages(response), len(expected))
    assert [int(each.id or 0) for each in found] == expected


async def test_stream_ends_when_the_upgrade_has_ended(live: httpx.AsyncClient, created: str) -> None:
    async with live.stream("GET", f"/upgrades/{created}/events", headers=STREAM) as response:
        found = messages(response)
        await take(found, 1)
        assert (await live.post(f"/upgrades/{created}/cancel")).status_code == 200
        *events, end = await rest(found)
    changed, settled = (each.data for each in events[-2:])
    assert (changed["type"], changed["data"]["to"]) == ("registry.upgrade.status-changed.v1", "CANCELLED")
    assert (settled["type"], settled["data"]["status"]) == ("registry.upgrade.settled.v1", "CANCELLED")
    assert (end.event, end.id) == ("end", None)
    assert end.data == {"status": "CANCELLED", "sequence": events[-1].data["sequence"]}


async def test_stream_continues_while_an_instance_is_in_flight(
    live: httpx.AsyncClient, world: World, created: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(streams, "KEEP_ALIVE_SECONDS", 0.2)
    await _save(world, created, status=ExecutionStatus.CANCELLED)
    async with live.stream("GET", f"/upgrades/{created}/events", headers=STREAM) as response:
        found = messages(response)
        await take(found, 1)
        for _ in range(3):
            assert (await anext(found)).comment == "ping"
        await _save(world, created, settled_at=datetime.now(UTC))
        assert [each.event for each in await rest(found)] == ["end"]


async def test_reader_that_has_the_last_event_gets_204_and_stops(live: httpx.AsyncClient, created: str) -> None:
    await live.post(f"/upgrades/{created}/cancel")
    path = f"/upgrades/{created}/events"
    last = (await live.get(path)).json()["items"][-1]["sequence"]
    response = await live.get(path, headers=STREAM | {"Last-Event-ID": str(last)})
    assert (response.status_code, response.content) == (204, b"")
    async with live.stream("GET", path, headers=STREAM | {"Last-Event-ID": str(last - 1)}) as stream:
        assert [each.event for each in await rest(messages(stream))][-1] == "end"
    async with live.stream("GET", path, headers=STREAM, params={"after": last}) as stream:
        assert [each.event for each in await rest(messages(stream))] == ["end"]


async def test_stream_is_closed_after_its_maximum_duration(
    shared_app: SharedApp, live: httpx.AsyncClient, world: World
) -> None:
    shared_app.ports = replace(world.ports, options=replace(world.ports.options, stream_seconds=0.2))
    created = (await live.post(UPGRADES, json=world.request())).json()["id"]
    began = time.monotonic()
    async with live.stream("GET", f"/upgrades/{created}/events", headers=STREAM) as response:
        assert [each.id for each in await rest(messages(response))] == ["1"]  # and no end: the reader comes again
    assert 0.15 < time.monotonic() - began < 5


@pytest.mark.parametrize("given", ["x", "-1", "1.5", "9223372036854775808", ""])
async def test_invalid_last_event_id_is_refused_naming_it(live: httpx.AsyncClient, created: str, given: str) -> None:
    response = await live.get(f"/upgrades/{created}/events", headers=STREAM | {"Last-Event-ID": given})
    assert (response.status_code, response.json()["code"]) == (422, "VALIDATION_FAILED")
    assert [each["field"] for each in response.json()["errors"]] == ["Last-Event-ID"]


@pytest.mark.parametrize("name", ["limit", "cursor"])
async def test_stream_refuses_parameters_of_pages(live: httpx.AsyncClient, created: str, name: str) -> None:
    response = await live.get(f"/upgrades/{created}/events", headers=STREAM, params={name: "5"})
    assert (response.status_code, [each["field"] for each in response.json()["errors"]]) == (422, [name])


async def test_stream_of_an_unknown_execution_is_404(live: httpx.AsyncClient) -> None:
    response = await live.get("/upgrades/none/events", headers=STREAM)
    assert (response.status_code, response.headers["content-type"]) == (404, "application/problem+json")


async def test_stream_needs_a_reader_of_the_tenant(
    live: httpx.AsyncClient, authentication: Authentication, created: str
) -> None:
    path = f"/upgrades/{created}/events"
    limited = {
        tenant: authentication.admit_to(
            f"of-{tenant}", {("can_read", f"Upgrades:{tenant}"), ("can_read", "Upgrade Registry")}
        )
        for tenant in (TENANT, "another")
    }
    assert (await live.get(path, headers=STREAM | {"Authorization": ""})).status_code == 401
    assert (await live.get(path, headers=STREAM | authentication.admit("nina", []))).status_code == 403
    assert (await live.get(path, headers=STREAM | limited["another"])).status_code == 404
    async with live.stream("GET", path, headers=STREAM | limited[TENANT]) as response:
        assert response.status_code == 200


@pytest.mark.parametrize(
    ("accept", "stream"),
    [
        ("text/event-stream", True),
        ("Text/Event-Stream, */*;q=0.1", True),
        ("application/json;q=0.5, text/event-stream", True),
        ("application/json, text/event-stream;q=0.5", False),
        ("text/event-stream;q=0", False),
        ("*/*", False),
        ("text/*", False),
        ("application/json", False),
    ],
)
async def test_accept_header_selects_stream_or_page(
    live: httpx.AsyncClient, created: str, accept: str, stream: bool
) -> None:
    async with live.stream("GET", f"/upgrades/{created}/events", headers={"Accept": accept}) as response:
        kind = response.headers["content-type"].partition(";")[0]
    assert kind == ("text/event-stream" if stream else "application/json")


async def test_reader_that_disconnects_frees_its_resources(app: FastAPI, live: httpx.AsyncClient, created: str) -> None:
    for _ in range(3):
        async with live.stream("GET", f"/upgrades/{created}/events", headers=STREAM) as response:
            await take(messages(response), 1)
            assert app.state.live.opened.readers == 1
        await until(lambda: not app.state.live.opened.readers)


async def test_server_that_stops_ends_its_streams(app: FastAPI, authentication: Authentication, world: World) -> None:
    headers = authentication.admit("alice", Permission) | STREAM
    async with httpx.AsyncClient(headers=headers, trust_env=False, timeout=20) as client:
        async with serving(app) as url:
            created = (await client.post(f"{url}{UPGRADES}", json=world.request())).json()["id"]
            open_one = await client.send(client.build_request("GET", f"{url}/upgrades/{created}/events"), stream=True)
            found = messages(open_one)
            await take(found, 1)
            began = time.monotonic()
        assert time.monotonic() - began < 3
        assert await rest(found) == []


async def _save(world: World, execution_id: str, **changes: object) -> None:
    async with world.ports.work() as work:
        stored = await work.executions.lock(execution_id)
        await work.executions.save(replace(stored, **changes))  # type: ignore[arg-type]
        await work.commit()
