"""Use cases of the component registry: add and change entries (specification section 1)."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import date

from upgrade_orchestrator.domain.checks.backups import registration_problems
from upgrade_orchestrator.domain.errors import (
    ActiveUpgradeExists,
    AlreadyExists,
    NotFound,
    ValidationFailed,
    VersionMismatch,
)
from upgrade_orchestrator.domain.registry.entries import Backup, Component, ComponentVersion, Deployment, VersionStatus
from upgrade_orchestrator.domain.registry.rules import Problem, life_problems, version_problems
from upgrade_orchestrator.service.ports.unit_of_work import Ports, UnitOfWork


async def add_component(ports: Ports, component: Component) -> Component:
    """:raises AlreadyExists: the id is taken."""
    async with ports.work() as work:
        await work.registry.add(component)
        await work.commit()
    return component


async def add_version(ports: Ports, version: ComponentVersion) -> tuple[ComponentVersion, date]:
    """Add a version to its component, and return it with today's date by the database's clock.

    A recommended version takes the recommendation from the component's other versions.

    :raises ValidationFailed: a version or range that does not parse, or bounds that contradict each other.
    :raises NotFound: no such component.
    :raises AlreadyExists: the id, or the version within the component, is taken.
    """
    raise_if_problems(version_problems(version))
    async with ports.work() as work:
        await require_component(work, version.component_id)
        if version.recommended:
            await work.registry.lock()  # of two concurrent calls only the last may stay recommended
        await work.registry.add(version)
        if version.recommended:
            await work.registry.recommend_only(version)
        today = (await work.now()).date()
        await work.commit()
    return version, today


async def set_version_status(
    ports: Ports, version_id: str, status: VersionStatus, dates: Mapping[str, date | None]
) -> tuple[ComponentVersion, date]:
    """Set the status of a version; ``dates`` has the release_date and end_of_life_date that change too.

    A version that becomes STABLE without a release date is released today. Returns the version and today's date by
    the database's clock.

    :raises NotFound: no such version.
    :raises ValidationFailed: dates that contradict the status or each other.
    """
    async with ports.work() as work:
        await work.registry.lock()  # the whole row is written
        today = (await work.now()).date()
        changed = replace(await require_version(work, version_id), status=status, **dates)  # type: ignore[arg-type]
        if status is VersionStatus.STABLE and changed.release_date is None and "release_date" not in dates:
            changed = replace(changed, release_date=today)
        raise_if_problems(life_problems(changed, today))
        await work.registry.put(changed)
        await work.commit()
    return changed, today


def raise_if_problems(problems: Sequence[Problem]) -> None:
    """:raises ValidationFailed: there are problems; it names each of them."""
    if problems:
        raise ValidationFailed([{"field": each.field, "message": each.message} for each in problems])


async def get_deployment(ports: Ports, tenant_id: str, component_id: str) -> Deployment:
    """:raises NotFound: the tenant has no deployment of that component."""
    async with ports.work() as work:
        found = await work.registry.deployment(tenant_id, component_id)
    if found is None:
        raise NotFound(f"tenant {tenant_id} has no deployment of component {component_id}")
    return found


async def put_deployment(ports: Ports, deployment: Deployment, tenants: Collection[str] | None = None) -> Deployment:
    """Insert or replace the deployment of a tenant and component; ``tenants``: those whose names the caller may learn.

    None: all of them.

    :raises NotFound: no such component or version.
    :raises VersionMismatch: a version of another component.
    :raises ActiveUpgradeExists: the deployment would change during an unfinished upgrade.
    :raises AlreadyExists: the fleet belongs to another deployment.
    """
    async with ports.work() as work:
        await require_component(work, deployment.component_id)
        await version_of(work, deployment.component_id, "currentVersionId", deployment.current_version_id)
        await _refuse_shared(work, deployment, tenants)
        await _refuse_active(work, deployment)
        await work.registry.put(deployment)
        await work.commit()
    return deployment


async def add_backup(ports: Ports, backup: Backup) -> Backup:
    """Register a backup.

    :raises NotFound: no such component or version.
    :raises VersionMismatch: a version of another component.
    :raises AlreadyExists: the id is taken.
    :raises ValidationFailed: a location that is not allowed, a time in the future, or too many bytes to read.
    """
    async with ports.work() as work:
        raise_if_problems(registration_problems(backup, await work.now(), ports.options.backups))
        await require_component(work, backup.component_id)
        await version_of(work, backup.component_id, "versionId", backup.version_id)
        await work.registry.add(backup)
        await work.commit()
    return backup


async def require_component(work: UnitOfWork, component_id: str) -> None:
    """:raises NotFound: no such component."""
    if await work.registry.component(component_id) is None:
        raise NotFound(f"there is no component {component_id}")


async def require_version(work: UnitOfWork, version_id: str) -> ComponentVersion:
    """:raises NotFound: no such version."""
    found = await work.registry.version(version_id)
    if found is None:
        raise NotFound(f"there is no version {version_id}")
    return found


async def version_of(work: UnitOfWork, component_id: str, field: str, version_id: str) -> ComponentVersion:
    """The component's version that ``field`` names.

    :raises NotFound: no such version.
    :raises VersionMismatch: it is one of another component.
    """
    found = await require_version(work, version_id)
    if found.component_id != component_id:
        raise VersionMismatch(f"{field} {version_id} is not a version of component {component_id}")
    return found


async def _refuse_shared(work: UnitOfWork, deployment: Deployment, tenants: Collection[str] | None) -> None:
    """Two deployments of one fleet would be two upgrades of the same instances."""
    other = await work.registry.deployment_of_fleet(deployment.conn_id, deployment.fleet)
    if other is None or (other.tenant_id, other.component_id) == (deployment.tenant_id, deployment.component_id):
        return
    shown = tenants is None or other.tenant_id in tenants
    whose = f"component {other.component_id} of tenant {other.tenant_id}" if shown else "another deployment"
    raise AlreadyExists(f"fleet {deployment.fleet} of connection {deployment.conn_id} belongs to {whose}")


async def _refuse_active(work: UnitOfWork, deployment: Deployment) -> None:
    known = await work.registry.deployment(deployment.tenant_id, deployment.component_id)
    if known is None or known == deployment:
        return
    if active := await work.executions.active(deployment.tenant_id, deployment.component_id):
        raise ActiveUpgradeExists(active.id)
