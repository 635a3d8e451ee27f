"""The component registry: components and versions, and fencing tokens (specification sections 1 and 11)."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query

from upgrade_orchestrator.domain.errors import AlreadyExists, NotFound
from upgrade_orchestrator.domain.registry.entries import Component, ComponentVersion
from upgrade_orchestrator.schemas.base import Body
from upgrade_orchestrator.schemas.commands import FencingBody, FencingResponse
from upgrade_orchestrator.schemas.pages import Page, PageQuery, page_of
from upgrade_orchestrator.schemas.registry import (
    ComponentBody,
    ComponentResponse,
    StatusBody,
    VersionBody,
    VersionResponse,
)
from upgrade_orchestrator.service.ports.unit_of_work import Ports
from upgrade_orchestrator.service.registry import lists as registry_lists
from upgrade_orchestrator.service.registry import write as registry
from upgrade_orchestrator.service.registry.fencing import raise_fencing_token
from upgrade_orchestrator.web.dependencies import PortsDep
from upgrade_orchestrator.web.http.bodies import body_of, documented
from upgrade_orchestrator.web.http.cursors import decode, encode
from upgrade_orchestrator.web.http.error_responses import ApiRoute, error_responses
from upgrade_orchestrator.web.routes.parameters import ComponentId, VersionId
from upgrade_orchestrator.web.security import Administrator, AdministratorActor, RegistryReader

router = APIRouter(tags=["registry"], route_class=ApiRoute)


@router.get("/components", dependencies=[RegistryReader])
async def components(query: Annotated[PageQuery, Query()], ports: PortsDep) -> Page[ComponentResponse]:
    """The components, ordered by id."""
    found = await registry_lists.list_components(ports, position_in(query), query.limit + 1)
    return page_of(found, query.limit, ComponentResponse.model_validate, lambda each: encode(each.id))


@router.post(
    "/components",
    status_code=201,
    dependencies=[Administrator],
    responses=error_responses(AlreadyExists),
    openapi_extra=documented(ComponentBody),
)
async def add_component(
    body: Annotated[ComponentBody, Depends(body_of(ComponentBody))], ports: PortsDep
) -> ComponentResponse:
    """Register a component."""
    added = await registry.add_component(ports, Component(**with_id(ports, body)))
    return ComponentResponse.model_validate(added)


@router.get("/components/{componentId}/versions", dependencies=[RegistryReader])
async def versions(
    component_id: ComponentId, query: Annotated[PageQuery, Query()], ports: PortsDep
) -> Page[VersionResponse]:
    """The versions of a component, ordered by id."""
    found, today = await registry_lists.list_versions(ports, component_id, position_in(query), query.limit + 1)
    return page_of(found, query.limit, lambda each: VersionResponse.of(each, today), lambda each: encode(each.id))


@router.post(
    "/components/{componentId}/versions",
    status_code=201,
    dependencies=[Administrator],
    responses=error_responses(NotFound, AlreadyExists),
    openapi_extra=documented(VersionBody),
)
async def add_version(
    component_id: ComponentId, body: Annotated[VersionBody, Depends(body_of(VersionBody))], ports: PortsDep
) -> VersionResponse:
    """Register a version."""
    version = ComponentVersion(component_id=component_id, **with_id(ports, body))
    return VersionResponse.of(*await registry.add_version(ports, version))


@router.put("/versions/{versionId}/status", dependencies=[Administrator], openapi_extra=documented(StatusBody))
async def set_status(
    version_id: VersionId, body: Annotated[StatusBody, Depends(body_of(StatusBody))], ports: PortsDep
) -> VersionResponse:
    """Set the status of a version, and the dates that change with it."""
    dates = {name: getattr(body, name) for name in body.model_fields_set & {"release_date", "end_of_life_date"}}
    return VersionResponse.of(*await registry.set_version_status(ports, version_id, body.status, dates))


@router.post("/deployments/fencing", responses=error_responses(NotFound), openapi_extra=documented(FencingBody))
async def raise_fencing(
    actor: AdministratorActor, body: Annotated[FencingBody, Depends(body_of(FencingBody))], ports: PortsDep
) -> FencingResponse:
    """Raise our fencing token for a fleet that refuses it, after the database was restored; never lowers it."""
    token = await raise_fencing_token(ports, body.conn_id, body.fleet, body.at_least, actor)
    return FencingResponse(conn_id=body.conn_id, fleet=body.fleet, token=token)


def with_id(ports: Ports, body: Body) -> dict[str, Any]:
    """The body's fields, with a new id if it has none."""
    values = dict(body)
    return values | {"id": values["id"] or ports.new_id()}


def position_in(query: PageQuery) -> str:
    """The id after which the page begins."""
    return decode(query.cursor, 1)[0] if query.cursor else ""
