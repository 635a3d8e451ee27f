"""The fleet agent protocol, version 1 (contract section 11), as a client."""

from __future__ import annotations

import asyncio
from typing import Any
from urllib.parse import quote
from weakref import WeakKeyDictionary

import httpx

from include.upgrades.adapters.airflow.connections import FleetAddress
from include.upgrades.domain.fleet import Fleet, FleetInstance, Health
from include.upgrades.service.fleet_ports import Conflict, FleetError, StaleToken, UnknownFleet

TIMEOUT = httpx.Timeout(5.0, connect=2.0)
"Seconds: an agent that hangs must not outlast the lease of whoever asks it."
IDLE_SECONDS = 3.0
"How long an unused connection is kept: usual servers close theirs after 5 s, and a call sent just then is lost."

_REFUSALS: dict[int, type[FleetError]] = {404: UnknownFleet, 409: Conflict}

_clients: WeakKeyDictionary[asyncio.AbstractEventLoop, dict[FleetAddress, httpx.AsyncClient]] = WeakKeyDictionary()


def client_of(address: FleetAddress) -> httpx.AsyncClient:
    """The client of the running event loop for ``address``: its connections are kept and shared."""
    clients = _clients.setdefault(asyncio.get_running_loop(), {})
    if address not in clients:
        secure = address.base_url.startswith("https://")
        clients[address] = httpx.AsyncClient(
            base_url=address.base_url,
            headers={"Authorization": f"Bearer {address.token}"},
            timeout=TIMEOUT,
            verify=address.verify if secure else False,  # reading the certificates costs more than a call
            trust_env=False,
            limits=httpx.Limits(max_connections=50, max_keepalive_connections=20, keepalive_expiry=IDLE_SECONDS),
        )
    return clients[address]


async def close_clients() -> None:
    """Close what the running event loop has opened; a worker does so before its loop ends."""
    for client in _clients.pop(asyncio.get_running_loop(), {}).values():
        await client.aclose()


class AgentDriver:
    """Port ``FleetDriver`` for one fleet of an agent."""

    def __init__(self, client: httpx.AsyncClient, fleet: str) -> None:
        self._client = client
        self._base = f"/fleets/{quote(fleet, safe='')}"

    async def fleet(self) -> Fleet:
        """All instances, capacity and traffic.

        :raises FleetError: when the agent does not answer, or not as the protocol says.
        """
        body = await self._call("GET", "")
        try:
            return _fleet(body)
        except (KeyError, TypeError, ValueError) as error:
            raise FleetError(f"the agent's answer is not of the protocol: {error!r}") from error

    async def health(self, instance_id: str) -> Health:
        """The instance's own answer, healthy or not.

        :raises FleetError: when there is none.
        """
        response = await self._send("GET", f"{self._instance(instance_id)}/health")
        if response.status_code not in (200, 503):
            raise _refused(response)
        body = _body(response)
        if not isinstance(body.get("healthy"), bool):
            raise _refused(response)  # a 503 of the agent itself: busy, says nothing of the instance
        return Health(body["healthy"], str(body.get("version", "")), str(body.get("detail", "")))

    async def drain(self, instance_id: str, token: int, key: str) -> None:
        """:raises StaleToken: somebody newer works on the fleet; :raises FleetError: not accepted."""
        await self._call("POST", f"{self._instance(instance_id)}/drain", token, key)

    async def undrain(self, instance_id: str, token: int, key: str) -> None:
        """:raises StaleToken: somebody newer works on the fleet; :raises FleetError: not accepted."""
        await self._call("POST", f"{self._instance(instance_id)}/undrain", token, key)

    async def set_version(self, instance_id: str, version: str, token: int, key: str) -> None:
        """:raises StaleToken: somebody newer works on the fleet; :raises FleetError: not accepted."""
        await self._call("PUT", f"{self._instance(instance_id)}/version", token, key, {"version": version})

    async def make_pool(self, pool: str, version: str, size: int, token: int, key: str) -> None:
        """:raises StaleToken: somebody newer works on the fleet; :raises FleetError: not accepted.

        :raises Conflict: there is another pool of that name, or no room.
        """
        await self._call("PUT", self._pool(pool), token, key, {"version": version, "size": size})

    async def remove_pool(self, pool: str, token: int, key: str) -> None:
        """:raises StaleToken: somebody newer works on the fleet; :raises FleetError: not accepted."""
        await self._call("DELETE", self._pool(pool), token, key)

    async def switch_traffic(self, pool: str, token: int, key: str) -> None:
        """:raises StaleToken: somebody newer works on the fleet; :raises FleetError: not accepted."""
        await self._call("PUT", "/traffic", token, key, {"pool": pool})

    def _pool(self, pool: str) -> str:
        return f"/pools/{quote(pool, safe='')}"

    def _instance(self, instance_id: str) -> str:
        return f"/instances/{quote(instance_id, safe='')}"

    async def _call(
        self, method: str, path: str, token: int | None = None, key: str | None = None, body: Any = None
    ) -> dict[str, Any]:
        headers = {} if key is None else {"Idempotency-Key": key, "X-Fencing-Token": str(token)}
        response = await self._send(method, path, headers=headers, json=body)
        if response.status_code == 412:
            raise StaleToken(f"the agent has seen a higher fencing token than {token}")
        if not response.is_success:
            raise _refused(response)
        return _body(response)

    async def _send(self, method: str, path: str, **more: Any) -> httpx.Response:
        try:
            return await self._client.request(method, self._base + path, **more)
        except httpx.HTTPError as error:
            raise FleetError(f"the agent does not answer ({type(error).__name__})") from error


def _fleet(body: dict[str, Any]) -> Fleet:
    instances = tuple(
        FleetInstance(
            instance_id=each["id"],
            version=each["version"],
            status=each["status"],
            healthy=bool(each["healthy"]),
            leader=bool(each.get("leader", False)),
            pool=each.get("pool", "blue"),
        )
        for each in body["instances"]
    )
    return Fleet(body["fleet"], instances, int(body["capacity"]["freeInstances"]), body["traffic"])


def _body(response: httpx.Response) -> dict[str, Any]:
    try:
        body = response.json() if response.content else {}
    except ValueError:
        body = None
    if not isinstance(body, dict):
        raise FleetError("the agent's answer is not a JSON object")
    return body


def _refused(response: httpx.Response) -> FleetError:
    kind = _REFUSALS.get(response.status_code, FleetError)
    return kind(f"the agent answered {response.status_code} to {response.request.method} {response.url.path}")
