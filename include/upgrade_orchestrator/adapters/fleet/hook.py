"""The hook of the connection type *Upgrade fleet agent*; Airflow's *Test* button calls the agent through it."""

from __future__ import annotations

import asyncio
from collections import Counter

from airflow.sdk.bases.hook import BaseHook

from upgrade_orchestrator.adapters.airflow.connections import AGENT_TYPE, FleetAddress, address_of
from upgrade_orchestrator.adapters.fleet.agent import AgentDriver
from upgrade_orchestrator.adapters.fleet.callers import REFUSED
from upgrade_orchestrator.adapters.fleet.client import AgentClient, AgentResponse
from upgrade_orchestrator.domain.instance.fleet import Fleet, named_version
from upgrade_orchestrator.service.ports.fleet import FleetError, RefusedToken

_NO_FLEET = "connection-test"


class FleetAgentHook(BaseHook):
    """The address of a fleet's agent (docs/fleet-agent.md)."""

    conn_name_attr = "agent_conn_id"
    default_conn_name = "upgrade_fleet_agent_default"
    conn_type = AGENT_TYPE
    hook_name = "Upgrade fleet agent"

    def __init__(self, agent_conn_id: str = default_conn_name) -> None:
        super().__init__()
        self.agent_conn_id = agent_conn_id

    def get_conn(self) -> FleetAddress:
        """The address in the connection as it is now."""
        return address_of(self.get_connection(self.agent_conn_id))

    def test_connection(self) -> tuple[bool, str]:
        """Call the agent once, with the usual limits: whether that worked, and a message for the user."""
        connection = self.get_connection(self.agent_conn_id)
        try:
            address = address_of(connection)
        except FleetError as error:
            return False, str(error)
        try:
            return True, asyncio.run(_ask(address, str(connection.extra_dejson.get("fleet") or "")))
        except FleetError as error:
            return False, f"{address.base_url}: {error}"


async def _ask(address: FleetAddress, fleet: str) -> str:
    client = AgentClient(address)
    try:
        if fleet:
            return _fleet_message(await AgentDriver(client, fleet).fleet())
        return _agent_message(await client.request("GET", f"/fleets/{_NO_FLEET}"))
    finally:
        await client.close()


def _fleet_message(fleet: Fleet) -> str:
    versions = Counter(named_version(each.version) for each in fleet.instances)
    healthy = sum(each.healthy for each in fleet.instances)
    on = ", ".join(f"{count} on {version}" for version, count in sorted(versions.items()))
    return f"The agent has fleet {fleet.name}: {len(fleet.instances)} instances, {healthy} healthy ({on or 'none'})."


def _agent_message(response: AgentResponse) -> str:
    """The message for an agent that has no fleet of that name and says so in JSON.

    :raises FleetError: the response is not that of an agent, or the token is refused.
    """
    if response.status in REFUSED:
        raise RefusedToken(f"the agent refuses the token ({response.status})")
    if response.status not in (200, 404) or not response.content:
        raise FleetError(f"the response is {response.status}, which no agent would send: check host and port")
    response.body()
    return "The agent answers and accepts the token. To test a fleet as well, name it in the connection."
