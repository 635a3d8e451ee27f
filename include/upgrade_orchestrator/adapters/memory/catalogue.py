"""The registry's pages in memory (port ``Catalogue``)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping
from datetime import datetime

from upgrade_orchestrator.adapters.memory.engine.tables import (
    BACKUP,
    COMPONENT,
    COMPONENT_VERSION,
    DEPLOYMENT,
    EXECUTION,
)
from upgrade_orchestrator.adapters.memory.engine.transaction import Transaction
from upgrade_orchestrator.adapters.memory.engine.values import own
from upgrade_orchestrator.domain.execution.execution import Execution
from upgrade_orchestrator.domain.registry.entries import Backup, Component, Deployment
from upgrade_orchestrator.service.ports.stores.catalogue import ComponentSummary, LastUpgrade, Tenants


class MemoryCatalogue:
    """Uses the unit of work's transaction."""

    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction

    async def components(self, tenants: Tenants, text: str | None, after: str, limit: int) -> list[ComponentSummary]:
        """Ordered by name."""
        await self._transaction.statement()
        known = sorted(self._transaction.rows(COMPONENT), key=_name)
        last = next((_name(each) for each in known if each.id == after), ("", ""))
        found = [each for each in known if _name(each) > last and _has(each, text)]
        return [self._summary(each, tenants) for each in found[:limit]]

    async def deployments(self, component_id: str, tenants: Tenants, after: str, limit: int) -> list[Deployment]:
        """Ordered by tenant."""
        await self._transaction.statement()
        found = [each for each in self._deployments(component_id, tenants) if each.tenant_id > after]
        return [own(each) for each in sorted(found, key=lambda each: each.tenant_id)[:limit]]

    async def running(self, component_id: str, tenants: Tenants) -> Mapping[str, int]:
        """Counted by the current version."""
        await self._transaction.statement()
        return Counter(each.current_version_id for each in self._deployments(component_id, tenants))

    async def newest(self, component_id: str, tenants: Collection[str]) -> list[LastUpgrade]:
        """Reads all executions of the component."""
        await self._transaction.statement()
        deployed = {each.tenant_id for each in self._deployments(component_id, frozenset(tenants))}
        found = {each.tenant_id: each for each in sorted(self._executions(component_id, None), key=_age)}
        return [_last(each) for tenant, each in sorted(found.items()) if tenant in deployed]

    async def backups(
        self, component_id: str, tenants: Tenants, before: tuple[datetime, str] | None, limit: int
    ) -> list[Backup]:
        """Newest first."""
        await self._transaction.statement()
        of = [each for each in self._transaction.rows(BACKUP) if each.component_id == component_id]
        found = [each for each in of if _is_of(each.tenant_id, tenants) and (not before or _made(each) < before)]
        return sorted(found, key=_made, reverse=True)[:limit]

    def _summary(self, component: Component, tenants: Tenants) -> ComponentSummary:
        versions = [each for each in self._transaction.rows(COMPONENT_VERSION) if each.component_id == component.id]
        active = [each for each in self._executions(component.id, tenants) if not each.is_terminal]
        return ComponentSummary(
            component,
            len(versions),
            next((each.version for each in versions if each.recommended), None),
            len(self._deployments(component.id, tenants)),
            sum(each.settled_at is None for each in active),
        )

    def _deployments(self, component_id: str, tenants: Tenants) -> list[Deployment]:
        found = self._transaction.rows(DEPLOYMENT)
        return [each for each in found if each.component_id == component_id and _is_of(each.tenant_id, tenants)]

    def _executions(self, component_id: str, tenants: Tenants) -> list[Execution]:
        found = [row.execution for row in self._transaction.rows(EXECUTION)]
        return [each for each in found if each.request.component_id == component_id and _is_of(each.tenant_id, tenants)]


def _is_of(tenant_id: str, tenants: Tenants) -> bool:
    return tenants is None or tenant_id in tenants


def _has(component: Component, text: str | None) -> bool:
    return not text or any(text.lower() in each.lower() for each in (component.name, component.id))


def _name(component: Component) -> tuple[str, str]:
    return component.name, component.id


def _age(execution: Execution) -> tuple[datetime, str]:
    return execution.created_at, execution.id


def _made(backup: Backup) -> tuple[datetime, str]:
    return backup.created_at, backup.id


def _last(execution: Execution) -> LastUpgrade:
    versions = execution.from_version, execution.to_version
    return LastUpgrade(execution.tenant_id, execution.id, execution.status, *versions, execution.created_at)
