"""Reads of the component registry: its lists, page by page (contract section 1)."""

from __future__ import annotations

from datetime import date, datetime

from upgrade_orchestrator.domain.registry.entries import Backup, Component, ComponentVersion
from upgrade_orchestrator.service.ports.unit_of_work import Ports
from upgrade_orchestrator.service.registry.write import require_component


async def list_components(ports: Ports, after: str, limit: int) -> list[Component]:
    """By id, those above ``after``."""
    async with ports.work() as work:
        return await work.registry.components(after, limit)


async def list_versions(ports: Ports, component_id: str, after: str, limit: int) -> tuple[list[ComponentVersion], date]:
    """By id, those above ``after``; and the day it is, by the database's clock.

    :raises NotFound: no such component.
    """
    async with ports.work() as work:
        await require_component(work, component_id)
        return await work.registry.versions(component_id, after, limit), (await work.now()).date()


async def list_backups(
    ports: Ports, tenant_id: str, component_id: str, before: tuple[datetime, str] | None, limit: int
) -> list[Backup]:
    """Newest first, those older than ``before`` (createdAt, id).

    :raises NotFound: no such component.
    """
    async with ports.work() as work:
        await require_component(work, component_id)
        found = await work.registry.backups(tenant_id, component_id)
    return [each for each in found if before is None or (each.created_at, each.id) < before][:limit]
