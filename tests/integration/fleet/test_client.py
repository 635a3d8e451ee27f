"""The product's HTTP client to an agent: its connections, and responses that no agent of the protocol would send."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest

from upgrade_orchestrator.adapters.airflow.connections import FleetAddress
from upgrade_orchestrator.adapters.fleet import client as adapter
from upgrade_orchestrator.service.ports.fleet import FleetError

Respond = Callable[[asyncio.StreamWriter], Awaitable[None]]
BODY = b'{"fine": true}'


@dataclass
class Server:
    """Counts connections, and answers each call as the test says."""

    respond: Respond
    connections: int = 0
    heads: list[str] = field(default_factory=list)

    @property
    def calls(self) -> list[str]:
        return [each.splitlines()[0] for each in self.heads]

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            while head := (await reader.readuntil(b"\r\n\r\n")).decode():
                self.heads.append(head)
                length = [int(line.split(": ")[1]) for line in head.splitlines() if line.startswith("Content-Length")]
                await reader.readexactly(sum(length))
                await self.respond(writer)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()


@asynccontextmanager
async def served(respond: Respond) -> AsyncIterator[tuple[Server, adapter.AgentClient]]:
    server = Server(respond)
    listening = await asyncio.start_server(server.serve, "127.0.0.1", 0)
    port = listening.sockets[0].getsockname()[1]
    client = adapter.AgentClient(FleetAddress(f"http://127.0.0.1:{port}", "token", True))
    try:
        yield server, client
    finally:
        await client.close()
        listening.close()


def answer(status: str, *headers: str, body: bytes = BODY) -> Respond:
    lines = [f"HTTP/1.1 {status}", *headers, f"Content-Length: {len(body)}", "", ""]

    async def respond(writer: asyncio.StreamWriter) -> None:
        writer.write("\r\n".join(lines).encode() + body)
        await writer.drain()

    return respond


async def trickle(writer: asyncio.StreamWriter) -> None:
    """A response without an end, whose next byte never takes long."""
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n")
    while True:
        writer.write(b" ")
        await writer.drain()
        await asyncio.sleep(0.01)


async def hang_up(writer: asyncio.StreamWriter) -> None:
    writer.close()


async def test_idle_connection_is_reused_shortly_after() -> None:
    async with served(answer("200 OK")) as (server, client):
        for _ in range(3):
            assert (await client.request("GET", "/fleets/a")).body() == {"fine": True}
    assert (server.connections, len(server.calls)) == (1, 3)


async def test_connection_that_was_idle_for_too_long_is_not_reused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(adapter, "IDLE_SECONDS", 0.0)
    async with served(answer("200 OK")) as (server, client):
        for _ in range(3):
            await client.request("GET", "/fleets/a")
    assert (server.connections, len(server.calls)) == (3, 3)


async def test_call_times_out_when_the_response_arrives_slowly(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(adapter, "CALL_SECONDS", 0.2)
    async with served(trickle) as (_, client):
        async with asyncio.timeout(5):
            with pytest.raises(FleetError, match="does not answer"):
                await client.request("GET", "/fleets/a")


async def test_call_times_out_after_exactly_its_time_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    """aiohttp would round its own time-outs up to the next whole second of its clock."""
    ends: list[float] = []
    call_at = asyncio.BaseEventLoop.call_at

    def note(loop: asyncio.BaseEventLoop, when: float, *more: Any, **named: Any) -> asyncio.TimerHandle:
        ends.append(when - loop.time())
        return call_at(loop, when, *more, **named)

    async with served(answer("200 OK")) as (_, client):
        monkeypatch.setattr(asyncio.BaseEventLoop, "call_at", note)
        await client.request("GET", "/fleets/a")
        monkeypatch.undo()
    assert max(ends) == pytest.approx(adapter.CALL_SECONDS, abs=0.001)


@pytest.mark.parametrize(("method", "calls"), [("POST", 1), ("PUT", 2)])
async def test_call_fails_when_the_agent_closes_the_connection(method: str, calls: int) -> None:
    """A repeatable request is repeated once."""
    async with served(hang_up) as (server, client):
        with pytest.raises(FleetError, match="does not answer"):
            await client.request(method, "/fleets/a/instances/b/drain")
    assert len(server.calls) == calls


@pytest.mark.parametrize("token", ["token", "a line's\nend"])
async def test_call_fails_when_nothing_listens_or_the_token_cannot_be_sent(token: str) -> None:
    client = adapter.AgentClient(FleetAddress("http://127.0.0.1:9", token, True))
    try:
        with pytest.raises(FleetError, match="does not answer"):
            await client.request("GET", "/fleets/a")
    finally:
        await client.close()


@pytest.mark.parametrize(("json", "kind"), [(None, None), ({"version": "2"}, "application/json")])
async def test_call_has_a_content_type_only_with_a_body(json: Any, kind: str | None) -> None:
    async with served(answer("200 OK")) as (server, client):
        await client.request("POST", "/fleets/a/instances/b/drain", json=json)
    kinds = [line.split(": ")[1] for line in server.heads[0].splitlines() if line.startswith("Content-Type")]
    assert kinds == ([kind] if kind else [])


async def test_redirect_is_returned_and_not_followed() -> None:
    async with served(answer("307 Temporary Redirect", "Location: /elsewhere")) as (server, client):
        assert (await client.request("GET", "/fleets/a")).status == 307
    assert server.calls == ["GET /fleets/a HTTP/1.1"]


async def test_quoted_path_is_sent_as_it_is() -> None:
    async with served(answer("200 OK")) as (server, client):
        await client.request("GET", "/fleets/a%2Fb/instances/c%20%3Fd")
    assert server.calls == ["GET /fleets/a%2Fb/instances/c%20%3Fd HTTP/1.1"]


@pytest.mark.parametrize("body", [b"[]", b"no JSON", b"\xff"])
async def test_response_body_that_is_not_a_json_object_is_refused(body: bytes) -> None:
    async with served(answer("200 OK", body=body)) as (_, client):
        with pytest.raises(FleetError, match="not a JSON object"):
            (await client.request("GET", "/fleets/a")).body()


async def test_response_without_content_has_an_empty_body() -> None:
    async with served(answer("204 No Content", body=b"")) as (_, client):
        assert (await client.request("DELETE", "/fleets/a")).body() == {}
