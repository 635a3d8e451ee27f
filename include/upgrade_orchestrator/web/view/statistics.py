"""Statistics pages with charts and tables: of a component in all tenants, or of a tenant over all components."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from upgrade_orchestrator.domain.operations.statistics import Figures, History, HistoryOf
from upgrade_orchestrator.service.ports.unit_of_work import Ports
from upgrade_orchestrator.service.views.queries import WEEKS, get_history
from upgrade_orchestrator.web.dependencies import PortsDep
from upgrade_orchestrator.web.routes.parameters import ComponentId, TenantId
from upgrade_orchestrator.web.security import Reader
from upgrade_orchestrator.web.view.charts import Chart, Series, lines, stacked_bars
from upgrade_orchestrator.web.view.error_pages import PageRoute
from upgrade_orchestrator.web.view.pages import page
from upgrade_orchestrator.web.view.words import in_words

router = APIRouter(prefix="/view", include_in_schema=False, route_class=PageRoute)

Named = Sequence[tuple[str, Figures]]


@router.get("/components/{componentId}/statistics", dependencies=[Reader])
async def of_component(request: Request, component_id: ComponentId, ports: PortsDep) -> HTMLResponse:
    """A component in all tenants; not for users who are limited to some tenants."""
    narrowed = f"?component={component_id}"
    return await _shown(request, ports, f"Component {component_id}", narrowed, HistoryOf(component_id=component_id))


@router.get("/tenants/{tenantId}/statistics", dependencies=[Reader])
async def of_tenant(request: Request, tenant_id: TenantId, ports: PortsDep) -> HTMLResponse:
    """A tenant, over all components."""
    narrowed = f"?tenant={tenant_id}"
    return await _shown(request, ports, f"Tenant {tenant_id}", narrowed, HistoryOf(tenant_id=tenant_id))


async def _shown(request: Request, ports: Ports, whose: str, narrowed: str, of: HistoryOf) -> HTMLResponse:
    return page(
        request, "statistics.html", **template_values(await get_history(ports, of), whose, narrowed, of.component_id)
    )


def template_values(history: History, whose: str, narrowed: str, component_id: str | None = None) -> dict[str, Any]:
    """What the page shows; ``narrowed`` is the query of the list with the same upgrades."""
    weeks = [(f"{each.begins:%-d %b}", each.figures) for each in history.weeks]
    strategies = [(in_words(name.value), figures) for name, figures in history.by_strategy.items()]
    return {
        "whose": whose,
        "component_id": component_id,
        "narrowed": narrowed,
        "first": f"{history.weeks[0].begins:%-d %B %Y}",
        "overall": history.overall,
        "count": WEEKS,
        "tables": [("Week from", weeks), ("Strategy", strategies)],
        "charts": charts(history, weeks, strategies),
    }


def charts(history: History, weeks: Named, strategies: Named) -> list[object]:
    """The charts in order; none if no upgrade has ended."""
    if not history.overall.total_executions:
        return []
    return [
        stacked_bars(_ended("weeks", "How upgrades ended, by week", weeks)),
        lines(_rate("rates", "Success rate by week", weeks), most=100),
        lines(_durations("durations", "Duration of completed upgrades by week", weeks)),
        stacked_bars(_ended("strategies", "How upgrades ended, by strategy", strategies)),
    ]


def _ended(name: str, title: str, figures: Named) -> Chart:
    return Chart(
        name,
        title,
        [name_of for name_of, _ in figures],
        [
            Series("completed", "fill-good", _each(figures, lambda each: each.successful_executions)),
            Series("failed or rolled back", "fill-bad", _each(figures, lambda each: each.failed_executions)),
            Series("cancelled", "fill-idle", _each(figures, lambda each: each.cancelled_executions)),
        ],
    )


def _rate(name: str, title: str, figures: Named) -> Chart:
    rates = _each(
        figures, lambda each: each.success_rate if each.successful_executions + each.failed_executions else None
    )
    return Chart(name, title, [name_of for name_of, _ in figures], [Series("success rate", "fill-good", rates)], " %")


def _durations(name: str, title: str, figures: Named) -> Chart:
    size, unit = _unit(max((each.p95_duration_seconds for _, each in figures), default=0))
    return Chart(
        name,
        title,
        [name_of for name_of, _ in figures],
        [
            Series("median", "fill-busy", _each(figures, lambda each: _known(each, each.p50_duration_seconds / size))),
            Series(
                "95th percentile",
                "fill-back",
                _each(figures, lambda each: _known(each, each.p95_duration_seconds / size)),
            ),
        ],
        f" {unit}",
    )


def _unit(longest: float) -> tuple[int, str]:
    """The unit in which durations up to ``longest`` seconds are read easily, and its seconds."""
    return next(
        ((size, unit) for size, unit in ((86400, "d"), (3600, "h"), (60, "min")) if longest >= 2 * size), (1, "s")
    )


def _known(figures: Figures, seconds: float) -> float | None:
    return seconds if figures.successful_executions else None


def _each(figures: Named, take: Callable[[Figures], float | None]) -> list[float | None]:
    return [take(each) for _, each in figures]
