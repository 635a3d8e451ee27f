"""An upgrade that fails, in front of a real Airflow."""

import asyncio

from include.upgrades.bootstrap import close_ports, ports_for
from include.upgrades.domain.commands import SYSTEM
from include.upgrades.domain.execution import advance
from include.upgrades.domain.states import ExecutionStatus
from include.upgrades.settings import Settings
from tests.integration.web.running_airflow import RunningAirflow
from tests.integration.world import COMPONENT, NEW, OLD, TENANT

REASON = "failed by a test"


def fail_an_upgrade(airflow: RunningAirflow) -> str:
    """The id of an execution that is FAILED: the tenant's active one, or a new one."""
    with airflow.client("olga") as client:
        active = client.get(f"/tenants/{TENANT}/components/{COMPONENT}/upgrades/active")
        if active.status_code == 404:
            body = {"componentId": COMPONENT, "fromVersionId": OLD, "toVersionId": NEW}
            active = client.post(f"/tenants/{TENANT}/upgrades", json=body)
        execution_id = str(active.raise_for_status().json()["id"])
        if active.json()["status"] == "PENDING":
            client.post(f"/upgrades/{execution_id}/start").raise_for_status()
    asyncio.run(_fail(airflow.postgres.url(airflow.own), execution_id))
    return execution_id


async def _fail(url: str, execution_id: str) -> None:
    async with ports_for(url, Settings()).work() as work:
        execution = await work.executions.lock(execution_id)
        moved, event = advance(execution, ExecutionStatus.FAILED, REASON, SYSTEM, await work.now())
        await work.events.append(moved, [event])
        await work.executions.save(moved)
        await work.commit()
    await close_ports()
