"""HTTP to an agent at one address. No answer of an agent's, however wrong, leaves here as anything but a FleetError."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import aiohttp

from upgrade_orchestrator.adapters.airflow.connections import FleetAddress
from upgrade_orchestrator.adapters.fleet import door
from upgrade_orchestrator.service.ports.fleet import FleetError, NotOfProtocol, Unreachable, WrongConnection

CALL_SECONDS, CONNECT_SECONDS = 10.0, 3.0
"""Limits for a whole call (connecting, headers, every byte of the body) and for connecting.

A call may take as long as a lease lasts, so a runner renews its lease while a round of calls is under way.
"""
IDLE_SECONDS = 3.0
"How long an idle connection is kept. Many servers close it after 5 s, and a call sent just then is lost."
MAX_BYTES = 16 * 1024 * 1024
"Maximum size of a response."
_CONNECTIONS = 50
"Connections for one fleet: more than a runner's concurrent calls."


@dataclass(frozen=True, slots=True)
class AgentResponse:
    """An agent's response."""

    status: int
    content: bytes
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def is_success(self) -> bool:
        """Whether the agent accepted the call."""
        return 200 <= self.status < 300

    def body(self) -> dict[str, Any]:
        """The JSON object; an empty one for an empty response.

        :raises NotOfProtocol: the response is anything else.
        """
        return door.object_in(self.content)


class AgentClient:
    """Calls to one fleet of an agent, from one event loop.

    A GET, PUT or DELETE whose connection closes before the response is sent once more, with the same key and token.
    """

    def __init__(self, address: FleetAddress) -> None:
        """Open the session; connections are made on first use.

        :raises WrongConnection: a certificate file cannot be used.
        """
        self.address = address
        self._calls, self._retired = 0, False
        tls = _tls(address)
        # compressed answers are not asked for: a small one could unpack to any size
        headers = {"Accept-Encoding": "identity"}
        self._session = aiohttp.ClientSession(
            headers=headers | ({"Authorization": f"Bearer {address.token}"} if address.token else {}),
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_SECONDS),
            connector=aiohttp.TCPConnector(limit=_CONNECTIONS, keepalive_timeout=IDLE_SECONDS, ssl=tls),
            cookie_jar=aiohttp.DummyCookieJar(),
            auto_decompress=False,
            trace_configs=[_notes_of_sending()],
        )

    async def request(
        self, method: str, path: str, *, headers: Mapping[str, str] | None = None, json: Any = None
    ) -> AgentResponse:
        """Call ``path``, which is percent-encoded already, and return the agent's response.

        :raises Unreachable: there is no response in time.
        :raises NotOfProtocol: it is too large, or compressed.
        """
        sending = SimpleNamespace(begun=False)
        self._calls += 1
        try:
            async with asyncio.timeout(CALL_SECONDS):
                return await self._send(method, path, headers, json, sending)
        except Exception as error:  # aiohttp raises many kinds of them for what a server can do wrong
            in_doubt = sending.begun and method != "GET"
            if isinstance(error, FleetError):
                error.in_doubt = in_doubt
                raise
            raise Unreachable(f"the agent does not answer ({type(error).__name__})", in_doubt=in_doubt) from error
        finally:
            self._calls -= 1
            await self._close_if_unused()

    async def _send(
        self, method: str, path: str, headers: Mapping[str, str] | None, json: Any, sending: SimpleNamespace
    ) -> AgentResponse:
        more: dict[str, Any] = {"skip_auto_headers": ("Content-Type",)} if json is None else {"json": json}
        response = await self._session.request(
            method,
            self.address.base_url + path,
            headers=headers,
            allow_redirects=False,
            trace_request_ctx=sending,
            **more,
        )
        try:
            return AgentResponse(response.status, await _read(response), response.headers)
        finally:
            response.release()  # closes the connection if something is left to read

    async def retire(self) -> None:
        """Close its connections after the last call under way: another client takes its place."""
        self._retired = True
        await self._close_if_unused()

    async def _close_if_unused(self) -> None:
        if self._retired and not self._calls:
            await self.close()

    async def close(self) -> None:
        """Close its connections."""
        await self._session.close()


def _notes_of_sending() -> aiohttp.TraceConfig:
    """Notes that a request is being sent: from then on it may have arrived."""

    async def note(_: aiohttp.ClientSession, context: SimpleNamespace, __: Any) -> None:
        context.trace_request_ctx.begun = True

    trace = aiohttp.TraceConfig()
    trace.on_request_headers_sent.append(note)
    return trace


async def _read(response: aiohttp.ClientResponse) -> bytes:
    coding = response.headers.get("Content-Encoding", "identity")
    if coding.strip().lower() not in ("", "identity"):
        raise NotOfProtocol(f"the agent's response is compressed ({door.cleaned(coding)[:40]}), and we asked for none")
    content = bytearray()
    async for part in response.content.iter_any():
        content += part
        if len(content) > MAX_BYTES:
            raise NotOfProtocol(f"the agent's response is larger than {MAX_BYTES >> 20} MiB")
    return bytes(content)


def _tls(address: FleetAddress) -> ssl.SSLContext | bool:
    """The ``ssl`` argument of aiohttp; True means the system's certificate authorities."""
    if not address.base_url.startswith("https://"):
        return True
    if isinstance(address.verify, bool) and address.cert is None:
        return address.verify
    try:
        context = ssl.create_default_context(cafile=None if isinstance(address.verify, bool) else address.verify)
        if address.verify is False:
            context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        if address.cert is not None:
            context.load_cert_chain(address.cert, address.key, password=_no_password)
    except (OSError, ValueError) as error:  # missing, unreadable, not PEM, or encrypted
        names = ", ".join(str(each) for each in (address.verify, address.cert, address.key) if isinstance(each, str))
        what = f"the certificates of the agent's connection cannot be used ({names}): {error}"
        raise WrongConnection(what) from error
    return context


def _no_password() -> str:
    """Without this OpenSSL would ask for one at the terminal, and wait."""
    raise ValueError("the key is encrypted, and a connection has no place for its password")
