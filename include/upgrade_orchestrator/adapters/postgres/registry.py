"""The component registry in PostgreSQL (port ``Registry``)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from typing import Any

from sqlalchemy import RowMapping, Select, Table, case, exists, func, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from upgrade_orchestrator.adapters.postgres.schema import rows, tables
from upgrade_orchestrator.domain.errors import AlreadyExists
from upgrade_orchestrator.domain.registry.entries import (
    Backup,
    Component,
    ComponentVersion,
    Deployment,
    RegistryEntry,
    RiskLevel,
    UpgradePath,
    VersionStatus,
)
from upgrade_orchestrator.domain.registry.schemes import Scheme, scheme_of

UNIQUE_VIOLATION = "23505"

_TABLES: dict[type, Table] = {
    Component: tables.component,
    ComponentVersion: tables.component_version,
    UpgradePath: tables.upgrade_path,
    Deployment: tables.deployment,
    Backup: tables.backup,
}
_CONFLICTS = {
    "uq_component_version_version": "the component has this version already",
    "uq_upgrade_path_way": "there is a path between these two versions already",
    "uq_deployment_fleet": "the fleet belongs to another deployment already",
}
_STEPS = ("pre_upgrade_steps", "upgrade_steps", "post_upgrade_steps", "rollback_steps", "validation_steps", "blockers")


class PostgresRegistry:
    """Reads by key, writes by upsert."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def component(self, component_id: str) -> Component | None:
        """None if no component has that id."""
        row = await self._first(select(tables.component).where(tables.component.c.id == component_id))
        return _component_from(row) if row else None

    async def version(self, version_id: str) -> ComponentVersion | None:
        """None if no version has that id."""
        row = await self._first(select(tables.component_version).where(tables.component_version.c.id == version_id))
        return _version_from(row) if row else None

    async def path(self, from_version_id: str, to_version_id: str) -> UpgradePath | None:
        """The direct upgrade path between two versions."""
        table = tables.upgrade_path
        where = (table.c.from_version_id == from_version_id, table.c.to_version_id == to_version_id)
        row = await self._first(select(table).where(*where))
        return _path_from(row) if row else None

    async def components(self, after: str, limit: int) -> list[Component]:
        """Ordered by id, beginning after ``after``."""
        found = await self._page(tables.component, after, limit)
        return [_component_from(row) for row in found]

    async def versions(self, component_id: str, after: str, limit: int) -> list[ComponentVersion]:
        """Ordered by id, beginning after ``after``."""
        table = tables.component_version
        found = await self._page(table, after, limit, table.c.component_id == component_id)
        return [_version_from(row) for row in found]

    async def paths(self, component_id: str | None, after: str, limit: int) -> list[UpgradePath]:
        """Ordered by id, beginning after ``after``."""
        table = tables.upgrade_path
        where = [] if component_id is None else [table.c.component_id == component_id]
        return [_path_from(row) for row in await self._page(table, after, limit, *where)]

    async def deployment(self, tenant_id: str, component_id: str) -> Deployment | None:
        """The tenant's deployment of a component."""
        table = tables.deployment
        where = (table.c.tenant_id == tenant_id, table.c.component_id == component_id)
        row = await self._first(select(table).where(*where))
        return _deployment_from(row) if row else None

    async def deployment_of_fleet(self, conn_id: str, fleet: str) -> Deployment | None:
        """By a unique index."""
        table = tables.deployment
        query = select(table).where(table.c.conn_id == conn_id, table.c.fleet == fleet)
        row = await self._first(query.order_by(table.c.tenant_id, table.c.component_id))
        return _deployment_from(row) if row else None

    async def connections(self, limit: int) -> list[Deployment]:
        """One for each driver and connection; active upgrades are found by a small index."""
        table, execution = tables.deployment.c, tables.execution.c
        of_it = (execution.tenant_id == table.tenant_id, execution.component_id == table.component_id)
        idle = ~exists().where(*of_it, execution.settled_at.is_(None))
        # as text: SQLAlchemy 2.0 and 2.1 have different functions for it
        first = text("DISTINCT ON (deployment.driver, deployment.conn_id)")
        each = select(tables.deployment, idle.label("idle")).prefix_with(first)
        each = each.order_by(table.driver, table.conn_id, idle, table.fleet)
        found = each.subquery()
        query = select(found).order_by(found.c.idle, found.c.driver, found.c.conn_id).limit(limit)
        return [_deployment_from(row) for row in (await self._connection.execute(query)).mappings()]

    async def backups(self, tenant_id: str, component_id: str) -> list[Backup]:
        """Newest backup first."""
        table = tables.backup
        where = (table.c.tenant_id == tenant_id, table.c.component_id == component_id)
        query = select(table).where(*where).order_by(table.c.created_at.desc(), table.c.id.desc())
        return [_backup_from(row) for row in (await self._connection.execute(query)).mappings()]

    async def versions_by_id(self, version_ids: Iterable[str]) -> dict[str, ComponentVersion]:
        """Unknown ids are left out."""
        table = tables.component_version
        found = await self._connection.execute(select(table).where(table.c.id.in_(set(version_ids))))
        return {row["id"]: _version_from(row) for row in found.mappings()}

    async def schemes(self, component_ids: Iterable[str]) -> dict[str, Scheme]:
        """Unknown ids are left out; the versions are only read where the scheme is found out by them."""
        table, version = tables.component.c, tables.component_version.c
        texts = select(func.array_agg(version.version)).where(version.component_id == table.id).scalar_subquery()
        found_out = case((table.version_scheme == Scheme.AUTO, texts)).label("texts")
        query = select(table.id, table.version_scheme, found_out).where(table.id.in_(set(component_ids)))
        found = await self._connection.execute(query)
        return {row.id: scheme_of(Scheme(row.version_scheme), row.texts or ()) for row in found}

    async def everything(self) -> list[RegistryEntry]:
        """Referenced entries first, each kind ordered by key."""
        found: list[RegistryEntry] = []
        for kind, table in _TABLES.items():
            result = await self._connection.execute(select(table).order_by(*table.primary_key))
            found += [_READERS[kind](row) for row in result.mappings()]
        return found

    async def lock(self) -> None:
        """Locks the table that every addition refers to, in a mode that foreign key checks also wait for."""
        await self._connection.execute(text("LOCK TABLE component IN EXCLUSIVE MODE"))

    async def recommend_only(self, version: ComponentVersion) -> None:
        """Clears the flag of the component's other versions, in one statement."""
        table = tables.component_version
        others = (table.c.component_id == version.component_id, table.c.id != version.id, table.c.recommended)
        await self._connection.execute(update(table).where(*others).values(recommended=False))

    async def put(self, entry: RegistryEntry) -> None:
        """Insert or replace by primary key."""
        table = _TABLES[type(entry)]
        values = asdict(entry)
        keys = [column.name for column in table.primary_key]
        statement = insert(table).values(**values)
        replaced = {name: value for name, value in values.items() if name not in keys}
        with _translating_conflicts(entry):
            await self._connection.execute(statement.on_conflict_do_update(index_elements=keys, set_=replaced))

    async def add(self, entry: Component | ComponentVersion | UpgradePath | Backup) -> None:
        """Insert. The table's constraints decide, so that of two concurrent inserts one is refused."""
        with _translating_conflicts(entry):
            await self._connection.execute(insert(_TABLES[type(entry)]).values(**asdict(entry)))

    async def _page(self, table: Table, after: str, limit: int, *where: Any) -> Sequence[RowMapping]:
        query = select(table).where(table.c.id > after, *where).order_by(table.c.id).limit(limit)
        return (await self._connection.execute(query)).mappings().all()

    async def _first(self, query: Select[Any]) -> Any:
        return (await self._connection.execute(query)).mappings().first()


