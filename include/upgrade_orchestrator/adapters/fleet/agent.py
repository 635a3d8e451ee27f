"""A client of the fleet agent protocol, version 1 (specification section 11)."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any, Protocol
from urllib.parse import quote, unquote

from upgrade_orchestrator.adapters.fleet import door
from upgrade_orchestrator.adapters.fleet.client import AgentResponse
from upgrade_orchestrator.domain.instance.fleet import Fleet, Health
from upgrade_orchestrator.service.ports.fleet import (
    Busy,
    Conflict,
    FleetError,
    NotOfProtocol,
    RefusedToken,
    StaleToken,
    UnknownFleet,
)

_REFUSALS: dict[int, type[FleetError]] = {
    404: UnknownFleet,
    409: Conflict,
    429: Busy,
    503: Busy,
}
_MAX_KEY = 255
"Characters of an Idempotency-Key; a longer one is sent as its digest."


class Client(Protocol):
    """Sends calls to an agent."""

    async def request(
        self, method: str, path: str, *, headers: Mapping[str, str] | None = None, json: Any = None
    ) -> AgentResponse:
        """Call ``path``, which is percent-encoded already, and return the agent's response.

        :raises FleetError: there is no response in time.
        """


class AgentDriver:
    """Port ``FleetDriver`` for one fleet of an agent; orders return the status of its answer."""

    def __init__(self, client: Client, fleet: str) -> None:
        self._client = client
        self._base = f"/fleets/{_segment(fleet)}"

    async def fleet(self) -> Fleet:
        """All instances, capacity and traffic.

        :raises NotOfProtocol: its response does not follow the protocol; names the instance and the field.
        :raises FleetError: the agent does not answer, or refuses the call.
        """
        response = await self._client.request("GET", self._base)
        if not response.is_success:
            raise _refused(response, "GET", self._base)
        return door.fleet_of(response.body())

    async def health(self, instance_id: str) -> Health:
        """The health that the instance itself reports.

        :raises NotOfProtocol: the report does not follow the protocol; names the field.
        :raises FleetError: there is no report.
        """
        path = f"{self._base}{self._instance(instance_id)}/health"
        response = await self._client.request("GET", path)
        if response.status not in (200, 503):
            raise _refused(response, "GET", path)
        try:
            body = response.body()
        except NotOfProtocol:
            if response.status == 200:
                raise
            body = {}
        if response.status == 503 and "healthy" not in body:
            raise _refused(response, "GET", path)  # a 503 of the agent itself, not of the instance
        said = door.health_of(body, instance_id)
        if said.healthy and response.status == 503:
            raise NotOfProtocol(f"the health of {instance_id} does not follow the protocol: healthy: true in a 503")
        return said

    async def drain(self, instance_id: str, token: int, key: str) -> str:
        """Take the instance out of service.

        :raises StaleToken: a newer runner works on the fleet.
        :raises FleetError: the order was not accepted.
        """
        return await self._order("POST", f"{self._instance(instance_id)}/drain", token, key)

    async def undrain(self, instance_id: str, token: int, key: str) -> str:
        """Put the instance back into service.

        :raises StaleToken: a newer runner works on the fleet.
        :raises FleetError: the order was not accepted.
        """
        return await self._order("POST", f"{self._instance(instance_id)}/undrain", token, key)

    async def set_version(self, instance_id: str, version: str, token: int, key: str) -> str:
        """Upgrade the instance to ``version``.

        :raises StaleToken: a newer runner works on the fleet.
        :raises FleetError: the order was not accepted.
        """
        return await self._order("PUT", f"{self._instance(instance_id)}/version", token, key, {"version": version})

    async def make_pool(self, pool: str, version: str, size: int, token: int, key: str) -> str:
        """Make a pool of ``size`` instances on ``version``.

        :raises StaleToken: a newer runner works on the fleet.
        :raises FleetError: the order was not accepted.
        :raises Conflict: another pool has that name, or there is no capacity.
        """
        return await self._order("PUT", self._pool(pool), token, key, {"version": version, "size": size})

    async def remove_pool(self, pool: str, token: int, key: str) -> str:
        """Remove the pool.

        :raises StaleToken: a newer runner works on the fleet.
        :raises FleetError: the order was not accepted.
        """
        return await self._order("DELETE", self._pool(pool), token, key)

    async def switch_traffic(self, pool: str, token: int, key: str) -> str:
        """Send the traffic to the pool.

        :raises StaleToken: a newer runner works on the fleet.
        :raises FleetError: the order was not accepted.
        """
        return await self._order("PUT", "/traffic", token, key, {"pool": pool})

    def _pool(self, pool: str) -> str:
        return f"/pools/{_segment(pool)}"

    def _instance(self, instance_id: str) -> str:
        return f"/instances/{_segment(instance_id)}"

    async def _order(self, method: str, path: str, token: int, key: str, body: Any = None) -> str:
        headers = {"Idempotency-Key": key_in_header(key), "X-Fencing-Token": str(token)}
        response = await self._client.request(method, self._base + path, headers=headers, json=body)
        if response.status == 412:
            raise _stale(response, token)
        if not response.is_success:
            raise _refused(response, method, self._base + path)
        try:
            response.body()
        except NotOfProtocol as error:
            error.in_doubt = True
            raise
        return str(response.status)


def key_in_header(key: str) -> str:
    """The key as a header can hold it: ids may be of any script and long, headers are short and of ASCII.

    A short key of ASCII stays as it is; of any other the digest makes it unique.
    """
    if len(key) <= _MAX_KEY and key.isascii() and key.isprintable():
        return key
    readable = "".join(each if each.isascii() and each.isprintable() else "-" for each in key[:128])
    return f"{readable}.{hashlib.sha256(key.encode('utf-8', 'surrogatepass')).hexdigest()}"


def _segment(name: str) -> str:
    """The name as one segment of a path.

    :raises FleetError: no path can hold it.
    """
    try:
        if name not in ("", ".", ".."):
            return quote(name, safe="")
    except UnicodeEncodeError:
        pass
    raise FleetError(f"a call cannot name {name!r}")


def _stale(response: AgentResponse, token: int) -> StaleToken:
    """The refusal of a token; the agent may name the highest that it has seen, in a header or in the body."""
    theirs = door.token_of(response.headers.get("X-Fencing-Token"))
    if theirs is None:
        try:
            theirs = door.token_of(response.body().get("highestToken"))
        except NotOfProtocol:
            theirs = None
    seen = "" if theirs is None else f": {theirs}"
    why = f"the agent has seen a higher fencing token than {token}{seen}{_said(response)}"
    return StaleToken(why, ours=token, theirs=theirs)


def _said(response: AgentResponse) -> str:
    """The reason that the agent gives, to be put behind ours."""
    said = door.problem_of(response.content)
    return f": {said}" if said else ""


def _refused(response: AgentResponse, method: str, path: str) -> FleetError:
    """What a response other than 2xx means; after a 5xx of a proxy the order may have arrived."""
    status, call = response.status, f"{method} {unquote(path)}"
    if status in (401, 403):
        return RefusedToken(f"the agent refuses the token ({status})")
    if 300 <= status < 400:
        to = door.cleaned(response.headers.get("Location", "nowhere"))[:200]
        return NotOfProtocol(f"the agent redirects {call} to {to} ({status}), which is not followed")
    kind = _REFUSALS.get(status, FleetError)
    in_doubt = method != "GET" and status >= 500 and status != 503
    return kind(f"the agent answered {status} to {call}{_said(response)}", in_doubt=in_doubt)
