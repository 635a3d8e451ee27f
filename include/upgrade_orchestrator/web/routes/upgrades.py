"""Upgrades of a tenant: create, list, read the active one (specification section 1)."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request, Response

from upgrade_orchestrator.domain.errors import (
    ActiveUpgradeExists,
    FleetUnusable,
    NoActiveUpgrade,
    NotFound,
    UpgradeBlocked,
    VersionMismatch,
)
from upgrade_orchestrator.schemas.executions import ExecutionResponse
from upgrade_orchestrator.schemas.pages import ExecutionsQuery, Page, page_of
from upgrade_orchestrator.schemas.plans import PreviewResponse
from upgrade_orchestrator.schemas.upgrades import CreateQuery, UpgradeBody
from upgrade_orchestrator.service.ports.stores.overviews import ExecutionFilter
from upgrade_orchestrator.service.upgrade.create import create_upgrade, preview_upgrade
from upgrade_orchestrator.service.views.queries import ExecutionView, active_execution, get_execution, list_executions
from upgrade_orchestrator.web.dependencies import LinksDep, PortsDep
from upgrade_orchestrator.web.http.bodies import body_of, documented
from upgrade_orchestrator.web.http.cursors import decode_moment, encode
from upgrade_orchestrator.web.http.error_responses import ApiRoute, error_responses
from upgrade_orchestrator.web.http.etags import CONDITIONAL, UNCHANGED, tagged
from upgrade_orchestrator.web.routes.parameters import ComponentId, TenantId
from upgrade_orchestrator.web.security import Operator, Reader

router = APIRouter(tags=["upgrades"], route_class=ApiRoute)


@router.post(
    "/tenants/{tenantId}/upgrades",
    status_code=201,
    response_model=ExecutionResponse | PreviewResponse,
    responses={
        200: {"model": PreviewResponse, "description": "dryRun=true"},
        201: {"model": ExecutionResponse},
        **error_responses(NotFound, ActiveUpgradeExists, VersionMismatch, UpgradeBlocked, FleetUnusable),
    },
    openapi_extra=documented(UpgradeBody),
)
async def create(
    tenant_id: TenantId,
    actor: Operator,
    body: Annotated[UpgradeBody, Depends(body_of(UpgradeBody))],
    query: Annotated[CreateQuery, Query()],
    ports: PortsDep,
    links: LinksDep,
    response: Response,
) -> ExecutionResponse | PreviewResponse:
    """Create an execution, PENDING; with ``dryRun=true`` only preview it (200)."""
    if query.dry_run == "true":
        response.status_code = 200
        return PreviewResponse.of(await preview_upgrade(ports, tenant_id, body.to_domain()))
    execution = await create_upgrade(ports, tenant_id, body.to_domain(), actor)
    response.headers["Location"] = links.execution(execution.id)
    return ExecutionResponse.of(await get_execution(ports, execution.id), links)


@router.get("/tenants/{tenantId}/upgrades", dependencies=[Reader])
async def list_of_tenant(
    tenant_id: TenantId, query: Annotated[ExecutionsQuery, Query()], ports: PortsDep, links: LinksDep
) -> Page[ExecutionResponse]:
    """The executions of a tenant, newest first."""
    wanted = ExecutionFilter(
        tenant_id=tenant_id,
        status=query.status,
        component_id=query.component_id,
        strategy=query.strategy,
        since=query.since,
        after=decode_moment(query.cursor) if query.cursor else None,
        limit=query.limit + 1,
    )
    found = await list_executions(ports, wanted)
    return page_of(found, query.limit, lambda view: ExecutionResponse.of(view, links), _position)


def _position(view: ExecutionView) -> str:
    return encode(view.execution.created_at.isoformat(), view.execution.id)


@router.get(
    "/tenants/{tenantId}/components/{componentId}/upgrades/active",
    dependencies=[Reader],
    response_model=ExecutionResponse,
    responses={**UNCHANGED, **error_responses(NoActiveUpgrade)},
    openapi_extra=CONDITIONAL,
)
async def active(
    tenant_id: TenantId,
    component_id: ComponentId,
    ports: PortsDep,
    links: LinksDep,
    request: Request,
    response: Response,
) -> ExecutionResponse | Response:
    """The active execution, or 404 NO_ACTIVE_UPGRADE; with the execution's ``ETag``."""
    return tagged(
        request, response, ExecutionResponse.of(await active_execution(ports, tenant_id, component_id), links)
    )
