"""The base of the lifecycle machine: a store, the real use cases and simulated fleets, but none of its choices."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, TypeVar

from tests.labs.scripted import AskedParses, ScriptedPeople, ScriptedRuns
from tests.lifecycle.simulated_driver import SimulatedFleets
from tests.lifecycle.simulated_fleet import (
    DRAIN,
    SET_VERSION,
    Effect,
    SimulatedFleet,
    SimulatedInstance,
)
from tests.lifecycle.stepped import Clock, SteppedLoop, SteppedSignals, stepped, stepped_wait
from tests.lifecycle.stores.store import Store
from upgrade_orchestrator.domain.checks.checks import StoredObject
from upgrade_orchestrator.domain.execution.execution import Execution
from upgrade_orchestrator.domain.instance.instance import Instance
from upgrade_orchestrator.domain.registry.entries import Backup, Component, ComponentVersion, Deployment, UpgradePath
from upgrade_orchestrator.service.checks import looks
from upgrade_orchestrator.service.ports.stores.events import StoredEvent
from upgrade_orchestrator.service.ports.unit_of_work import Ports

T = TypeVar("T")
COMPONENT = "kafka"
VERSIONS = {"v36": "3.6.0", "v37": "3.7.0", "v38": "3.8.0"}
RENEWED_AS_IF = 30.0
"In seconds; runners renew the lease after a third of them."
SHA256 = "0" * 64
BACKUP = StoredObject(1, SHA256)


class Bench:
    """One store and one event loop for many tenants, each with a fleet of its own."""

    def __init__(self, store: Store) -> None:
        self.store, self.clock = store, Clock()
        self._loop = asyncio.Runner(loop_factory=partial(SteppedLoop, self.clock))
        self.fleets, self.airflow = SimulatedFleets(), ScriptedRuns()
        self.ports = self._ports()
        looks.wait = stepped_wait
        self._tenants = 0
        self.run(self._fill())

    def _ports(self) -> Ports:
        ports = self.store.ports(self.clock)
        people = ScriptedPeople()
        people.approvers.add("anna")

        async def read_object(location: str, *, whole: bool = True) -> StoredObject:
            return BACKUP

        return replace(
            ports,
            work=stepped(ports.work, self.clock),
            options=replace(ports.options, lease_seconds=RENEWED_AS_IF, max_backup_age_hours=1e6),
            fleets=self.fleets,
            signals=SteppedSignals(),
            parse_requests=AskedParses(),
            runs=self.airflow,
            human_tasks=people,
            read_object=read_object,
        )

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Run the coroutine to its end on the bench's loop."""
        return self._loop.run(work)

    def close(self) -> None:
        """Close everything."""
        self.run(self.store.close())
        self._loop.close()

    async def _fill(self) -> None:
        """A component with three versions and a path from each to each other."""
        async with self.ports.work() as work:
            await work.registry.put(Component(id=COMPONENT, name=COMPONENT))
            for key, version in VERSIONS.items():
                await work.registry.put(ComponentVersion(id=key, component_id=COMPONENT, version=version))
            for start in VERSIONS:
                for end in VERSIONS.keys() - {start}:
                    path = UpgradePath(
                        id=f"{start}{end}", component_id=COMPONENT, from_version_id=start, to_version_id=end
                    )
                    await work.registry.put(path)
            await work.commit()

    def new_tenant(self, size: int, free: int) -> Tenant:
        """A tenant with a fleet of ``size`` with room for ``free`` more; the last instance but one leads."""
        self._tenants += 1
        name = f"tenant-{self._tenants}"
        names = [f"i-{number}" for number in range(1, size + 1)]
        instances = {each: SimulatedInstance(each, VERSIONS["v36"]) for each in names}
        instances[names[max(0, size - 2)]].leader = True
        fleet = SimulatedFleet(name, self.clock, instances, lambda effect: tenant.judge(effect), free)
        tenant = Tenant(self, name, fleet)
        self.fleets.by_name[name] = tenant.fleet
        self.run(self._register(name))
        return tenant

    async def _register(self, tenant: str) -> None:
        async with self.ports.work() as work:
            deployment = Deployment(
                tenant_id=tenant,
                component_id=COMPONENT,
                driver="agent",
                conn_id="simulated",
                fleet=tenant,
                current_version_id="v36",
            )
            await work.registry.put(deployment)
            for version in VERSIONS:
                backup = Backup(
                    id=f"{tenant}-{version}",
                    tenant_id=tenant,
                    component_id=COMPONENT,
                    version_id=version,
                    location="file:///backups/simulated",
                    size_bytes=BACKUP.size_bytes,
                    sha256=SHA256,
                    created_at=await work.now(),
                )
                await work.registry.put(backup)
            await work.commit()


