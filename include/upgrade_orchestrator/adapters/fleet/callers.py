"""The callers of agents through Airflow connections: one for each fleet and event loop, which share its sessions.

Each fleet has its own session, so that calls that hang in one fleet do not use up the connections of another.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from typing import Any
from weakref import WeakKeyDictionary

from upgrade_orchestrator.adapters.airflow.connections import FleetAddress, fleet_address
from upgrade_orchestrator.adapters.fleet.client import AgentClient, AgentResponse
from upgrade_orchestrator.service.ports.fleet import FleetError, RefusedToken

log = logging.getLogger(__name__)

LookUp = Callable[[str], Awaitable[FleetAddress]]
REFUSED = (401, 403)
"The agent does not accept the token."

_callers: WeakKeyDictionary[asyncio.AbstractEventLoop, dict[tuple[str, str], AgentCaller]] = WeakKeyDictionary()


class AgentCaller:
    """Calls an agent at the address of an Airflow connection.

    When the agent refuses the token, the connection is looked up again and the call repeated once if it has changed:
    after the password was corrected in Airflow, the upgrades that run go on by themselves.
    """

    def __init__(self, conn_id: str, look_up: LookUp = fleet_address) -> None:
        self._conn_id, self._look_up = conn_id, look_up
        self._client: AgentClient | None = None
        self._looks = 0
        self._one_at_a_time = asyncio.Lock()

    async def use(self, address: FleetAddress) -> None:
        """Call this address from now on; a client of another address or secret is closed after its last call.

        :raises WrongConnection: a certificate file cannot be used.
        """
        old = self._client
        if old is not None and old.address == address:
            return
        self._client = AgentClient(address)
        if old is not None:
            await old.retire()

    async def request(
        self, method: str, path: str, *, headers: Mapping[str, str] | None = None, json: Any = None
    ) -> AgentResponse:
        """Call ``path``, which is percent-encoded already, and return the agent's response.

        :raises RefusedToken: the agent refuses the token that the connection has now.
        :raises FleetError: there is no response in time, or the connection cannot be used any more.
        """
        looks, client = self._looks, self._client
        if client is None:
            raise FleetError(f"the Airflow connection {self._conn_id} was closed")
        response = await client.request(method, path, headers=headers, json=json)
        if response.status in REFUSED and (changed := await self._changed(client, looks)) is not None:
            response = await changed.request(method, path, headers=headers, json=json)
        if response.status in REFUSED:
            todo = f"correct the password of Airflow connection {self._conn_id}"
            raise RefusedToken(f"the agent refuses the token ({response.status}): {todo}")
        return response

    async def _changed(self, refused: AgentClient, looks: int) -> AgentClient | None:
        """The client of the connection as it is now; None when it is as before.

        Calls that were refused together share one look.
        """
        async with self._one_at_a_time:
            if self._client is refused and self._looks == looks:
                await self._look()
            return self._client if self._client is not refused else None

    async def _look(self) -> None:
        try:
            # nothing to bypass: Airflow caches connections in its DAG processor only, which calls no agents
            await self.use(await self._look_up(self._conn_id))
        except FleetError:
            raise
        except Exception:  # Airflow's API server or secrets backend is away: the token is still refused
            log.warning("the connection %s could not be looked up again", self._conn_id, exc_info=True)
        self._looks += 1

    async def close(self) -> None:
        """Close its connections."""
        if self._client is not None:
            await self._client.close()
        self._client = None


async def caller_of(conn_id: str, fleet: str) -> AgentCaller:
    """The running event loop's caller for ``fleet`` at the connection as it is now.

    :raises WrongConnection: the connection is not defined or cannot be used.
    """
    address = await fleet_address(conn_id)
    callers = _callers.setdefault(asyncio.get_running_loop(), {})
    caller = callers.setdefault((conn_id, fleet), AgentCaller(conn_id))
    await caller.use(address)
    return caller


async def close_callers() -> None:
    """Close the callers of the running event loop; a worker does so before its loop ends."""
    for caller in _callers.pop(asyncio.get_running_loop(), {}).values():
        await caller.close()
