"""HTTP to an agent: one session for each of its fleets and event loop, so that connections are kept and shared.

By fleet, so that one whose calls hang holds no connection that the calls of another fleet wait for.
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
"How long a call may take in all, and its connection of that: an agent that hangs must not outlast the asker's lease."
_EXACTLY = 2 * CALL_SECONDS
"aiohttp rounds time-outs of so many seconds or more up to a whole second of its clock."
IDLE_SECONDS = 3.0
"How long an unused connection is kept: usual servers close theirs after 5 s, and a call sent just then is lost."
MOST_BYTES = 16 * 1024 * 1024
"How large an answer may be."
_CONNECTIONS = 50
"Of one fleet: more than whoever works on it has calls under way."

_Clients = dict[tuple[FleetAddress, str], "AgentClient"]
_clients: WeakKeyDictionary[asyncio.AbstractEventLoop, _Clients] = WeakKeyDictionary()


@dataclass(frozen=True, slots=True)
class Answer:
    """What an agent has answered."""

    status: int
    content: bytes

    @property
    def is_success(self) -> bool:
        """The agent has done it, or will."""
        return 200 <= self.status < 300

    def body(self) -> dict[str, Any]:
        """The JSON object; an empty one where nothing was sent.

        :raises FleetError: it is something else.
        """
        try:
            body = json.loads(self.content) if self.content else {}
        except ValueError:
            body = None
        if not isinstance(body, dict):
            raise FleetError("the agent's answer is not a JSON object")
        return body


class AgentClient:
    """The calls to one agent's fleet, of one event loop.

    A GET, PUT or DELETE whose connection ends before the answer is sent once more, with the same key and token.
    """

    def __init__(self, address: FleetAddress) -> None:
        """:raises FleetError: a certificate's file cannot be used."""
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
    ) -> Answer:
        """The agent's answer to a call of ``path``, which is quoted already.

        :raises FleetError: there is none in time, or it is too large.
        """
        more = {"skip_auto_headers": ("Content-Type",)} if json is None else {"json": json}
        try:
            async with self._session.request(
                method, self._base + path, headers=headers, allow_redirects=False, **more
            ) as response:
                return Answer(response.status, await _read(response))
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:  # a token that is no header, too
            raise FleetError(f"the agent does not answer ({type(error).__name__})") from error

    async def close(self) -> None:
        """Close its connections."""
        await self._session.close()


async def _read(response: aiohttp.ClientResponse) -> bytes:
    content = bytearray()
    async for part in response.content.iter_any():
        content += part
        if len(content) > MOST_BYTES:
            raise FleetError(f"the agent's answer is larger than {MOST_BYTES >> 20} MiB")
    return bytes(content)


def _tls(address: FleetAddress) -> ssl.SSLContext | bool:
    """What aiohttp takes; True is the system's authorities."""
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
    except OSError as error:  # not there, not readable, not PEM
        names = ", ".join(str(each) for each in (address.verify, address.cert, address.key) if isinstance(each, str))
        raise FleetError(f"the certificates of the agent's connection cannot be used ({names}): {error}") from error
    return context


def client_of(address: FleetAddress, fleet: str) -> AgentClient:
    """The client of the running event loop for ``fleet`` at ``address``.

    :raises FleetError: a certificate's file cannot be used.
    """
    clients = _clients.setdefault(asyncio.get_running_loop(), {})
    if (address, fleet) not in clients:
        clients[address, fleet] = AgentClient(address)
    return clients[address, fleet]


async def close_clients() -> None:
    """Close what the running event loop has opened; a worker does so before its loop ends."""
    for client in _clients.pop(asyncio.get_running_loop(), {}).values():
        await client.close()
