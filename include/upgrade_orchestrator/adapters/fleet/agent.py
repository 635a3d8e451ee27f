"""A client of the fleet agent protocol, version 1 (specification section 11)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol
from urllib.parse import quote, unquote

from upgrade_orchestrator.adapters.fleet.client import AgentResponse
from upgrade_orchestrator.domain.instance.fleet import Fleet, FleetInstance, Health
from upgrade_orchestrator.service.ports.fleet import Conflict, FleetError, StaleToken, UnknownFleet

_REFUSALS: dict[int, type[FleetError]] = {404: UnknownFleet, 409: Conflict}


class Client(Protocol):
    """Sends calls to an agent."""

    async def request(
        self, method: str, path: str, *, headers: Mapping[str, str] | None = None, json: Any = None
    ) -> AgentResponse:
        """Call ``path``, which is percent-encoded already, and return the agent's response.

        :raises FleetError: there is no response in time.
        """


class AgentDriver:
    """Port ``FleetDriver`` for one fleet of an agent."""

    def __init__(self, client: Client, fleet: str) -> None:
        self._client = client
        self._base = f"/fleets/{quote(fleet, safe='')}"

    async def fleet(self) -> Fleet:
        """All instances, capacity and traffic.

        :raises FleetError: the agent does not answer, or its response does not follow the protocol.
        """
        body = await self._call("GET", "")
        try:
            return _fleet(body)
        except (KeyError, TypeError, ValueError) as error:
            raise FleetError(f"the agent's response does not follow the protocol: {error!r}") from error

    async def health(self, instance_id: str) -> Health:
        """The health that the instance itself reports.

        :raises FleetError: there is no report.
        """
        path = f"{self._base}{self._instance(instance_id)}/health"
        response = await self._client.request("GET", path)
        if response.status not in (200, 503):
            raise _refused(response, "GET", path)
        body = response.body()
        if not isinstance(body.get("healthy"), bool):
            raise _refused(response, "GET", path)  # a 503 of the agent itself, not of the instance
        return Health(body["healthy"], str(body.get("version", "")), str(body.get("detail", "")))

    async def drain(self, instance_id: str, token: int, key: str) -> None:
        """Take the instance out of service.

        :raises StaleToken: a newer runner works on the fleet.
        :raises FleetError: the order was not accepted.
        """
        await self._call("POST", f"{self._instance(instance_id)}/drain", token, key)

    async def undrain(self, instance_id: str, token: int, key: str) -> None:
        """Put the instance back into service.

        :raises StaleToken: a newer runner works on the fleet.
        :raises FleetError: the order was not accepted.
        """
        await self._call("POST", f"{self._instance(instance_id)}/undrain", token, key)

    async def set_version(self, instance_id: str, version: str, token: int, key: str) -> None:
        """Upgrade the instance to ``version``.

        :raises StaleToken: a newer runner works on the fleet.
        :raises FleetError: the order was not accepted.
        """
        await self._call("PUT", f"{self._instance(instance_id)}/version", token, key, {"version": version})

    async def make_pool(self, pool: str, version: str, size: int, token: int, key: str) -> None:
        """Make a pool of ``size`` instances on ``version``.

        :raises StaleToken: a newer runner works on the fleet.
        :raises FleetError: the order was not accepted.
        :raises Conflict: another pool has that name, or there is no capacity.
        """
        await self._call("PUT", self._pool(pool), token, key, {"version": version, "size": size})

    async def remove_pool(self, pool: str, token: int, key: str) -> None:
        """Remove the pool.

        :raises StaleToken: a newer runner works on the fleet.
        :raises FleetError: the order was not accepted.
        """
        await self._call("DELETE", self._pool(pool), token, key)

    async def switch_traffic(self, pool: str, token: int, key: str) -> None:
        """Send the traffic to the pool.

        :raises StaleToken: a newer runner works on the fleet.
        :raises FleetError: the order was not accepted.
        """
        await self._call("PUT", "/traffic", token, key, {"pool": pool})

    def _pool(self, pool: str) -> str:
        return f"/pools/{quote(pool, safe='')}"

    def _instance(self, instance_id: str) -> str:
        return f"/instances/{quote(instance_id, safe='')}"

    async def _call(
        self, method: str, path: str, token: int | None = None, key: str | None = None, body: Any = None
    ) -> dict[str, Any]:
        headers = {} if key is None else {"Idempotency-Key": key, "X-Fencing-Token": str(token)}
        response = await self._client.request(method, self._base + path, headers=headers, json=body)
        if response.status == 412:
            raise StaleToken(f"the agent has seen a higher fencing token than {token}")
        if not response.is_success:
            raise _refused(response, method, self._base + path)
        return response.body()


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


def _refused(response: AgentResponse, method: str, path: str) -> FleetError:
    kind = _REFUSALS.get(response.status, FleetError)
    return kind(f"the agent answered {response.status} to {method} {unquote(path)}")