@dataclass
class Tenant:
    """One tenant's rows and fleet, and the rules for every order."""

    bench: Bench
    name: str
    fleet: SimulatedFleet
    broken: list[str] = field(default_factory=list)
    "The rules that orders have broken, even if their errors reached no caller."

    def everything(self) -> Any:
        """Everything that a refused command must leave unchanged."""
        return self.bench.store.everything(self.name)

    def unsettled(self) -> list[str]:
        """The executions that hold the tenant's active slot."""
        return self.bench.store.unsettled(self.name)

    def end_lease(self) -> None:
        """Make the lease expire, as if its holder had been silent for too long."""
        self.bench.store.end_lease(self.name)

    async def read(self, execution_id: str, sequence: int) -> tuple[Execution, list[Instance], list[StoredEvent]]:
        """The execution with its instances, and its events since ``sequence``."""
        async with self.bench.ports.work() as work:
            events = await work.events.page(execution_id, sequence, 10_000)
            rows = await work.executions.instances(execution_id)
            return await work.executions.get(execution_id), rows, events

    # what every order has to keep

    def judge(self, effect: Effect) -> None:
        """An order that changes something must be intended by the rows, within the budget, and not have been given
        before.
        """
        try:
            self._judge(effect)
        except AssertionError as error:
            self.broken.append(str(error))
            raise

    def _judge(self, effect: Effect) -> None:
        execution_id, instance_id = effect.key.split(".")[:2]
        assert not self.bench.store.is_settled(execution_id), f"{effect}, and the execution has let go"
        if effect.order in (DRAIN, SET_VERSION):
            back = ".back-" in effect.key
            self._judge_instance(effect, self.bench.store.instance(execution_id, instance_id, back))

    def _judge_instance(self, effect: Effect, row: dict[str, Any]) -> None:
        assert row["status"] in ("DRAINING", "UPGRADING"), f"{effect} although its row is {row}"
        if effect.order == SET_VERSION:
            assert effect.version == row["to_version"], f"{effect} although the row is {row}"
            self._judge_repetition(effect)
        elif effect.was_available and row["budget"] is not None:
            self._judge_budget(effect, row)

    def _judge_repetition(self, effect: Effect) -> None:
        """The same version again is allowed only as another try, and another try only after a failure.

        A rollback has tries of its own: an instance that ran the target before goes back to the same version.
        """
        for each in self.fleet.effects:
            if (each.order, each.target, each.version) == (SET_VERSION, effect.target, effect.version):
                assert _try(each) != _try(effect), f"{each}, then {effect}"

    def _judge_budget(self, effect: Effect, row: dict[str, Any]) -> None:
        """An instance that became unhealthy by itself during its own work may not have been noticed; all others
        count.
        """
        decided = row["started_at"]
        down = {
            each.instance_id
            for each in self.fleet.serving()
            if not each.available and (each.ill_since is None or each.ill_since < decided)
        }
        down.add(effect.target)
        assert len(down) <= row["budget"], f"{effect}: down would be {sorted(down)}, the budget is {row['budget']}"

    def left_out_of_service(self, execution: Execution) -> list[str]:
        """Instances that the execution has drained and left so, except those that its reason names."""
        drained = [each for each in self.fleet.instances.values() if each.status in ("DRAINING", "DRAINED")]
        own = [each.instance_id for each in drained if each.drained_by == execution.id and each.pool == "blue"]
        return [each for each in own if f"{each} is " not in execution.status_reason]


def _try(effect: Effect) -> tuple[str, str, str]:
    """The execution, the number of the try, and its direction, from a key such as e-1.i-3.1.version.back-upgrading."""
    execution_id, _, attempt, *_, step = effect.key.split(".")
    return execution_id, attempt, step.partition("-")[0]
