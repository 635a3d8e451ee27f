"""The hook of the connection type *Upgrade fleet agent*: Airflow's button "Test" asks the agent with it."""

from __future__ import annotations

import asyncio
from collections import Counter

from airflow.sdk.bases.hook import BaseHook

from upgrade_orchestrator.adapters.airflow.connections import AGENT_TYPE, FleetAddress, address_of
from upgrade_orchestrator.adapters.fleet.agent import AgentDriver
from upgrade_orchestrator.adapters.fleet.client import AgentClient, Answer
from upgrade_orchestrator.domain.instance.fleet import Fleet
from upgrade_orchestrator.service.ports.fleet import FleetError

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
        """The address as the connection says now."""
        return address_of(self.get_connection(self.agent_conn_id))

    def test_connection(self) -> tuple[bool, str]:
        """Ask the agent once, within the time and size of any call to it: whether it answers, and what."""
        connection = self.get_connection(self.agent_conn_id)
        address, fleet = address_of(connection), str(connection.extra_dejson.get("fleet") or "")
        try:
            return True, asyncio.run(_ask(address, fleet))
        except FleetError as error:
            return False, f"{address.base_url}: {error}"


async def _ask(address: FleetAddress, fleet: str) -> str:
    client = AgentClient(address)
    try:
        if fleet:
            return _said_of(await AgentDriver(client, fleet).fleet())
        return _said(await client.request("GET", f"/fleets/{_NO_FLEET}"))
    finally:
        await client.close()


def _said_of(fleet: Fleet) -> str:
    versions = Counter(each.version for each in fleet.instances)
    healthy = sum(each.healthy for each in fleet.instances)
    on = ", ".join(f"{count} on {version}" for version, count in sorted(versions.items()))
    return f"The agent has fleet {fleet.name}: {len(fleet.instances)} instances, {healthy} healthy ({on or 'none'})."


def _said(answer: Answer) -> str:
    """An agent knows no fleet of that name, and says so in JSON.

    :raises FleetError: it is no agent that says so, or the token is refused.
    """
    if answer.status in (401, 403):
        raise FleetError(f"the agent refuses the token ({answer.status})")
    if answer.status not in (200, 404) or not answer.content:
        raise FleetError(f"what is there answers {answer.status}, which an agent would not")
    answer.body()
    return "The agent answers and takes the token. Name a fleet in the connection to have that asked for, too."
