"""Statistics of a component's upgrades (specification sections 1 and 6)."""

from __future__ import annotations

from fastapi import APIRouter

from upgrade_orchestrator.schemas.statistics import StatisticsResponse
from upgrade_orchestrator.service.views.queries import get_statistics
from upgrade_orchestrator.web.dependencies import PortsDep
from upgrade_orchestrator.web.http.error_responses import ApiRoute
from upgrade_orchestrator.web.routes.parameters import ComponentId
from upgrade_orchestrator.web.security import Reader

router = APIRouter(tags=["statistics"], route_class=ApiRoute)


@router.get("/components/{componentId}/upgrade-statistics", dependencies=[Reader])
async def statistics(component_id: ComponentId, ports: PortsDep) -> StatisticsResponse:
    """Counts, success rate and durations of the component's executions in all tenants, in total and by strategy."""
    return StatisticsResponse.of(await get_statistics(ports, component_id))
