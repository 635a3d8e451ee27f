"""The component registry in PostgreSQL (port ``Registry``)."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from sqlalchemy import Select, Table, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from include.upgrades.adapters.postgres import rows, tables
from include.upgrades.domain.registry import (
    Backup,
    Component,
    ComponentVersion,
    Deployment,
    RiskLevel,
    UpgradePath,
    VersionStatus,
)

Thing = Component | ComponentVersion | UpgradePath | Deployment | Backup

_TABLES: dict[type, Table] = {
    Component: tables.component,
    ComponentVersion: tables.component_version,
    UpgradePath: tables.upgrade_path,
    Deployment: tables.deployment,
    Backup: tables.backup,
}
_STEPS = ("pre_upgrade_steps", "upgrade_steps", "post_upgrade_steps", "rollback_steps", "validation_steps", "blockers")


class PostgresRegistry:
    """Reads by key, writes by upsert."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def component(self, component_id: str) -> Component | None:
        """By id."""
        row = await self._first(select(tables.component).where(tables.component.c.id == component_id))
        return Component(**rows.pick(Component, row)) if row else None

    async def version(self, version_id: str) -> ComponentVersion | None:
        """By id."""
        row = await self._first(select(tables.component_version).where(tables.component_version.c.id == version_id))
        if row is None:
            return None
        return ComponentVersion(**rows.pick(ComponentVersion, row, status=VersionStatus(row["status"])))

    async def path(self, from_version_id: str, to_version_id: str) -> UpgradePath | None:
        """The direct path between two versions."""
        table = tables.upgrade_path
        where = (table.c.from_version_id == from_version_id, table.c.to_version_id == to_version_id)
        row = await self._first(select(table).where(*where))
        if row is None:
            return None
        steps = {name: tuple(row[name]) for name in _STEPS}
        return UpgradePath(**rows.pick(UpgradePath, row, risk_level=RiskLevel(row["risk_level"]), **steps))

    async def deployment(self, tenant_id: str, component_id: str) -> Deployment | None:
        """Where a tenant's instances of a component live."""
        table = tables.deployment
        where = (table.c.tenant_id == tenant_id, table.c.component_id == component_id)
        row = await self._first(select(table).where(*where))
        return Deployment(**rows.pick(Deployment, row)) if row else None

    async def backups(self, tenant_id: str, component_id: str) -> list[Backup]:
        """Newest first."""
        table = tables.backup
        where = (table.c.tenant_id == tenant_id, table.c.component_id == component_id)
        query = select(table).where(*where).order_by(table.c.created_at.desc())
        return [Backup(**rows.pick(Backup, row)) for row in (await self._connection.execute(query)).mappings()]

    async def put(self, thing: Thing) -> None:
        """Insert or replace by primary key."""
        table = _TABLES[type(thing)]
        values = asdict(thing)
        keys = [column.name for column in table.primary_key]
        statement = insert(table).values(**values)
        await self._connection.execute(
            statement.on_conflict_do_update(
                index_elements=keys, set_={name: value for name, value in values.items() if name not in keys}
            )
        )

    async def _first(self, query: Select[Any]) -> Any:
        return (await self._connection.execute(query)).mappings().first()
