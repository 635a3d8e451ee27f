"""The product's connections to an agent: kept from call to call, but given up before the agent closes them."""

import httpx
import pytest

from include.upgrades.adapters.airflow.connections import FleetAddress
from include.upgrades.adapters.fleet import agent as adapter
from tests.integration.fleet.running_agent import TOKEN, Caller, RunningAgent

CALLS = 3


async def _connections(running: RunningAgent, fleet: str) -> int:
    """How many connections so many calls make that follow each other."""
    ports: list[int] = []

    async def note(response: httpx.Response) -> None:
        ports.append(response.extensions["network_stream"].get_extra_info("client_addr")[1])

    client = adapter.client_of(FleetAddress(running.url, TOKEN, True))
    client.event_hooks["response"].append(note)
    try:
        for _ in range(CALLS):
            await adapter.AgentDriver(client, fleet).fleet()
    finally:
        await adapter.close_clients()
    assert len(ports) == CALLS
    return len(set(ports))


async def test_connection_is_used_again_at_once(agent: RunningAgent, fleet: Caller) -> None:
    assert await _connections(agent, fleet.fleet) == 1


async def test_connection_is_not_used_again_when_it_was_idle_for_too_long(
    agent: RunningAgent, fleet: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(adapter, "IDLE_SECONDS", 0.0)
    assert await _connections(agent, fleet.fleet) == CALLS
