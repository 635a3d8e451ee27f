"""Use cases: bring the registry to what a file says, and read all of it (contract section 1)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from upgrade_orchestrator.domain.errors import ActiveUpgradeExists
from upgrade_orchestrator.domain.registry.entries import Deployment, RegistryEntry
from upgrade_orchestrator.domain.registry.merge import Entry, merge, not_registered, problems_of
from upgrade_orchestrator.service.ports.unit_of_work import Ports, UnitOfWork
from upgrade_orchestrator.service.registry.write import refuse


@dataclass(frozen=True, slots=True)
class Loaded:
    """How many things were made, replaced, and left as they were."""

    created: int
    changed: int
    unchanged: int

    def __str__(self) -> str:
        return f"{self.created} created, {self.changed} changed, {self.unchanged} unchanged"


async def load_registry(ports: Ports, entries: Sequence[Entry], *, keep: bool = False) -> Loaded:
    """Write what differs, all or nothing; what ``entries``, parents first, do not name stays as it is.

    With ``keep`` what is registered already stays too, whatever they say of it.

    :raises ValidationFailed: naming every contradiction by its place; :raises ActiveUpgradeExists: a deployment would
    be changed under an unfinished upgrade.
    """
    async with ports.work() as work:
        await work.registry.lock()
        registered = await work.registry.everything()
        new = not_registered(registered, entries) if keep else list(entries)
        refuse(problems_of(registered, new))
        difference = merge(registered, new)
        for thing in (*difference.created, *difference.changed):
            await _write(work, thing)
        await work.commit()
    unchanged = difference.unchanged + len(entries) - len(new)
    return Loaded(len(difference.created), len(difference.changed), unchanged)


async def read_registry(ports: Ports) -> list[RegistryEntry]:
    """Everything, parents first, each kind in the order of its key."""
    async with ports.work() as work:
        return await work.registry.everything()


async def _write(work: UnitOfWork, thing: RegistryEntry) -> None:
    if isinstance(thing, Deployment):
        active = await work.executions.active(thing.tenant_id, thing.component_id)
        if active is not None:
            raise ActiveUpgradeExists(active.id)
    await work.registry.put(thing)
