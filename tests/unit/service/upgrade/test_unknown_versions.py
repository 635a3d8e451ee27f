"""Instances whose version the fleet does not tell: upgraded first, warned of, and not rolled back."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any, cast

from tests.labs.lab import OLGA
from tests.labs.memory.lab import MakeLab, MemoryLab
from tests.labs.seed import NEW_VERSION
from upgrade_orchestrator.domain.execution.states import ExecutionStatus
from upgrade_orchestrator.domain.instance.fleet import Fleet
from upgrade_orchestrator.domain.instance.instance import InstanceStatus
from upgrade_orchestrator.domain.registry.entries import Deployment
from upgrade_orchestrator.schemas.plans import InstanceResponse
from upgrade_orchestrator.service.ports.fleet import FleetDriver, Fleets
from upgrade_orchestrator.service.upgrade.commands import roll_back_upgrade
from upgrade_orchestrator.service.upgrade.create import preview_upgrade

BATCH = {"batch_size": 4, "max_unavailable_percentage": 100}


@dataclass
class Silent:
    """Port ``Fleets``: the lab's own, which does not tell the version of instances that do not run."""

    fleets: Fleets

    @asynccontextmanager
    async def of(self, deployment: Deployment) -> AsyncIterator[FleetDriver]:
        async with self.fleets.of(deployment) as driver:
            yield cast(FleetDriver, _Driver(driver))


class _Driver:
    def __init__(self, driver: FleetDriver) -> None:
        self._driver = driver

    def __getattr__(self, name: str) -> Any:
        return getattr(self._driver, name)

    async def fleet(self) -> Fleet:
        found = await self._driver.fleet()
        shown = (each if each.status == "RUNNING" else replace(each, version=None) for each in found.instances)
        return replace(found, instances=tuple(shown))


async def _with_a_stopped_one(make_lab: MakeLab) -> MemoryLab:
    lab = await make_lab(size=4)
    lab.kill(3)
    return lab.with_ports(fleets=Silent(lab.world.ports.fleets))


# fault 9
async def test_instance_without_a_version_is_first_in_order_and_warned_of(make_lab: MakeLab) -> None:
    lab = await _with_a_stopped_one(make_lab)
    execution = await lab.created(**BATCH)
    said = f"no version is reported by {lab.name(3)}: these cannot be rolled back"
    assert said in execution.warnings
    preview = await preview_upgrade(lab.world.ports, execution.tenant_id, execution.request)
    assert preview.plan is not None
    assert (preview.plan.instances[0], said in preview.findings.warnings) == (lab.name(3), True)
    rows = await lab.instances(execution.id)
    assert [each.from_version for each in rows.values()].count(None) == 1
    shown = InstanceResponse.of(rows[lab.name(3)]).model_dump(by_alias=True)
    assert (shown["fromVersion"], shown["status"]) == (None, "PENDING")


async def test_fleet_that_tells_every_version_is_not_warned_of(make_lab: MakeLab) -> None:
    lab = await make_lab(size=4)
    execution = await lab.created()
    assert not [each for each in execution.warnings if "no version" in each]


async def test_instance_without_a_version_is_upgraded(make_lab: MakeLab) -> None:
    lab = await _with_a_stopped_one(make_lab)
    execution = await lab.upgrade(await lab.admitted(**BATCH))
    assert execution.status is ExecutionStatus.COMPLETED, execution.status_reason
    assert lab.versions() == {NEW_VERSION: 4}


async def test_rollback_leaves_out_an_instance_whose_version_was_unknown_and_names_it(make_lab: MakeLab) -> None:
    lab = await _with_a_stopped_one(make_lab)
    execution_id = await lab.admitted(**BATCH)
    await lab.run_batches(execution_id)
    await roll_back_upgrade(lab.world.ports, execution_id, "changed my mind", OLGA)
    execution = await lab.roll_back(execution_id)
    assert (execution.status, execution.failure_phase) == (ExecutionStatus.FAILED, "ROLLBACK")
    assert f"{lab.name(3)}: the version that it ran before is not known" in execution.status_reason
    rows = await lab.instances(execution_id)
    back = {name for name, each in rows.items() if each.status is InstanceStatus.ROLLED_BACK}
    assert back == set(rows) - {lab.name(3)}
    assert rows[lab.name(3)].status is InstanceStatus.COMPLETED
    assert execution.settled_at is not None
