"""Servers that answer as no agent should: each call ends, in time, and with nothing but a FleetError."""

import asyncio
import gzip
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding, PrivateFormat

from tests.integration.fleet.test_client import BODY, Respond, answer, hang_up, served
from tests.integration.kafka import certificates
from upgrade_orchestrator.adapters.airflow.connections import FleetAddress
from upgrade_orchestrator.adapters.fleet import client as adapter
from upgrade_orchestrator.adapters.fleet.agent import AgentDriver
from upgrade_orchestrator.service.ports.fleet import FleetError, NotOfProtocol, Unreachable, WrongConnection

HEAD = b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n"


def raw(content: bytes) -> Respond:
    async def respond(writer: asyncio.StreamWriter) -> None:
        writer.write(content)
        await writer.drain()
        writer.close()

    return respond


def drip(head: bytes) -> Respond:
    """The head at once, then a byte each 0.2 s, without an end."""

    async def respond(writer: asyncio.StreamWriter) -> None:
        writer.write(head)
        while True:
            writer.write(b"1")
            await writer.drain()
            await asyncio.sleep(0.2)

    return respond


async def say_nothing_more(writer: asyncio.StreamWriter) -> None:
    writer.write(HEAD)
    await writer.drain()
    await asyncio.sleep(60)


async def flood(writer: asyncio.StreamWriter) -> None:
    """17 MiB without a length."""
    writer.write(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n")
    for _ in range(17):
        writer.write(b" " * 2**20)
        await writer.drain()
    writer.close()


# fault 7
@pytest.mark.parametrize(
    "respond",
    [drip(HEAD), drip(b"HTTP/1.1 200 OK\r\nX-Long: "), drip(b"HTTP/1.1 200 O"), say_nothing_more],
    ids=["a byte each 0.2 s", "headers without an end", "a status line without an end", "headers only"],
)
async def test_call_ends_in_time_however_slowly_the_answer_comes(
    respond: Respond, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(adapter, "CALL_SECONDS", 0.5)
    async with served(respond) as (_, client):
        begun = asyncio.get_running_loop().time()
        with pytest.raises(Unreachable, match=r"does not answer \(TimeoutError\)") as ended:
            await client.request("POST", "/fleets/a/instances/b/drain")
        assert asyncio.get_running_loop().time() - begun < 3
    assert ended.value.in_doubt is True


async def test_answer_that_arrives_slowly_but_in_time_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    async def slowly(writer: asyncio.StreamWriter) -> None:
        writer.write(f"HTTP/1.1 200 OK\r\nContent-Length: {len(BODY)}\r\n\r\n".encode())
        for each in BODY:
            writer.write(bytes([each]))
            await writer.drain()
            await asyncio.sleep(0.01)

    async with served(slowly) as (_, client):
        assert (await client.request("GET", "/fleets/a")).body() == {"fine": True}


def test_call_may_take_ten_seconds_in_all() -> None:
    assert adapter.CALL_SECONDS == 10


async def test_answer_of_17_mib_is_refused_and_one_of_16_is_read() -> None:
    async with served(flood) as (_, client):
        with pytest.raises(NotOfProtocol, match="larger than 16 MiB"):
            await client.request("GET", "/fleets/a")
    async with served(answer("200 OK", body=b" " * adapter.MAX_BYTES)) as (_, client):
        assert len((await client.request("GET", "/fleets/a")).content) == adapter.MAX_BYTES


@pytest.mark.parametrize("coding", ["gzip", "deflate", "br", "x-what\tever"])
async def test_compressed_answer_is_refused_unopened_since_none_was_asked_for(coding: str) -> None:
    bomb = gzip.compress(b" " * 2**26)
    async with served(answer("200 OK", f"Content-Encoding: {coding}", body=bomb)) as (server, client):
        with pytest.raises(NotOfProtocol, match="is compressed"):
            await client.request("GET", "/fleets/a")
    assert "Accept-Encoding: identity" in server.heads[0]


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\r\n\r\n\r\n",
        b"SSH-2.0-OpenSSH_9.6\r\n",
        b"\x16\x03\x01\x02\x00\x01",
        b"HTTP/9.9 200 OK\r\n\r\n",
        b"HTTP/1.1 2000 OK\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: ten\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{}",
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{}",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nZZ\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + b"f" * 40 + b"\r\n",
        b"HTTP/1.1 200 OK\r\n" + b"X-A: b\r\n" * 5_000 + b"\r\n",
        b"HTTP/1.1 200 OK\r\nX-A: " + b"a" * 100_000 + b"\r\n\r\n",
        b"HTTP/1.1 200 " + b"O" * 100_000 + b"\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nX-\xff: \xfe\x00\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nSet-Cookie: \x01=\x02; ;=;\r\nContent-Length: 1\r\n\r\nx",
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n\x81",
        b"HTTP/1.1 302 Found\r\nLocation: http://[::1\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 100 Continue\r\n\r\n" * 1_000,
        struct.pack(">I", 0xDEADBEEF) * 1_000,
    ],
)
async def test_garbage_is_a_fleet_error(content: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(adapter, "CALL_SECONDS", 1.0)
    async with served(raw(content)) as (_, client):
        for _ in range(2):
            with pytest.raises(FleetError):
                await AgentDriver(client, "a").fleet()


async def test_second_answer_that_nobody_asked_for_breaks_no_later_call() -> None:
    twice = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}HTTP/1.1 500 No\r\nContent-Length: 1\r\n\r\nx"

    async def respond(writer: asyncio.StreamWriter) -> None:
        writer.write(twice)
        await writer.drain()

    async with served(respond) as (_, client):
        assert [(await client.request("GET", "/fleets/a")).status for _ in range(3)] == [200, 200, 200]


