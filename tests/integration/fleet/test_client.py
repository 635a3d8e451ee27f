"""The product's HTTP client to an agent: its connections, and answers that no agent of the protocol would give."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest

from include.upgrades.adapters.airflow.connections import FleetAddress
from include.upgrades.adapters.fleet import client as adapter
from include.upgrades.service.fleet_ports import FleetError

Respond = Callable[[asyncio.StreamWriter], Awaitable[None]]
BODY = b'{"fine": true}'


@dataclass
class Server:
    """Counts connections, and answers each call as it is told."""

    respond: Respond
    connections: int = 0
    calls: list[str] = field(default_factory=list)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                self.calls.append(head.decode().splitlines()[0])
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
    try:
        yield server, adapter.client_of(FleetAddress(f"http://127.0.0.1:{port}", "token", True))
    finally:
        await adapter.close_clients()
        listening.close()


def answer(status: str, *headers: str, body: bytes = BODY) -> Respond:
    lines = [f"HTTP/1.1 {status}", *headers, f"Content-Length: {len(body)}", "", ""]

    async def respond(writer: asyncio.StreamWriter) -> None:
        writer.write("\r\n".join(lines).encode() + body)
        await writer.drain()

    return respond


async def trickle(writer: asyncio.StreamWriter) -> None:
    """An answer that goes on and on: no wait for its next byte is long."""
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n")
    while True:
        writer.write(b" ")
        await writer.drain()
        await asyncio.sleep(0.01)


async def hang_up(writer: asyncio.StreamWriter) -> None:
    writer.close()


async def test_connection_is_used_again_at_once() -> None:
    async with served(answer("200 OK")) as (server, client):
        for _ in range(3):
            assert (await client.request("GET", "/fleets/a")).body() == {"fine": True}
    assert (server.connections, len(server.calls)) == (1, 3)


async def test_connection_is_not_used_again_when_it_was_idle_for_too_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(adapter, "IDLE_SECONDS", 0.0)
    async with served(answer("200 OK")) as (server, client):
        for _ in range(3):
            await client.request("GET", "/fleets/a")
    assert (server.connections, len(server.calls)) == (3, 3)


async def test_client_is_another_for_another_token_only() -> None:
    first, other = (FleetAddress("http://127.0.0.1:9", token, True) for token in ("a", "b"))
    try:
        assert adapter.client_of(first) is adapter.client_of(first)
        assert adapter.client_of(first) is not adapter.client_of(other)
    finally:
        await adapter.close_clients()


async def test_call_ends_in_time_when_the_answer_trickles(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(adapter, "CALL_SECONDS", 0.2)
    async with served(trickle) as (_, client):
        async with asyncio.timeout(5):
            with pytest.raises(FleetError, match="does not answer"):
                await client.request("GET", "/fleets/a")


async def test_call_fails_when_the_agent_hangs_up() -> None:
    async with served(hang_up) as (_, client):
        with pytest.raises(FleetError, match="does not answer"):
            await client.request("POST", "/fleets/a/instances/b/drain")


async def test_call_fails_when_nobody_listens() -> None:
    try:
        with pytest.raises(FleetError, match="does not answer"):
            await adapter.client_of(FleetAddress("http://127.0.0.1:9", "token", True)).request("GET", "/fleets/a")
    finally:
        await adapter.close_clients()


async def test_redirect_is_an_answer_and_not_followed() -> None:
    async with served(answer("307 Temporary Redirect", "Location: /elsewhere")) as (server, client):
        assert (await client.request("GET", "/fleets/a")).status == 307
    assert server.calls == ["GET /fleets/a HTTP/1.1"]


async def test_quoted_path_is_sent_as_it_is() -> None:
    async with served(answer("200 OK")) as (server, client):
        await client.request("GET", "/fleets/a%2Fb/instances/c%20%3Fd")
    assert server.calls == ["GET /fleets/a%2Fb/instances/c%20%3Fd HTTP/1.1"]


@pytest.mark.parametrize("body", [b"[]", b"no JSON", b"\xff"])
async def test_body_is_refused_when_it_is_no_json_object(body: bytes) -> None:
    async with served(answer("200 OK", body=body)) as (_, client):
        with pytest.raises(FleetError, match="not a JSON object"):
            (await client.request("GET", "/fleets/a")).body()


async def test_body_is_empty_when_nothing_was_sent() -> None:
    async with served(answer("204 No Content", body=b"")) as (_, client):
        assert (await client.request("DELETE", "/fleets/a")).body() == {}
