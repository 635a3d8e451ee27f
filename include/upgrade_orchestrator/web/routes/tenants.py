"""A tenant's deployment of a component, and its backups (specification section 1)."""

from __future__ import annotations

from functools import partial
from typing import Annotated

from fastapi import APIRouter, Depends, Query

from upgrade_orchestrator.domain.errors import ActiveUpgradeExists, AlreadyExists, NotFound, VersionMismatch
from upgrade_orchestrator.domain.registry.entries import Backup, Deployment
from upgrade_orchestrator.schemas.pages import Page, PageQuery, page_of
from upgrade_orchestrator.schemas.registry import BackupBody, BackupResponse, DeploymentBody, DeploymentResponse
from upgrade_orchestrator.service.registry import lists as registry_lists
from upgrade_orchestrator.service.registry import write as registry
from upgrade_orchestrator.web.dependencies import PortsDep
from upgrade_orchestrator.web.http.bodies import body_of, documented
from upgrade_orchestrator.web.http.cursors import decode_moment, encode
from upgrade_orchestrator.web.http.error_responses import ApiRoute, error_responses
from upgrade_orchestrator.web.routes.parameters import ComponentId, TenantId
from upgrade_orchestrator.web.routes.registry import with_id
from upgrade_orchestrator.web.security import Administrator, CallerDep, Reader, tenants_seen_by

router = APIRouter(prefix="/tenants/{tenantId}/components/{componentId}", tags=["registry"], route_class=ApiRoute)


@router.get("/deployment", dependencies=[Reader])
async def deployment(tenant_id: TenantId, component_id: ComponentId, ports: PortsDep) -> DeploymentResponse:
    """Where the instances are and which version they run."""
    return DeploymentResponse.model_validate(await registry.get_deployment(ports, tenant_id, component_id))


@router.put(
    "/deployment",
    dependencies=[Administrator],
    responses=error_responses(NotFound, VersionMismatch, ActiveUpgradeExists, AlreadyExists),
    openapi_extra=documented(DeploymentBody),
)
async def put_deployment(
    tenant_id: TenantId,
    component_id: ComponentId,
    body: Annotated[DeploymentBody, Depends(body_of(DeploymentBody))],
    ports: PortsDep,
    caller: CallerDep,
) -> DeploymentResponse:
    """Create or replace the deployment; refused while an upgrade of it is unfinished, and for the fleet of another."""
    assert caller is not None  # an administrator
    wanted = Deployment(tenant_id=tenant_id, component_id=component_id, **dict(body))
    seen = await tenants_seen_by(caller, ports)
    return DeploymentResponse.model_validate(await registry.put_deployment(ports, wanted, seen))


@router.get("/backups", dependencies=[Reader])
async def backups(
    tenant_id: TenantId, component_id: ComponentId, query: Annotated[PageQuery, Query()], ports: PortsDep
) -> Page[BackupResponse]:
    """The registered backups, newest first."""
    before = decode_moment(query.cursor) if query.cursor else None
    found = await registry_lists.list_backups(ports, tenant_id, component_id, before, query.limit + 1)
    return page_of(found, query.limit, partial(BackupResponse.of, rules=ports.options.backups), _position)


def _position(backup: Backup) -> str:
    return encode(backup.created_at.isoformat(), backup.id)


@router.post(
    "/backups",
    status_code=201,
    dependencies=[Administrator],
    responses=error_responses(NotFound, AlreadyExists, VersionMismatch),
    openapi_extra=documented(BackupBody),
)
async def add_backup(
    tenant_id: TenantId,
    component_id: ComponentId,
    body: Annotated[BackupBody, Depends(body_of(BackupBody))],
    ports: PortsDep,
) -> BackupResponse:
    """Register a backup for rollback; a pre-upgrade check verifies that it exists."""
    backup = Backup(tenant_id=tenant_id, component_id=component_id, **with_id(ports, body))
    return BackupResponse.of(await registry.add_backup(ports, backup), ports.options.backups)