@contextmanager
def _translating_conflicts(entry: RegistryEntry) -> Iterator[None]:
    """Turn violations of unique constraints in the ``with`` block into errors of the domain.

    :raises AlreadyExists: a unique constraint is violated.
    """
    try:
        yield
    except IntegrityError as error:
        if getattr(error.orig, "sqlstate", "") != UNIQUE_VIOLATION:
            raise
        constraint = getattr(getattr(error.orig, "diag", None), "constraint_name", "")
        raise AlreadyExists(_CONFLICTS.get(constraint, f"the id {getattr(entry, 'id', '')} is taken")) from None


def _component_from(row: RowMapping) -> Component:
    return Component(**rows.pick(Component, row, version_scheme=Scheme(row["version_scheme"])))


def _deployment_from(row: RowMapping) -> Deployment:
    return Deployment(**rows.pick(Deployment, row))


def _backup_from(row: RowMapping) -> Backup:
    return Backup(**rows.pick(Backup, row))


def _version_from(row: RowMapping) -> ComponentVersion:
    return ComponentVersion(**rows.pick(ComponentVersion, row, status=VersionStatus(row["status"])))


def _path_from(row: RowMapping) -> UpgradePath:
    steps = {name: tuple(row[name]) for name in _STEPS}
    return UpgradePath(**rows.pick(UpgradePath, row, risk_level=RiskLevel(row["risk_level"]), **steps))


_READERS: dict[type, Callable[[RowMapping], RegistryEntry]] = {
    Component: _component_from,
    ComponentVersion: _version_from,
    UpgradePath: _path_from,
    Deployment: _deployment_from,
    Backup: _backup_from,
}
