"""The fleet of each deployment, through its driver and Airflow connection."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence

from upgrade_orchestrator import bootstrap
from upgrade_orchestrator.cli.database import own_database
from upgrade_orchestrator.cli.doctor.finding import Finding, error, well
from upgrade_orchestrator.cli.failure import CommandFailed
from upgrade_orchestrator.domain.errors import UpgradeError
from upgrade_orchestrator.domain.registry.entries import Deployment
from upgrade_orchestrator.service.ports.fleet import FleetError
from upgrade_orchestrator.service.ports.unit_of_work import Ports
from upgrade_orchestrator.settings import Settings

ANSWER_SECONDS = 10.0
"For each fleet; opening its connection is part of it."
AT_ONCE = 20
MAX_FLEETS = 40
"Fleets that are called: with ``AT_ONCE`` of them at a time, all have answered or failed within 20 s."


def look_at_fleets() -> Iterator[Finding]:
    """The registered fleets, in the order of their tenants and components."""
    from sqlalchemy.exc import DBAPIError

    try:
        own_database(Settings.read().db_conn_id)
        deployments, findings = bootstrap.run(_all)
    except (CommandFailed, UpgradeError, DBAPIError):
        yield error("fleets", "not looked at, because of what is said of the database")
        return
    yield from findings
    if not deployments:
        yield well("fleets", "no deployment is registered yet")
    elif deployments > MAX_FLEETS:
        yield well("fleets", f"{deployments - MAX_FLEETS} more are registered, and were not called")


async def _all(ports: Ports) -> tuple[int, list[Finding]]:
    """The number of deployments, and a finding for each of the first."""
    async with ports.work() as work:
        found = [each for each in await work.registry.everything() if isinstance(each, Deployment)]
    return len(found), await _called(ports, found[:MAX_FLEETS])


async def _called(ports: Ports, deployments: Sequence[Deployment]) -> list[Finding]:
    places = asyncio.Semaphore(AT_ONCE)

    async def call(deployment: Deployment) -> Finding:
        async with places:
            return await _fleet(ports, deployment)

    return list(await asyncio.gather(*map(call, deployments)))


async def _fleet(ports: Ports, deployment: Deployment) -> Finding:
    subject = f"fleet {deployment.fleet}"
    todo = f"correct the Airflow connection {deployment.conn_id} or the deployment, or start the agent"
    try:
        async with asyncio.timeout(ANSWER_SECONDS), ports.fleets.of(deployment) as driver:
            fleet = await driver.fleet()
    except FleetError as failed:
        return error(subject, str(failed) or failed.code, todo)
    except TimeoutError:
        return error(subject, f"no answer within {ANSWER_SECONDS:g} s", todo)
    return well(subject, f"{len(fleet.instances)} instances, through {deployment.conn_id}")
