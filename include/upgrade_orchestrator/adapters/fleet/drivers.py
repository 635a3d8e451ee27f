"""Finds the driver of a deployment (port ``Fleets``)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from upgrade_orchestrator.adapters.airflow.connections import fleet_address
from upgrade_orchestrator.adapters.fleet.agent import AgentDriver
from upgrade_orchestrator.adapters.fleet.client import client_of
from upgrade_orchestrator.domain.registry.entries import Deployment
from upgrade_orchestrator.service.ports.fleet import FleetDriver, FleetError

DRIVERS = ("agent",)
"All drivers (specification section 13)."


class ConnectionFleets:
    """Resolves ``connId`` through Airflow, so that secrets stay in Airflow's secrets backend."""

    @asynccontextmanager
    async def of(self, deployment: Deployment) -> AsyncIterator[FleetDriver]:
        """A driver that is ready for calls.

        :raises FleetError: unknown driver or connection.
        """
        if deployment.driver not in DRIVERS:
            raise FleetError(f"driver {deployment.driver} is not known, only {', '.join(DRIVERS)}")
        address = await fleet_address(deployment.conn_id)
        yield AgentDriver(client_of(address, deployment.fleet), deployment.fleet)
