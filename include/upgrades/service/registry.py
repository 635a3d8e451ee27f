"""Use cases of the component registry: what exists, what may be added, what is replaced (contract section 1)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace

from include.upgrades.domain.errors import ActiveUpgradeExists, NotFound, ValidationFailed, VersionMismatch
from include.upgrades.domain.registry import (
    RISK_OF_TYPE,
    Backup,
    Component,
    ComponentVersion,
    Deployment,
    RiskLevel,
    UpgradePath,
    VersionStatus,
)
from include.upgrades.domain.versions import Version, VersionRange, upgrade_type
from include.upgrades.service.ports import Ports, UnitOfWork
from include.upgrades.service.registry_document import Thing, things_in


async def add_component(ports: Ports, component: Component) -> Component:
    """:raises AlreadyExists: the id is taken."""
    async with ports.work() as work:
        await work.registry.add(component)
        await work.commit()
    return component


async def add_version(ports: Ports, version: ComponentVersion) -> ComponentVersion:
    """Add a version to its component.

    :raises ValidationFailed: a version or range that does not parse; :raises NotFound: no such component;
    :raises AlreadyExists: the id, or the version within the component, is taken.
    """
    check_version(version)
    async with ports.work() as work:
        await require_component(work, version.component_id)
        await work.registry.add(version)
        await work.commit()
    return version


async def set_version_status(ports: Ports, version_id: str, status: VersionStatus) -> ComponentVersion:
    """:raises NotFound: no such version."""
    async with ports.work() as work:
        changed = replace(await _version(work, version_id), status=status)
        await work.registry.put(changed)
        await work.commit()
    return changed


async def add_path(ports: Ports, path: UpgradePath, risk: RiskLevel | None) -> UpgradePath:
    """Add a path between two versions of its component; without ``risk`` it follows from the upgrade's type.

    :raises NotFound: no such component or version; :raises VersionMismatch: a version of another component;
    :raises AlreadyExists: the id, or the way between the two versions, is taken.
    """
    async with ports.work() as work:
        await require_component(work, path.component_id)
        source = await _version_of(work, path.component_id, "fromVersionId", path.from_version_id)
        target = await _version_of(work, path.component_id, "toVersionId", path.to_version_id)
        added = replace(path, risk_level=risk or risk_of(source, target))
        await work.registry.add(added)
        await work.commit()
    return added


async def get_deployment(ports: Ports, tenant_id: str, component_id: str) -> Deployment:
    """:raises NotFound: the tenant has none of that component."""
    async with ports.work() as work:
        found = await work.registry.deployment(tenant_id, component_id)
    if found is None:
        raise NotFound(f"tenant {tenant_id} has no deployment of component {component_id}")
    return found


async def put_deployment(ports: Ports, deployment: Deployment) -> Deployment:
    """Say where the instances live and what they run; replaces what was said before.

    :raises NotFound: no such component or version; :raises VersionMismatch: a version of another component;
    :raises ActiveUpgradeExists: it would pull the ground from under an unfinished upgrade.
    """
    async with ports.work() as work:
        await require_component(work, deployment.component_id)
        await _version_of(work, deployment.component_id, "currentVersionId", deployment.current_version_id)
        await _refuse_active(work, deployment)
        await work.registry.put(deployment)
        await work.commit()
    return deployment


async def add_backup(ports: Ports, backup: Backup) -> Backup:
    """Make a backup known.

    :raises NotFound: no such component or version; :raises VersionMismatch: a version of another component;
    :raises AlreadyExists: the id is taken.
    """
    async with ports.work() as work:
        await require_component(work, backup.component_id)
        await _version_of(work, backup.component_id, "versionId", backup.version_id)
        await work.registry.add(backup)
        await work.commit()
    return backup


async def load(ports: Ports, document: Mapping[str, object]) -> int:
    """Add what ``document`` names and is not there yet; what is there stays as it is. How many were added.

    The document has lists ``components``, ``versions``, ``upgradePaths``, ``deployments`` and ``backups`` with the
    fields of contract section 1, ids and parents' ids included; a path without ``riskLevel`` is LOW.

    :raises ValidationFailed: a field that is missing, unknown or cannot be understood.
    """
    added = 0
    async with ports.work() as work:
        for thing in things_in(document):
            if not await _is_known(work, thing):
                await work.registry.put(_checked(thing))
                added += 1
        await work.commit()
    return added


def check_version(version: ComponentVersion) -> None:
    """:raises ValidationFailed: naming every field with a version or a range that does not parse."""
    texts = {"version": version.version}
    texts |= {"minPlatformVersion": version.min_platform_version} if version.min_platform_version else {}
    texts |= {"maxPlatformVersion": version.max_platform_version} if version.max_platform_version else {}
    ranges = {f"dependencies.{name}": text for name, text in version.dependencies.items()}
    errors = [*_unparsable(texts, Version.parse), *_unparsable(ranges, VersionRange.parse)]
    if errors:
        raise ValidationFailed(errors)


def risk_of(source: ComponentVersion, target: ComponentVersion) -> RiskLevel:
    """By the upgrade's type."""
    return RISK_OF_TYPE[upgrade_type(source.version, target.version)]


async def require_component(work: UnitOfWork, component_id: str) -> None:
    """:raises NotFound: no such component."""
    if await work.registry.component(component_id) is None:
        raise NotFound(f"there is no component {component_id}")


def _unparsable(texts: Mapping[str, str], parse: Callable[[str], object]) -> Iterable[dict[str, str]]:
    for field, text in texts.items():
        try:
            parse(text)
        except ValueError as error:
            yield {"field": field, "message": str(error)}


async def _version(work: UnitOfWork, version_id: str) -> ComponentVersion:
    found = await work.registry.version(version_id)
    if found is None:
        raise NotFound(f"there is no version {version_id}")
    return found


async def _version_of(work: UnitOfWork, component_id: str, field: str, version_id: str) -> ComponentVersion:
    found = await _version(work, version_id)
    if found.component_id != component_id:
        raise VersionMismatch(f"{field} {version_id} is not a version of component {component_id}")
    return found


async def _refuse_active(work: UnitOfWork, deployment: Deployment) -> None:
    known = await work.registry.deployment(deployment.tenant_id, deployment.component_id)
    if known is None or known == deployment:
        return
    if active := await work.executions.active(deployment.tenant_id, deployment.component_id):
        raise ActiveUpgradeExists(active.id)


def _checked(thing: Thing) -> Thing:
    if isinstance(thing, ComponentVersion):
        check_version(thing)
    return thing


async def _is_known(work: UnitOfWork, thing: Thing) -> bool:
    registry = work.registry
    match thing:
        case Component():
            return await registry.component(thing.id) is not None
        case ComponentVersion():
            return await registry.version(thing.id) is not None
        case UpgradePath():
            return await registry.path(thing.from_version_id, thing.to_version_id) is not None
        case Deployment():
            return await registry.deployment(thing.tenant_id, thing.component_id) is not None
        case Backup():
            return thing.id in {each.id for each in await registry.backups(thing.tenant_id, thing.component_id)}
