"""Use cases: load a registry file, and read the whole registry (specification section 1)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from upgrade_orchestrator.domain.checks.backups import BackupRules, registration_problems
from upgrade_orchestrator.domain.errors import ActiveUpgradeExists
from upgrade_orchestrator.domain.registry.entries import Backup, Deployment, RegistryEntry
from upgrade_orchestrator.domain.registry.merge import (
    Entry,
    as_it_runs,
    kept_versions,
    merge,
    not_registered,
    problems_of,
    warnings_of,
)
from upgrade_orchestrator.domain.registry.rules import Problem
from upgrade_orchestrator.service.ports.unit_of_work import Ports, UnitOfWork
from upgrade_orchestrator.service.registry.write import raise_if_problems


@dataclass(frozen=True, slots=True)
class Loaded:
    """The number of entries that were created, changed and left unchanged, and the warnings."""

    created: int
    changed: int
    unchanged: int
    warnings: tuple[Problem, ...] = ()
    """What may be meant in another way, with its location in the file."""

    def __str__(self) -> str:
        return f"{self.created} created, {self.changed} changed, {self.unchanged} unchanged"


async def load_registry(
    ports: Ports, entries: Sequence[Entry], *, keep: bool = False, reset_current: bool = False
) -> Loaded:
    """Write the entries that differ, all or none; registered entries that ``entries`` do not name stay as they are.

    ``entries`` are parents first. With ``keep`` registered entries are never changed. What a registered deployment runs
    changes only with ``reset_current``.

    :raises ValidationFailed: with every problem and its location in the file.
    :raises ActiveUpgradeExists: a deployment with an unfinished upgrade would be changed.
    :raises AlreadyExists: two registered deployments would swap their fleets: move one of them away first.
    """
    async with ports.work() as work:
        await work.registry.lock()
        registered = await work.registry.everything()
        new = not_registered(registered, entries) if keep else list(entries)
        backups = _backup_problems(registered, new, await work.now(), ports.options.backups)
        raise_if_problems([*problems_of(registered, new), *backups])
        difference = merge(registered, new, reset_current=reset_current)
        moved = [each for each in difference.changed if isinstance(each, Deployment)]
        for entry in sorted((*difference.created, *difference.changed), key=lambda each: _turn(each, moved)):
            await _write(work, entry, reset_current)
        await work.commit()
    unchanged = difference.unchanged + len(entries) - len(new)
    kept = [] if reset_current else kept_versions(registered, new)
    return Loaded(len(difference.created), len(difference.changed), unchanged, (*warnings_of(new), *kept))


def _backup_problems(
    registered: Sequence[RegistryEntry], entries: Sequence[Entry], now: datetime, rules: BackupRules
) -> list[Problem]:
    """Of backups that are new or change; what is registered already may be loaded again."""
    known = {each.id: each for each in registered if isinstance(each, Backup)}
    return [
        Problem(f"{entry.path}.{each.field}", each.message)
        for entry in entries
        if isinstance(entry.value, Backup) and known.get(entry.value.id) != entry.value
        for each in registration_problems(entry.value, now, rules)
    ]


async def read_registry(ports: Ports) -> list[RegistryEntry]:
    """All entries, parents first, each kind ordered by its key."""
    async with ports.work() as work:
        return await work.registry.everything()


def _turn(entry: RegistryEntry, moved: Sequence[RegistryEntry]) -> int:
    """Deployments last, and of them first those that change: one may give up the fleet that a new one gets."""
    return (1 if entry in moved else 2) if isinstance(entry, Deployment) else 0


async def _write(work: UnitOfWork, entry: RegistryEntry, reset_current: bool) -> None:
    if isinstance(entry, Deployment):
        active = await work.executions.active(entry.tenant_id, entry.component_id)
        if active is not None:
            raise ActiveUpgradeExists(active.id)
        if not reset_current:  # an upgrade may have ended since the registry was read
            known = await work.registry.deployment(entry.tenant_id, entry.component_id)
            entry = as_it_runs(entry, known)
    await work.registry.put(entry)
