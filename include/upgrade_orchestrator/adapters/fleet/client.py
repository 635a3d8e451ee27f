"""HTTP to an agent: one session for each fleet and event loop, so that connections are reused.

Each fleet has its own session, so that calls that hang in one fleet do not use up the connections of another.
"""

from __future__ import annotations

import asyncio
import json
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from weakref import WeakKeyDictionary

import aiohttp

from upgrade_orchestrator.adapters.airflow.connections import FleetAddress
from upgrade_orchestrator.service.ports.fleet import FleetError

CALL_SECONDS, CONNECT_SECONDS = 5.0, 3.0
"Limits for a whole call and for connecting. An agent that hangs must not outlast the caller's lease."
_EXACTLY = 2 * CALL_SECONDS
"aiohttp rounds time-outs up to a whole second from this threshold on; ours must not be rounded."
IDLE_SECONDS = 3.0
"How long an idle connection is kept. Many servers close it after 5 s, and a call sent just then is lost."
MAX_BYTES = 16 * 1024 * 1024
"Maximum size of a response."
_CONNECTIONS = 50
"Connections for one fleet: more than a runner's concurrent calls."

_Clients = dict[tuple[FleetAddress, str], "AgentClient"]
_clients: WeakKeyDictionary[asyncio.AbstractEventLoop, _Clients] = WeakKeyDictionary()


@dataclass(frozen=True, slots=True)
class AgentResponse:
    """An agent's response."""

    status: int
    content: bytes

    @property
    def is_success(self) -> bool:
        """Whether the agent accepted the call."""
        return 200 <= self.status < 300

    def body(self) -> dict[str, Any]:
        """The JSON object; an empty one for an empty response.

        :raises FleetError: the response is anything else.
        """
        try:
            body = json.loads(self.content) if self.content else {}
        except ValueError:
            body = None
        if not isinstance(body, dict):
            raise FleetError("the agent's response is not a JSON object")
        return body


class AgentClient:
    """Calls to one fleet of an agent, from one event loop.

    A GET, PUT or DELETE whose connection closes before the response is sent once more, with the same key and token.
    """

    def __init__(self, address: FleetAddress) -> None:
        """Open the session; connections are made on first use.

        :raises FleetError: a certificate file cannot be used.
        """
        self._base = address.base_url
        tls = _tls(address)
        self._session = aiohttp.ClientSession(
            headers={"Authorization": f"Bearer {address.token}"} if address.token else {},
            timeout=aiohttp.ClientTimeout(CALL_SECONDS, sock_connect=CONNECT_SECONDS, ceil_threshold=_EXACTLY),
            connector=aiohttp.TCPConnector(limit=_CONNECTIONS, keepalive_timeout=IDLE_SECONDS, ssl=tls),
            cookie_jar=aiohttp.DummyCookieJar(),
        )

    async def request(
        self, method: str, path: str, *, headers: Mapping[str, str] | None = None, json: Any = None
    ) -> AgentResponse:
        """Call ``path``, which is percent-encoded already, and return the agent's response.

        :raises FleetError: there is no response in time, or it is too large.
        """
        more = {"skip_auto_headers": ("Content-Type",)} if json is None else {"json": json}
        try:
            async with self._session.request(
                method, self._base + path, headers=headers, allow_redirects=False, **more
            ) as response:
                return AgentResponse(response.status, await _read(response))
        except (
            aiohttp.ClientError,
            TimeoutError,
            OSError,
            ValueError,
        ) as error:  # ValueError: a token that cannot be sent as a header
            raise FleetError(f"the agent does not answer ({type(error).__name__})") from error

    async def close(self) -> None:
        """Close its connections."""
        await self._session.close()


async def _read(response: aiohttp.ClientResponse) -> bytes:
    content = bytearray()
    async for part in response.content.iter_any():
        content += part
        if len(content) > MAX_BYTES:
            raise FleetError(f"the agent's response is larger than {MAX_BYTES >> 20} MiB")
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
            context.load_cert_chain(address.cert, address.key)
    except OSError as error:  # missing, unreadable or not PEM
        names = ", ".join(str(each) for each in (address.verify, address.cert, address.key) if isinstance(each, str))
        raise FleetError(f"the certificates of the agent's connection cannot be used ({names}): {error}") from error
    return context


def client_of(address: FleetAddress, fleet: str) -> AgentClient:
    """The running event loop's client for ``fleet`` at ``address``.

    :raises FleetError: a certificate file cannot be used.
    """
    clients = _clients.setdefault(asyncio.get_running_loop(), {})
    if (address, fleet) not in clients:
        clients[address, fleet] = AgentClient(address)
    return clients[address, fleet]


async def close_clients() -> None:
    """Close the clients of the running event loop; a worker does so before its loop ends."""
    for client in _clients.pop(asyncio.get_running_loop(), {}).values():
        await client.close()
