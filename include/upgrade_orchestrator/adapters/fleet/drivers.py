"""Finds the driver of a deployment (port ``Fleets``)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from upgrade_orchestrator.adapters.fleet.agent import AgentDriver
from upgrade_orchestrator.adapters.fleet.callers import caller_of
from upgrade_orchestrator.domain.registry.entries import Deployment
from upgrade_orchestrator.service.ports.fleet import FleetDriver, WrongConnection

DRIVERS = ("agent",)
"All drivers (specification section 13)."


class ConnectionFleets:
    """Resolves ``connId`` through Airflow, so that secrets stay in Airflow's secrets backend."""

    @asynccontextmanager
    async def of(self, deployment: Deployment) -> AsyncIterator[FleetDriver]:
        """A driver that is ready for calls.

        :raises WrongConnection: unknown driver, or a connection that is not defined or cannot be used.
        """
        if deployment.driver not in DRIVERS:
            raise WrongConnection(f"driver {deployment.driver} is not known, only {', '.join(DRIVERS)}")
        yield AgentDriver(await caller_of(deployment.conn_id, deployment.fleet), deployment.fleet)
