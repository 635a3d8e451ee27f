"""Upgrade paths, routes, and the check whether upgrading to a version is allowed (specification section 1)."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Query

from upgrade_orchestrator.domain.errors import AlreadyExists, NotFound, VersionMismatch
from upgrade_orchestrator.domain.registry.entries import UpgradePath
from upgrade_orchestrator.schemas.pages import Page, PathsQuery, page_of
from upgrade_orchestrator.schemas.registry import CompatibilityBody, PathBody
from upgrade_orchestrator.schemas.upgrade_paths import (
    CalculatedResponse,
    CalculateQuery,
    CompatibilityResponse,
    PathResponse,
)
from upgrade_orchestrator.service.checks.compatibility import CompatibilityQuery, check_compatibility
from upgrade_orchestrator.service.registry import upgrade_paths
from upgrade_orchestrator.web.dependencies import PortsDep
from upgrade_orchestrator.web.http.bodies import body_of, documented
from upgrade_orchestrator.web.http.cursors import encode
from upgrade_orchestrator.web.http.error_responses import ApiRoute, error_responses
from upgrade_orchestrator.web.routes.parameters import VersionId
from upgrade_orchestrator.web.routes.registry import position_in, with_id
from upgrade_orchestrator.web.security import Administrator, RegistryReader

router = APIRouter(tags=["registry"], route_class=ApiRoute)


@router.get("/upgrade-paths", dependencies=[RegistryReader])
async def paths(query: Annotated[PathsQuery, Query()], ports: PortsDep) -> Page[PathResponse]:
    """The upgrade paths of one component or of all, ordered by id."""
    found = await upgrade_paths.list_paths(ports, query.component_id, position_in(query), query.limit + 1)
    return page_of(found, query.limit, PathResponse.of, lambda each: encode(each.path.id))


@router.post(
    "/upgrade-paths",
    status_code=201,
    dependencies=[Administrator],
    responses=error_responses(NotFound, AlreadyExists, VersionMismatch),
    openapi_extra=documented(PathBody),
)
async def add_path(body: Annotated[PathBody, Depends(body_of(PathBody))], ports: PortsDep) -> PathResponse:
    """Register a path between two versions; without ``riskLevel``, it follows from the upgrade's type."""
    values = with_id(ports, body)
    values |= {name: tuple(value) for name, value in values.items() if isinstance(value, list)}
    risk = values.pop("risk_level")
    return PathResponse.of(await upgrade_paths.add_path(ports, UpgradePath(**values), risk))


@router.get(
    "/upgrade-paths/calculate", dependencies=[RegistryReader], responses=error_responses(NotFound, VersionMismatch)
)
async def calculate(query: Annotated[CalculateQuery, Query()], ports: PortsDep) -> CalculatedResponse:
    """The best route by steps, risk, downtime and duration, with alternatives; if there is none, the missing paths.

    Closed paths, and paths to versions that must not be upgraded to, are not used but listed.
    """
    found = await upgrade_paths.calculate_route(ports, query.component_id, query.from_version_id, query.to_version_id)
    return CalculatedResponse.of(found)


@router.post(
    "/versions/{versionId}/check-compatibility",
    dependencies=[RegistryReader],
    responses=error_responses(VersionMismatch),
    openapi_extra=documented(CompatibilityBody),
)
async def compatibility(
    version_id: VersionId, body: Annotated[CompatibilityBody, Depends(body_of(CompatibilityBody))], ports: PortsDep
) -> CompatibilityResponse:
    """Whether upgrading to the version is allowed: all blockers, warnings and dependencies; stores nothing."""
    return CompatibilityResponse.of(await check_compatibility(ports, version_id, CompatibilityQuery(**dict(body))))
