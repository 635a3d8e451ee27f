"""The component registry in memory (port ``Registry``)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from upgrade_orchestrator.adapters.memory.engine.locks import Strength
from upgrade_orchestrator.adapters.memory.engine.tables import (
    BACKUP,
    COMPONENT,
    COMPONENT_VERSION,
    DEPLOYMENT,
    UPGRADE_PATH,
    Key,
    Row,
    Table,
)
from upgrade_orchestrator.adapters.memory.engine.transaction import Transaction
from upgrade_orchestrator.adapters.memory.engine.values import own
from upgrade_orchestrator.adapters.memory.executions.executions import holder_of
from upgrade_orchestrator.domain.errors import AlreadyExists
from upgrade_orchestrator.domain.registry.entries import (
    Backup,
    Component,
    ComponentVersion,
    Deployment,
    RegistryEntry,
    UpgradePath,
)
from upgrade_orchestrator.domain.registry.schemes import Scheme, scheme_of

_TABLES: dict[type[RegistryEntry], Table[Any]] = {
    Component: COMPONENT,
    ComponentVersion: COMPONENT_VERSION,
    UpgradePath: UPGRADE_PATH,
    Deployment: DEPLOYMENT,
    Backup: BACKUP,
}


class MemoryRegistry:
    """Uses the unit of work's transaction."""

    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction

    async def component(self, component_id: str) -> Component | None:
        """None if no component has that id."""
        return await self._get(COMPONENT, component_id)

    async def version(self, version_id: str) -> ComponentVersion | None:
        """None if no version has that id."""
        found = await self._get(COMPONENT_VERSION, version_id)
        return own(found) if found else None

    async def path(self, from_version_id: str, to_version_id: str) -> UpgradePath | None:
        """The direct upgrade path between two versions."""
        ends = (from_version_id, to_version_id)
        found = await self._rows(UPGRADE_PATH)
        return next((each for each in found if (each.from_version_id, each.to_version_id) == ends), None)

    async def components(self, after: str, limit: int) -> list[Component]:
        """Ordered by id, beginning after ``after``."""
        return _page(await self._rows(COMPONENT), after, limit)

    async def versions(self, component_id: str, after: str, limit: int) -> list[ComponentVersion]:
        """Ordered by id, beginning after ``after``."""
        found = [own(each) for each in await self._rows(COMPONENT_VERSION) if each.component_id == component_id]
        return _page(found, after, limit)

    async def paths(self, component_id: str | None, after: str, limit: int) -> list[UpgradePath]:
        """Ordered by id, beginning after ``after``."""
        found = [each for each in await self._rows(UPGRADE_PATH) if component_id in (None, each.component_id)]
        return _page(found, after, limit)

    async def deployment(self, tenant_id: str, component_id: str) -> Deployment | None:
        """The tenant's deployment of a component."""
        found = await self._get(DEPLOYMENT, tenant_id, component_id)
        return own(found) if found else None

    async def deployment_of_fleet(self, conn_id: str, fleet: str) -> Deployment | None:
        """Reads all deployments."""
        found = await self._rows(DEPLOYMENT)
        return next((own(each) for each in found if (each.conn_id, each.fleet) == (conn_id, fleet)), None)

    async def connections(self, limit: int) -> list[Deployment]:
        """One for each driver and connection, those with an active upgrade first."""
        found = [(self._is_idle(each), each) for each in await self._rows(DEPLOYMENT)]
        found.sort(key=lambda pair: (pair[0], pair[1].fleet))
        first: dict[tuple[str, str], tuple[bool, Deployment]] = {}
        for idle, each in found:
            first.setdefault((each.driver, each.conn_id), (idle, each))
        ordered = sorted(first.values(), key=lambda pair: (pair[0], pair[1].driver, pair[1].conn_id))
        return [own(each) for _, each in ordered[:limit]]

    def _is_idle(self, deployment: Deployment) -> bool:
        return holder_of(self._transaction, deployment.tenant_id, deployment.component_id) is None

    async def backups(self, tenant_id: str, component_id: str) -> list[Backup]:
        """Newest backup first."""
        of = (tenant_id, component_id)
        found = [each for each in await self._rows(BACKUP) if (each.tenant_id, each.component_id) == of]
        return sorted(found, key=lambda each: (each.created_at, each.id), reverse=True)

    async def versions_by_id(self, version_ids: Iterable[str]) -> dict[str, ComponentVersion]:
        """Unknown ids are left out."""
        wanted = set(version_ids)
        return {each.id: own(each) for each in await self._rows(COMPONENT_VERSION) if each.id in wanted}

    async def schemes(self, component_ids: Iterable[str]) -> dict[str, Scheme]:
        """Unknown ids are left out."""
        wanted, versions = set(component_ids), self._transaction.rows(COMPONENT_VERSION)
        texts = {each: [version.version for version in versions if version.component_id == each] for each in wanted}
        found = await self._rows(COMPONENT)
        return {each.id: scheme_of(each.version_scheme, texts[each.id]) for each in found if each.id in wanted}

    async def everything(self) -> list[RegistryEntry]:
        """Referenced entries first, each kind ordered by key."""
        found: list[RegistryEntry] = []
        for table in _TABLES.values():
            found += [own(each) for each in sorted(await self._rows(table), key=_key)]
        return found

    async def lock(self) -> None:
        """Locks the table that every addition refers to; reads go on."""
        await self._transaction.statement()
        await self._transaction.lock_components(Strength.ALONE)

    async def recommend_only(self, version: ComponentVersion) -> None:
        """Clears the flag of the component's other versions."""
        for each in await self._rows(COMPONENT_VERSION):
            if each.component_id == version.component_id and each.id != version.id and each.recommended:
                await self._transaction.lock(COMPONENT_VERSION, each.id)
                latest = self._transaction.get(COMPONENT_VERSION, each.id) or each
                await self._transaction.write(COMPONENT_VERSION, replace(latest, recommended=False), each.id)

    async def put(self, entry: RegistryEntry) -> None:
        """Insert or replace by key."""
        await self._transaction.statement()
        await self._write(entry, replacing=True)

    async def add(self, entry: Component | ComponentVersion | UpgradePath | Backup) -> None:
        """Insert; of two concurrent inserts of the same key, one is refused."""
        await self._transaction.statement()
        await self._write(entry, replacing=False)

    async def _write(self, entry: RegistryEntry, replacing: bool) -> None:
        transaction, table, key = self._transaction, _TABLES[type(entry)], _key(entry)
        await transaction.lock_components(
            Strength.KEY_SHARE
        )  # FOR KEY SHARE on the component, which is this entry or its parent
        await transaction.lock(table, *key)
        if not replacing and transaction.get(table, *key):
            raise transaction.failed(AlreadyExists(f"the id {key[0]} is taken"))
        await self._claim(entry)
        for parent, of in _parents(entry):
            await transaction.refer(parent, of)
        await transaction.write(table, own(entry), *key)

    async def _claim(self, entry: RegistryEntry) -> None:
        """Check the unique columns other than the key, and reserve their old and new values."""
        table, key = _TABLES[type(entry)], _key(entry)
        if (values := _unique(entry)) is None:
            return
        before = self._transaction.get(table, *key)
        for each in {values, before and _unique(before) or values}:
            await self._transaction.claim(table, *each[0])
        if any(_unique(each) == values and _key(each) != key for each in self._transaction.rows(table)):
            raise self._transaction.failed(AlreadyExists(values[1]))

    async def _get(self, table: Table[Row], *key: str) -> Row | None:
        await self._transaction.statement()
        return self._transaction.get(table, *key)

    async def _rows(self, table: Table[Row]) -> list[Row]:
        await self._transaction.statement()
        return self._transaction.rows(table)


def _key(entry: RegistryEntry) -> Key:
    return (entry.tenant_id, entry.component_id) if isinstance(entry, Deployment) else (entry.id,)


def _unique(entry: RegistryEntry) -> tuple[tuple[str, str], str] | None:
    """The values that must be unique, and the message if they are not."""
    match entry:
        case ComponentVersion(component_id=component, version=version):
            return (component, version), "the component has this version already"
        case UpgradePath(from_version_id=begin, to_version_id=end):
            return (begin, end), "there is a path between these two versions already"
        case Deployment(conn_id=connection, fleet=fleet):
            return (connection, fleet), "the fleet belongs to another deployment already"
    return None


def _parents(entry: RegistryEntry) -> list[tuple[Table[Any], str]]:
    match entry:
        case Component():
            return []
        case ComponentVersion():
            versions = []
        case UpgradePath(from_version_id=begin, to_version_id=end):
            versions = [begin, end]
        case Deployment(current_version_id=version) | Backup(version_id=version):
            versions = [version]
    return [(COMPONENT, entry.component_id), *((COMPONENT_VERSION, each) for each in versions)]


def _page(found: list[Any], after: str, limit: int) -> list[Any]:
    return sorted((each for each in found if each.id > after), key=lambda each: each.id)[:limit]
