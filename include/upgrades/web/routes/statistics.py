"""How a component's upgrades went (contract sections 1 and 6)."""

from __future__ import annotations

from fastapi import APIRouter

from include.upgrades.service.queries import get_statistics
from include.upgrades.web.dependencies import PortsDep
from include.upgrades.web.routes.parameters import ComponentId
from include.upgrades.web.schemas.statistics import StatisticsAnswer
from include.upgrades.web.security import Reader

router = APIRouter(tags=["statistics"])


@router.get("/components/{componentId}/upgrade-statistics", dependencies=[Reader])
async def statistics(component_id: ComponentId, ports: PortsDep) -> StatisticsAnswer:
    """Counts, success rate and durations of the component's executions in every tenant, also split by strategy."""
    return StatisticsAnswer.of(await get_statistics(ports, component_id))
