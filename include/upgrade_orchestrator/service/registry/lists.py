"""Use cases: the lists of the component registry, page by page (specification section 1)."""

from __future__ import annotations

from datetime import date, datetime

from upgrade_orchestrator.domain.registry.entries import Backup, Component, ComponentVersion
from upgrade_orchestrator.service.ports.unit_of_work import Ports
from upgrade_orchestrator.service.registry.write import require_component


async def list_components(ports: Ports, after: str, limit: int) -> list[Component]:
    """Components by id, from after ``after``."""
    async with ports.work() as work:
        return await work.registry.components(after, limit)


async def list_versions(ports: Ports, component_id: str, after: str, limit: int) -> tuple[list[ComponentVersion], date]:
    """Versions by id, from after ``after``; and today's date by the database's clock.

    :raises NotFound: no such component.
    """
    async with ports.work() as work:
        await require_component(work, component_id)
        return await work.registry.versions(component_id, after, limit), (await work.now()).date()


async def list_backups(
    ports: Ports, tenant_id: str, component_id: str, before: tuple[datetime, str] | None, limit: int
) -> list[Backup]:
    """Backups older than ``before`` (createdAt, id), newest first.

    :raises NotFound: no such component.
    """
    async with ports.work() as work:
        await require_component(work, component_id)
        found = await work.registry.backups(tenant_id, component_id)
    return [each for each in found if before is None or (each.created_at, each.id) < before][:limit]