@pytest.mark.parametrize("base", ["http://[", "http://a b", "http://\ud800", "http://:0:0", "http://256.256.256.256:1"])
async def test_address_that_cannot_be_called_is_a_fleet_error(base: str) -> None:
    client = adapter.AgentClient(FleetAddress(base, ""))
    with pytest.raises(FleetError):
        await client.request("GET", "/fleets/a")
    await client.close()


async def test_order_is_in_doubt_only_when_it_may_have_arrived() -> None:
    async with served(hang_up) as (_, client):
        with pytest.raises(Unreachable) as lost:
            await client.request("POST", "/fleets/a/instances/b/drain")
        with pytest.raises(Unreachable) as looked:
            await client.request("GET", "/fleets/a")
    assert (lost.value.in_doubt, looked.value.in_doubt) == (True, False)
    async with closed() as client:
        with pytest.raises(Unreachable) as refused:
            await client.request("POST", "/fleets/a/instances/b/drain")
    assert refused.value.in_doubt is False


@asynccontextmanager
async def closed() -> AsyncIterator[adapter.AgentClient]:
    """The client of a port where nothing listens."""
    client = adapter.AgentClient(FleetAddress("http://127.0.0.1:9", "token"))
    try:
        yield client
    finally:
        await client.close()


async def test_certificate_file_that_cannot_be_used_is_named() -> None:
    with pytest.raises(WrongConnection, match="/no/such/ca.pem"):
        adapter.AgentClient(FleetAddress("https://127.0.0.1:9", "", "/no/such/ca.pem"))


def test_encrypted_key_is_refused_and_nobody_is_asked_for_its_password(tmp_path: Path) -> None:
    authority, certificate = certificates.make(tmp_path)
    secret = ec.generate_private_key(ec.SECP256R1())
    key = tmp_path / "key.pem"
    key.write_bytes(secret.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"secret")))
    with pytest.raises(WrongConnection, match="the key is encrypted"):
        adapter.AgentClient(FleetAddress("https://127.0.0.1:9", "", str(authority), str(certificate), str(key)))
