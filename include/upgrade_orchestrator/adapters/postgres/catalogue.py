"""The registry's pages in PostgreSQL (port ``Catalogue``)."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Column, ColumnElement, Select, func, or_, select, true, tuple_
from sqlalchemy.ext.asyncio import AsyncConnection

from upgrade_orchestrator.adapters.postgres.schema import rows, tables
from upgrade_orchestrator.domain.execution.states import TERMINAL, ExecutionStatus
from upgrade_orchestrator.domain.registry.entries import Backup, Component, Deployment
from upgrade_orchestrator.domain.registry.schemes import Scheme
from upgrade_orchestrator.service.ports.stores.catalogue import ComponentSummary, LastUpgrade, Tenants

C, V, D, B, E = (
    each.c for each in (tables.component, tables.component_version, tables.deployment, tables.backup, tables.execution)
)


class PostgresCatalogue:
    """Uses the unit of work's connection."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def components(self, tenants: Tenants, text: str | None, after: str, limit: int) -> list[ComponentSummary]:
        """Ordered by name, byte by byte, so that the order does not depend on the database's collation."""
        name = C.name.collate("C")
        query = _summaries(tenants).order_by(name, C.id).limit(limit)
        if text:
            query = query.where(or_(*(each.icontains(text, autoescape=True) for each in (C.name, C.id))))
        if after:
            last = select(C.name).where(C.id == after).correlate(None).scalar_subquery()
            query = query.where(tuple_(name, C.id) > tuple_(last, after))
        return [_summary_from(row) for row in (await self._connection.execute(query)).mappings()]

    async def deployments(self, component_id: str, tenants: Tenants, after: str, limit: int) -> list[Deployment]:
        """Ordered by tenant."""
        where = (D.component_id == component_id, D.tenant_id > after, *_of(D.tenant_id, tenants))
        query = select(tables.deployment).where(*where).order_by(D.tenant_id).limit(limit)
        found = (await self._connection.execute(query)).mappings()
        return [Deployment(**rows.pick(Deployment, row)) for row in found]

    async def running(self, component_id: str, tenants: Tenants) -> Mapping[str, int]:
        """Counted by the current version."""
        query = select(D.current_version_id, func.count().label("number")).group_by(D.current_version_id)
        query = query.where(D.component_id == component_id, *_of(D.tenant_id, tenants))
        return {row.current_version_id: row.number for row in await self._connection.execute(query)}

    async def newest(self, component_id: str, tenants: Collection[str]) -> list[LastUpgrade]:
        """One look into the index for each deployment, instead of reading all executions."""
        shown = (E.tenant_id, E.id, E.status, E.from_version, E.to_version, E.created_at)
        last = select(*shown).where(E.tenant_id == D.tenant_id, E.component_id == D.component_id)
        each = last.order_by(E.created_at.desc(), E.id.desc()).limit(1).lateral()
        where = (D.component_id == component_id, D.tenant_id.in_(sorted(tenants)))
        query = select(each).select_from(tables.deployment.join(each, true())).where(*where)
        found = await self._connection.execute(query.order_by(each.c.tenant_id))
        return [LastUpgrade(row[0], row[1], ExecutionStatus(row[2]), *row[3:]) for row in found]

    async def backups(
        self, component_id: str, tenants: Tenants, before: tuple[datetime, str] | None, limit: int
    ) -> list[Backup]:
        """Newest first."""
        query = select(tables.backup).where(B.component_id == component_id, *_of(B.tenant_id, tenants))
        if before is not None:
            query = query.where(tuple_(B.created_at, B.id) < before)
        query = query.order_by(B.created_at.desc(), B.id.desc()).limit(limit)
        return [Backup(**rows.pick(Backup, row)) for row in (await self._connection.execute(query)).mappings()]


def _of(column: Column[str], tenants: Tenants) -> list[ColumnElement[bool]]:
    return [] if tenants is None else [column.in_(sorted(tenants))]


def _summaries(tenants: Tenants) -> Select[Any]:
    count = select(func.count())
    versions = count.where(V.component_id == C.id)
    recommended = select(V.version).where(V.component_id == C.id, V.recommended).limit(1)
    deployments = count.where(D.component_id == C.id, *_of(D.tenant_id, tenants))
    unfinished = (E.settled_at.is_(None), E.status.not_in(TERMINAL))
    active = count.where(E.component_id == C.id, *unfinished, *_of(E.tenant_id, tenants))
    return select(
        tables.component,
        versions.scalar_subquery().label("versions"),
        recommended.scalar_subquery().label("recommended"),
        deployments.scalar_subquery().label("deployments"),
        active.scalar_subquery().label("active"),
    )


def _summary_from(row: Any) -> ComponentSummary:
    component = Component(**rows.pick(Component, row, version_scheme=Scheme(row["version_scheme"])))
    return ComponentSummary(component, row["versions"], row["recommended"], row["deployments"], row["active"])
